"""Data whose source no longer allows marketing is no longer used for it."""

import random
from datetime import timedelta

import pytest

from campaigns.channels import registry
from campaigns.domain.sending.eligibility import RULE_VERSION
from campaigns.models import Message
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from customers.models import ConsentState, DataSource
from customers.services.consents import ledger
from customers.services.consents.ledger import ConsentChange
from loancrm.kernel import clock
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people
from tests.factories.sources import make_source

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def ended(now):
    yesterday = now.astimezone(clock.company_zone()).date() - timedelta(days=1)
    return make_source("vendor", valid_until=yesterday)


def _drain(now):
    ticking.advance(now=now)
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)


def _reasons():
    return dict(Message.objects.values_list("customer_id", "reason"))


def _say(person, *, source, is_granted=True, now):
    change = ConsentChange(person.pk, "email", "marketing", is_granted, source, "e")
    ledger.append_changes(changes=[change], now=now)


def test_s65_an_ended_contract_stops_marketing_to_whom_nothing_else_stands_behind(
    actor, now, ended
):
    make_channel()
    people = make_people(6)
    borrowed, lent_consent, also_ours, agreed_to_us, other_vendor, ours = people
    for person in (borrowed, also_ours, agreed_to_us):
        person.contact_points.update(source="vendor")
        person.identity_links.create(source="vendor", external_id=str(person.pk), created_at=now)
    ConsentState.objects.filter(customer=lent_consent).update(source="vendor")
    also_ours.identity_links.create(source="core", external_id="7", created_at=now)
    ConsentState.objects.filter(customer=agreed_to_us).update(source="preference_centre")
    make_source("second", kind="vendor")
    other_vendor.contact_points.update(source="second")

    make_launched(actor, now)
    _drain(now)

    assert _reasons() == {
        borrowed.pk: "source_barred",
        lent_consent.pk: "source_barred",
        also_ours.pk: "",
        agreed_to_us.pk: "",
        other_vendor.pk: "",
        ours.pk: "",
    }
    skipped = Message.objects.filter(reason="source_barred")
    assert set(skipped.values_list("rule_version", flat=True)) == {RULE_VERSION}


def test_s65_a_contract_that_ends_after_the_launch_stops_what_is_queued(actor, now, ended):
    make_channel()
    person = make_people(1)[0]
    person.contact_points.update(source="vendor")
    DataSource.objects.update(valid_until=None)
    make_launched(actor, now)
    ticking.advance(now=now)

    DataSource.objects.update(is_active=False)
    _drain(now)

    assert _reasons() == {person.pk: "source_barred"}


def test_s65_a_source_for_service_only_still_carries_service_messages(actor, now):
    make_channel()
    make_source("clinic", purposes=["service"])
    person = make_people(1)[0]
    person.contact_points.update(source="clinic")

    make_launched(actor, now)
    make_launched(actor, now, slug="notice", purpose="service")
    _drain(now)

    reasons = Message.objects.values_list("dispatch__campaign__purpose", "reason")
    assert dict(reasons) == {"marketing": "source_barred", "service": ""}


def test_s65_the_persons_own_word_takes_the_place_of_a_reported_one(actor, now, ended):
    make_channel()
    person = make_people(1)[0]
    person.contact_points.update(source="vendor")
    ConsentState.objects.update(source="vendor")

    _say(person, source="preference_centre", now=now)
    make_launched(actor, now)
    _drain(now)

    assert _reasons() == {person.pk: ""}
    assert ConsentState.objects.get(channel="email").source == "preference_centre"


def test_s60_a_withdrawal_stops_the_message_that_is_queued_already(actor, now):
    make_channel()
    withdrawing, staying = make_people(2)
    make_launched(actor, now)
    ticking.advance(now=now)
    assert Message.objects.filter(state="planned").count() == 2

    _say(withdrawing, source="preference_centre", is_granted=False, now=now)
    _drain(now)

    assert _reasons() == {withdrawing.pk: "no_consent", staying.pk: ""}
    outbox = registry.shared(name="email-memory", backend="memory", options={}).delivered
    assert [sent.to for sent in outbox] == ["p2@example.com"]
