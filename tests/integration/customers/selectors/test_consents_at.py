"""The consent ledger: append-only, and every past state rebuilt from it."""

import random
from datetime import timedelta

import pytest
from django.db import transaction

from customers.domain.consents.consent import is_in_force
from customers.models import ConsentRecord, ConsentState
from customers.selectors import consents as ledger
from customers.services.consents import ledger as consents
from customers.services.consents.ledger import ConsentChange
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
CHANNELS = ("sms", "email", "phone")
PURPOSES = ("marketing", "service")


def _change(customer, channel, purpose, *, is_granted, expires_at=None):
    return ConsentChange(
        customer.pk, channel, purpose, is_granted, "test", "e1", "v1", expires_at=expires_at
    )


@pytest.mark.parametrize("seed", range(5))
def test_k1_the_state_at_any_past_time_can_be_rebuilt(seed, now):
    rng = random.Random(seed)
    person, other = make_people(2, consents=())
    seen = []
    for step in range(40):
        at = now + timedelta(hours=step)
        who = person if rng.random() < 0.8 else other
        expires_at = at + timedelta(hours=rng.randint(1, 10)) if rng.random() < 0.3 else None
        is_granted = rng.random() < 0.6
        change = _change(
            who,
            rng.choice(CHANNELS),
            rng.choice(PURPOSES),
            is_granted=is_granted,
            expires_at=expires_at if is_granted else None,
        )
        consents.append_changes(changes=[change], now=at)
        states = ConsentState.objects.filter(customer=person)
        seen.append(
            (
                at,
                {
                    (row.channel, row.purpose): row.is_granted
                    and (row.expires_at is None or row.expires_at > at)
                    for row in states
                },
            )
        )
    for at, expected in seen:
        found = ledger.states_at(person.pk, at=at)
        assert {key: is_in_force(fact, now=at) for key, fact in found.items()} == expected
    assert ledger.states_at(person.pk, at=now - timedelta(seconds=1)) == {}


def test_k1_a_change_keeps_its_text_version_source_evidence_and_expiry(now):
    (person,) = make_people(1, consents=())
    until = now + timedelta(days=365)
    change = ConsentChange(
        person.pk, "sms", "marketing", True, "branch", "form 17", "v3", expires_at=until
    )
    assert consents.append_changes(changes=[change], now=now) == [change]
    assert consents.append_changes(changes=[change], now=now + timedelta(days=1)) == []
    row = ConsentRecord.objects.get()
    assert (row.source, row.evidence, row.policy_version) == ("branch", "form 17", "v3")
    assert (row.at, row.recorded_at, row.expires_at) == (now, now, until)
    renewed = until + timedelta(days=1)
    assert len(consents.append_changes(changes=[_change(person, "sms", "marketing",
        is_granted=True)], now=renewed)) == 1  # fmt: skip
    assert ConsentState.objects.get().expires_at is None


def test_k1_what_was_written_down_later_is_left_out_when_asked(now):
    (person,) = make_people(1, consents=())
    columns = {"customer": person, "channel": "sms", "purpose": "marketing", "source": "paper"}
    ConsentRecord.objects.create(
        **columns, is_granted=True, at=now, recorded_at=now + timedelta(days=2)
    )
    day = now + timedelta(days=1)
    assert ledger.states_at(person.pk, at=day)["sms", "marketing"].is_granted
    assert ledger.states_at(person.pk, at=day, known_at=day) == {}


def test_k1_a_row_of_the_ledger_is_never_changed_or_taken_out(now):
    (person,) = make_people(1, consents=())
    consents.append_changes(changes=[_change(person, "sms", "marketing", is_granted=True)], now=now)
    row = ConsentRecord.objects.get()
    row.is_granted = False
    for change in (row.save, row.delete):
        with pytest.raises(TypeError), transaction.atomic():
            change()
    assert ConsentRecord.objects.get().is_granted is True
