"""A fault that lies in no person holds the dispatch; nobody is skipped or failed for it."""

import random
from collections import Counter

import pytest

from campaigns.channels import registry
from campaigns.models import Campaign, Dispatch, Message
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from customers.models import Customer
from loancrm.kernel.security import crypto, keys
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def launched(actor, now) -> Dispatch:
    keys.note_active_key()
    make_channel()
    make_people(8)
    return make_launched(actor, now)


def work(now, rounds=6):
    for _round in range(rounds):
        ticking.advance(now=now)
        dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=20.0)


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def _rotated_elsewhere(settings):
    return {"earlier": b"0" * 32}


def _other_bytes(settings):
    return dict.fromkeys(settings.LOANCRM_KEYS, b"1" * 32)


@pytest.mark.parametrize("other", [_rotated_elsewhere, _other_bytes])
def test_a1_a_worker_without_the_datas_keys_writes_nobody_off(launched, now, settings, other):
    right = settings.LOANCRM_KEYS
    settings.LOANCRM_KEYS = other(settings)
    work(now)
    assert states() == {"planned": 8}
    held = Dispatch.objects.get()
    assert (held.status, held.hold_reason) == ("held", "keys_wrong")
    assert Campaign.objects.get().status != "completed"
    settings.LOANCRM_KEYS = right
    Dispatch.objects.update(status="running", hold_reason="")
    work(now)
    assert states() == {"sent": 8}


def test_a1_few_people_with_a_newer_key_are_not_written_off_either(launched, now, settings):
    """Others go by what this worker can still open; who cannot be read holds, not skips."""
    right = settings.LOANCRM_KEYS
    settings.LOANCRM_KEYS = {"new": b"2" * 32, **right}
    person = Customer.objects.order_by("pk").last()
    person.name_sealed = crypto.vault().seal(Customer.NAME_COLUMN, person.public_id, "李平")
    person.save()
    keys.note_active_key()
    settings.LOANCRM_KEYS = right
    work(now)
    assert not Message.objects.filter(state__in=["skipped", "failed"]).exists()
    assert Dispatch.objects.get().hold_reason == "keys_wrong"


def test_a1_a_damaged_row_costs_that_person_alone(launched, now):
    person = Customer.objects.order_by("pk").first()
    person.name_sealed = bytes(person.name_sealed)[:-1] + b"x"
    person.save()
    work(now)
    assert states() == {"sent": 7, "skipped": 1}
    skipped = Message.objects.get(state="skipped")
    assert (skipped.customer_id, skipped.reason) == (person.pk, "render_error")


def test_a1_an_address_of_ours_that_fits_into_no_header_writes_nobody_off(launched, now, settings):
    settings.LOANCRM_PUBLIC_URL = "https://lender.example\r\nX: y"
    work(now)
    assert states() == {"planned": 8}
    held = Dispatch.objects.get()
    assert (held.status, held.hold_reason) == ("held", "work_fails")
