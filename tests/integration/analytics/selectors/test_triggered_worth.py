"""d2: the report counts a person once a run, also where triggers begin the runs."""

import random
from datetime import timedelta

import pytest

from analytics.selectors.campaign_report import load_report
from campaigns.models import Campaign
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from campaigns.services.triggers import following
from customers.models import Event, EventType
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def happened(person, name, at):
    kind, _made = EventType.objects.get_or_create(name=name)
    Event.objects.create(
        customer=person,
        type=kind,
        occurred_at=at,
        received_at=at,
        source="test",
        dedup_key=f"{person.pk}:{name}:{at.isoformat()}",
    )


def go_on(at):
    following.follow(holder="w", now=at)
    ticking.advance(now=at)
    dispatch.drain(holder="w", clock=lambda: at, rng=random.Random(1), slice_seconds=30)
    ticking.advance(now=at)


def test_d2_each_run_that_a_trigger_begins_counts_once(actor, now):
    make_channel()
    people = make_people(3)
    trigger = {"on": "event", "event": "application_started"}
    make_launched(actor, now, schedule={"trigger": trigger})
    go_on(now)
    for person in people:
        happened(person, "application_started", now + timedelta(minutes=1))
    go_on(now + timedelta(minutes=2))
    happened(people[1], "application_submitted", now + timedelta(days=1))
    happened(people[0], "application_started", now + timedelta(days=20))
    go_on(now + timedelta(days=20, minutes=1))
    found = load_report(campaign=Campaign.objects.get(), as_of=now + timedelta(days=60))
    assert (found.counts.audience, found.counts.sent, found.counts.converted) == (4, 4, 1)
    rate = found.figures["conversion_rate"]
    assert (rate.numerator, rate.denominator) == (1, 4)
