"""People walk a campaign's graph: each once, in pages, whoever else moves them or dies over it."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign, Dispatch, Enrolment, Message, Passage, Suppression
from campaigns.services.campaigns import launch, ticking
from campaigns.services.graphs import moving
from campaigns.services.sending import dispatch
from tests.factories.campaigns import EMAIL, SMS, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
LATER = timedelta(minutes=31)


@pytest.fixture
def people():
    make_channel("sms")
    make_channel()
    return make_people(8)


def launched(actor, now, **changes):
    """Return the first dispatch of a campaign with a fallback, sent to the end."""
    run = make_launched(
        actor,
        now,
        channel="sms-memory",
        content=SMS,
        fallback_channel="email-memory",
        fallback_content=EMAIL,
        fallback_after_minutes=30,
        **changes,
    )
    work(now)
    run.refresh_from_db()
    return run


def work(now):
    ticking.advance(now=now)
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=30.0)
    ticking.advance(now=now)


def test_a_campaign_of_one_message_has_no_graph(actor, now, people):
    run = make_launched(actor, now)
    assert run.campaign.graph is None
    assert not Enrolment.objects.exists()


def test_everybody_begins_at_the_entry_and_ends_where_her_messages_lead(actor, now, people):
    run = launched(actor, now)
    assert Counter(Enrolment.objects.values_list("node", flat=True)) == {"send-1": 8}
    missed = [person.pk for person in people[:3]]
    run.messages.filter(customer__in=missed).update(state="failed", reason="channel_refused")
    run.messages.filter(customer=people[3]).update(state="skipped", reason="frequency_cap")
    Suppression.objects.create(customer=people[2], reason="opted_out", at=now)
    ticking.advance(now=now + LATER)
    second = Dispatch.objects.get(position=2)
    assert second.before == run
    assert set(second.messages.values_list("customer", flat=True)) == set(missed[:2])
    left = Enrolment.objects.exclude(leave_reason="")
    assert Counter(left.values_list("leave_reason", flat=True)) == {"ended": 5, "unwanted": 1}
    work(now + LATER)
    assert Campaign.objects.get().status == "completed"
    way = Passage.objects.filter(enrolment__customer=people[0]).order_by("pk")
    assert [passage.node for passage in way] == ["send-1", "wait-2", "branch-2"]


def test_the_control_group_is_in_no_fallback(actor, now, people):
    run = launched(actor, now, holdout_share="0.5")
    assert run.messages.filter(is_control=True).exists()
    run.messages.update(state="failed", reason="channel_refused")
    ticking.advance(now=now + LATER)
    assert not Message.objects.filter(dispatch__position=2, is_control=True).exists()


def test_people_are_moved_in_pages_and_frozen_with_the_last_of_them(
    actor, now, people, monkeypatch
):
    run = launched(actor, now)
    run.messages.update(state="failed", reason="channel_refused")
    monkeypatch.setattr(moving, "PAGE", 3)
    ticking.advance(now=now + LATER)
    assert Dispatch.objects.get(position=2).audience_count == 8
    assert Passage.objects.count() == 8 * 3


def test_whom_a_failed_freeze_had_moved_is_looked_at_anew(actor, now, people, monkeypatch):
    """An unknown message that is decided meanwhile is served by the fallback after all."""
    run = launched(actor, now)
    run.messages.update(state="unknown", reason="crashed")
    freeze = launch.freeze_step
    with monkeypatch.context() as broken:
        broken.setattr(launch, "freeze_step", lambda **_values: 1 / 0)
        ticking.advance(now=now + LATER)
    assert not Passage.objects.exists()
    assert freeze is launch.freeze_step
    run.messages.update(state="failed", reason="not_sent")
    ticking.advance(now=now + LATER)
    assert Dispatch.objects.get(position=2).audience_count == 8


def test_a_dispatch_that_was_reopened_is_waited_for(actor, now, people):
    run = launched(actor, now)
    Dispatch.objects.update(status="running", completed_at=None)
    assert launch.start_next_step(before=run, now=now + LATER) is None
    assert set(Enrolment.objects.values_list("node", flat=True)) == {"send-1"}


def test_queries_do_not_grow_with_the_people_of_a_page(actor, now):
    make_channel("sms")
    make_channel()
    asked = []
    for number, count in enumerate((10, 70)):
        make_people(count, prefix=f"p{number}")
        run = launched(actor, now, slug=f"c{number}")
        run.messages.update(state="failed", reason="channel_refused")
        with CaptureQueriesContext(connection) as queries:
            launch.start_next_step(before=run, now=now + LATER)
        asked.append(len(queries))
        assert Dispatch.objects.get(position=2, campaign=run.campaign).audience_count >= count
    assert asked[1] <= asked[0] + 1
