"""What waits for long rises: a stream of urgent calls brings no campaign to a standstill."""

import random
from datetime import timedelta

import pytest

from campaigns.channels import registry
from campaigns.models import Channel, Chunk, Dispatch
from campaigns.services.campaigns import ticking
from campaigns.services.sending import chunks, dispatch, throttling
from campaigns.services.sending.lane import Lane
from loancrm.kernel.database.shared_clock import Moment
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people
from tests.factories.templates import ask_for, make_own_system, make_template

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
CODE = "482913"
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def people(db):
    return make_people(200)


@pytest.fixture
def campaign(people, actor, now):
    """A campaign that began an hour ago, on the account that urgent calls use too."""
    make_channel("sms", rate_per_second=4)
    found = make_launched(actor, now, channel="sms-memory", content=SMS)
    ticking.advance(now=now)
    Chunk.objects.update(due_at=now - AN_HOUR)
    return found


@pytest.fixture
def core(campaign, actor, now):
    make_template(campaign.channel, now)
    return make_own_system(actor, now)


def a_lane(now):
    return Lane(holder="w1", clock=lambda: now, rng=random.Random(1))


def give_back(chunk, now):
    chunks.release(chunk=chunk, now=now, is_complete=False)
    return chunk.dispatch


def test_a_worker_takes_the_oldest_once_and_then_what_is_urgent(campaign, core, people, actor, now):
    ask_for(core, people[:1], actor, now)
    lane = a_lane(now)
    aged = lane.claim()
    assert (aged.dispatch, lane.has_turn) == (campaign, True)
    lane.use_turn()
    give_back(aged, now)
    urgent = lane.claim()
    assert (urgent.dispatch.source, lane.has_turn) == ("request", False)


def test_a_turn_that_came_to_nothing_is_still_owed(campaign, core, people, actor, now):
    ask_for(core, people[:1], actor, now)
    lane = a_lane(now)
    for _round in range(2):
        assert give_back(lane.claim(), now) == campaign


def test_what_became_due_a_moment_ago_waits_for_what_is_urgent(campaign, core, people, actor, now):
    ask_for(core, people[:1], actor, now)
    Chunk.objects.filter(dispatch=campaign).update(due_at=now - timedelta(seconds=9))
    assert a_lane(now).claim().dispatch.source == "request"


def test_workers_together_give_no_more_of_an_accounts_slots(campaign, core, people, actor, now):
    """However many workers there are, an account gives one turn in ten seconds."""
    ask_for(core, people[:1], actor, now)
    assert throttling.reserve(channel=Channel.objects.get(), count=1, is_turn=True) is not None
    Channel.objects.update(next_slot_at=None)
    assert a_lane(now).claim().dispatch.source == "request"
    Chunk.objects.update(state="ready", lease_until=None, claimed_by="")
    Channel.objects.update(turn_given_at=Moment(-chunks.AGED_SECONDS))
    assert a_lane(now).claim().dispatch == campaign


def test_a_campaign_goes_on_beside_a_stream_of_urgent_calls(
    campaign, core, people, actor, now, monkeypatch
):
    """Whoever asks without a pause leaves it its share, and keeps the most."""
    monkeypatch.setattr(chunks, "AGED_SECONDS", 3.0)
    provider = registry.shared(name="sms-memory", backend="memory", options={})
    waiting = Dispatch.objects.filter(source="request").exclude(status="completed")

    def ask_again(_message=None):
        if waiting.count() < 3:
            ask_for(core, people[:4], actor, now)

    ask_again()
    provider.answer = ask_again

    def advance():
        ticking.advance(now=now)
        ask_again()

    dispatch.drain(
        holder="w1",
        clock=lambda: now,
        rng=random.Random(1),
        slice_seconds=60,
        should_stop=lambda: len(provider.delivered) >= 32,
        advance=advance,
    )
    is_urgent = [CODE in sent.payload.text for sent in provider.delivered]
    # A turn at once, and others three seconds after the one before: a second's four messages each.
    assert is_urgent[:12].count(False) >= 1
    assert is_urgent[12:].count(False) >= 1
    assert is_urgent.count(True) >= len(is_urgent) / 2
