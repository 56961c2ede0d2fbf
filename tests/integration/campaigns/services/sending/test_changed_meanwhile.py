"""What every mark asks about a person who changed: a limit lowered, a record merged in."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from campaigns.channels import registry
from campaigns.models import Chunk, Dispatch, Message
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from customers.models import Customer
from customers.services.identity import merging
from loancrm.kernel.access import system_actor
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people
from tests.integration.campaigns.services.sending.between import meanwhile

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def provider():
    options = {"supports_idempotency": False}
    return registry.shared(name="email-memory", backend="memory", options=options)


def drain(now):
    ticking.advance(now=now)
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60.0)
    ticking.advance(now=now)


def lower(person, now):
    """Want one message a week, and have had it."""
    Customer.objects.filter(pk=person.pk).update(weekly_message_limit=1)
    before = now - timedelta(days=1)
    other = make_launched(system_actor("test"), now, slug="before")
    Chunk.objects.filter(dispatch=other).delete()
    other.messages.exclude(customer=person).delete()
    other.messages.update(state="sent", attempted_at=before)
    Dispatch.objects.filter(pk=other.pk).update(status="completed", completed_at=before)


@pytest.mark.parametrize("others", ["nobody", "others"])
def test_b1_who_lowers_a_limit_between_decision_and_mark_has_the_new_one(
    actor, now, monkeypatch, others
):
    make_channel(options={"supports_idempotency": False})
    people = make_people(12)
    limited = people[5:8] if others == "others" else people[7:8]
    Customer.objects.filter(pk__in=[person.pk for person in limited]).update(weekly_message_limit=5)
    run = make_launched(actor, now)
    meanwhile(monkeypatch, people[7], lambda: lower(people[7], now))
    drain(now)
    assert Counter(run.messages.values_list("state", flat=True)) == {"sent": 11, "skipped": 1}
    assert run.messages.get(customer=people[7]).reason == "frequency_cap"


@pytest.mark.parametrize("is_raised", [True, False])
def test_b1_who_raises_a_limit_or_keeps_it_is_written_to(actor, now, monkeypatch, is_raised):
    make_channel(options={"supports_idempotency": False})
    people = make_people(12)
    Customer.objects.filter(pk=people[7].pk).update(weekly_message_limit=2)
    make_launched(actor, now)
    raised = Customer.objects.filter(pk=people[7].pk)
    meanwhile(monkeypatch, people[7], lambda: is_raised and raised.update(weekly_message_limit=3))
    drain(now)
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}


@pytest.mark.parametrize("known", ["none", "one"])
def test_f19_who_is_merged_between_decision_and_mark_gets_no_second_copy(
    actor, now, monkeypatch, known
):
    """The record that went into hers had the message in a sub-batch before."""
    make_channel(options={"supports_idempotency": False})
    people = make_people(12)
    if known == "one":
        (old,) = make_people(1, prefix="o", kinds=(), consents=())
        merging.merge(actor=actor, kept_id=people[7].pk, other_id=old.pk, now=now)
    run = make_launched(actor, now)

    def merge():
        merging.merge(actor=actor, kept_id=people[7].pk, other_id=people[2].pk, now=now)

    meanwhile(monkeypatch, people[7], merge)
    drain(now)
    reached = [sent.to for sent in provider().delivered]
    assert len(reached) == 11
    assert "p8@example.com" not in reached
    assert run.messages.get(customer=people[7]).reason == "already_sent"
