"""Marking what goes out next and how much of it is under way at once."""

import random
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from threading import Timer

import pytest

from campaigns.channels import registry
from campaigns.channels.memory import MemoryChannel, MemoryOptions
from campaigns.domain.sending.states import MessageState
from campaigns.models import Chunk, FrequencyRule, Message
from campaigns.selectors.content.rules import rules_at
from campaigns.selectors.sending import message_plan
from campaigns.services.campaigns import ticking
from campaigns.services.sending import chunks, settling
from campaigns.services.sending.composing import Composer
from campaigns.services.sending.deciding import decide_and_write
from campaigns.services.sending.flights import HandOver, sub_batch_size
from campaigns.services.sending.lane import Lane, LeasedChunk
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def lane(now):
    return Lane(holder="w1", clock=lambda: now, rng=random.Random(1))


def work_of(chunk, now):
    channel = chunk.dispatch.channel
    return LeasedChunk(
        chunk,
        message_plan.plan_of(chunk.dispatch, now=now),
        Composer(chunk.dispatch, channel, rules=rules_at(now)),
        channel,
        registry.shared(name="email-memory", backend="memory", options=channel.options),
        is_careful=chunk.attempts >= chunks.CAREFUL_ATTEMPT,
    )


def decided(now):
    """Claim the next chunk and write its messages, as a worker does before it hands them over."""
    chunk = chunks.claim(holder="w1", now=now)
    work = work_of(chunk, now)
    composed, _counts = decide_and_write(work, lane(now), ids=None, now=now)
    return chunk, settling.SendAttempt(composed, work.plan, now)


def test_marking_skips_a_person_whom_another_campaign_reached_meanwhile(actor, now):
    make_channel()
    make_people(1)
    FrequencyRule.objects.create(window_hours=24, max_count=1)
    first = make_launched(actor, now)
    second = make_launched(actor, now, slug="second")
    ticking.advance(now=now)
    chunk, attempt = decided(now)
    assert len(attempt.batch) == 1
    Message.objects.filter(dispatch=second).update(
        state=MessageState.SENDING, attempted_at=now - timedelta(minutes=1)
    )
    _counts, marked = settling.step(chunk=chunk, answer=None, attempt=attempt, now=now)
    assert marked == []
    assert Message.objects.get(dispatch=first).reason == "frequency_cap"


def test_marking_goes_on_with_those_whom_another_campaign_did_not_reach(actor, now):
    make_channel()
    people = make_people(3)
    FrequencyRule.objects.create(window_hours=24, max_count=1)
    make_launched(actor, now)
    second = make_launched(actor, now, slug="second")
    ticking.advance(now=now)
    chunk, attempt = decided(now)
    Message.objects.filter(dispatch=second, customer=people[0]).update(
        state=MessageState.SENT, attempted_at=now - timedelta(minutes=1)
    )
    _counts, marked = settling.step(chunk=chunk, answer=None, attempt=attempt, now=now)
    assert {item.recipient.customer_id for item in marked} == {people[1].pk, people[2].pk}


@pytest.mark.parametrize("loses", ["lease", "campaign"])
def test_nothing_is_marked_without_the_lease_or_when_the_campaign_stopped(actor, now, loses):
    make_channel()
    make_people(2)
    launched = make_launched(actor, now)
    ticking.advance(now=now)
    chunk, attempt = decided(now)
    if loses == "lease":
        Chunk.objects.update(claimed_by="another")
    else:
        ticking.pause_campaign(campaign=launched.campaign, actor=actor, now=now)
    _counts, marked = settling.step(chunk=chunk, answer=None, attempt=attempt, now=now)
    assert marked is None
    assert set(Message.objects.values_list("state", flat=True)) == {"planned"}


def test_a_message_that_moved_on_meanwhile_is_not_handed_over(actor, now):
    make_channel()
    people = make_people(2)
    make_launched(actor, now)
    ticking.advance(now=now)
    chunk, attempt = decided(now)
    Message.objects.filter(customer=people[0]).update(state=MessageState.CANCELLED)
    _counts, marked = settling.step(chunk=chunk, answer=None, attempt=attempt, now=now)
    assert [item.recipient.customer_id for item in marked] == [people[1].pk]


@pytest.mark.parametrize(
    ("audience", "knows_keys", "size"),
    [(40, False, 5), (4_000, False, 10), (1_000_000, False, 50), (40, True, 50)],
)
def test_a_small_audience_goes_out_in_small_steps_where_a_crash_leaves_doubt(
    actor, now, audience, knows_keys, size
):
    make_channel(options={"supports_idempotency": knows_keys})
    make_people(1)
    make_launched(actor, now)
    ticking.advance(now=now)
    work = work_of(chunks.claim(holder="w1", now=now), now)
    work.chunk.dispatch.audience_count = audience
    assert sub_batch_size(work) == size


def test_what_was_marked_before_the_campaign_stopped_still_goes_out(actor, now, monkeypatch):
    make_channel()
    people = make_people(2)
    make_launched(actor, now)
    ticking.advance(now=now)
    chunk, attempt = decided(now)
    Message.objects.filter(customer=people[0]).update(state=MessageState.CANCELLED)
    monkeypatch.setattr(chunks, "is_ours", lambda **_: False)
    _counts, marked = settling.step(chunk=chunk, answer=None, attempt=attempt, now=now)
    assert [item.recipient.customer_id for item in marked] == [people[1].pk]


class SlowProvider(MemoryChannel):
    """Answers a little later; notes how many messages were under way at each hand-over."""

    def __init__(self):
        super().__init__("slow", MemoryOptions(supports_idempotency=False))
        self.under_way = []

    def submit(self, batch):
        self.under_way.append(Message.objects.filter(state=MessageState.SENDING).count())
        later = Future()
        Timer(0.05, later.set_result, [self.send(batch)]).start()
        return later


@pytest.mark.parametrize(("attempts", "most"), [(1, 10), (chunks.CAREFUL_ATTEMPT, 1)])
def test_two_sub_batches_are_under_way_but_one_message_where_workers_died(
    actor, now, attempts, most
):
    make_channel(options={"supports_idempotency": False})
    # One sub-batch goes alone, until the provider has answered it.
    make_people(22)
    make_launched(actor, now)
    ticking.advance(now=now)
    chunk = chunks.claim(holder="w1", now=now)
    chunk.attempts = attempts
    provider = SlowProvider()
    work = replace(work_of(chunk, now), provider=provider)
    composed, _counts = decide_and_write(work, lane(now), ids=None, now=now)
    counts = HandOver(work, lane(now), now).run(composed)
    assert counts == {"sent": 22}
    assert max(provider.under_way) == most
