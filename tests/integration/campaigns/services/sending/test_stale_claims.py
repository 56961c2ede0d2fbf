"""A worker whose chunk is another's meanwhile: each of its writes is refused by itself."""

import random
from decimal import Decimal

import pytest

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.models import Budget, Chunk, Message
from campaigns.services.campaigns import ticking
from campaigns.services.sending import chunks, deciding, dispatch, settling
from campaigns.services.sending.lane import Lane
from campaigns.services.sending.outcomes import SubBatchResult, not_sent
from tests.factories.campaigns import expire_leases, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def decided(actor, now):
    """Four people whom a worker has decided about, with a budget, and nobody marked yet."""
    make_channel()
    make_people(4)
    make_launched(actor, now, cost_per_message="1.00", budget_amount="10.00")
    ticking.advance(now=now)
    own = Lane(holder="stalled", clock=lambda: now, rng=random.Random(1))
    own.renewed_at = 10.0**9
    chunk = chunks.claim(holder="stalled", now=now)
    work = dispatch._prepare(chunk, own)
    composed, _counts = deciding.decide_and_write(work, own, ids=None, now=now)
    assert len(composed) == 4
    return work, composed


def mark(work, chunk, composed, now):
    attempt = settling.SendAttempt(composed, work.plan, now)
    return settling.step(chunk=chunk, answer=None, attempt=attempt, now=now)[1]


def answer(chunk, item, outcome, now):
    result = SendResult(item.recipient.message_id, outcome, code="5.1.1")
    settling.step(chunk=chunk, answer=SubBatchResult([item], [result], 0.5), attempt=None, now=now)


def claimed_by_another(now):
    expire_leases()
    return chunks.claim(holder="other", now=now)


def states():
    return set(Message.objects.values_list("state", flat=True))


def test_a4_a_worker_that_lost_its_chunk_marks_nobody(decided, now):
    work, composed = decided
    other = claimed_by_another(now)
    assert mark(work, work.chunk, composed, now) is None
    assert states() == {"planned"}
    assert len(mark(work, other, composed, now)) == 4


def test_a4_a_worker_that_lost_its_chunk_skips_nobody(decided, now):
    work, composed = decided
    other = claimed_by_another(now)
    skipped = [not_sent(item.recipient, SkipReason.FREQUENCY_CAP) for item in composed]
    settling.close(skipped, chunk=work.chunk, now=now)
    assert states() == {"planned"}
    settling.close(skipped, chunk=other, now=now)
    assert states() == {"skipped"}


@pytest.mark.parametrize("outcome", [SendOutcome.ACCEPTED, SendOutcome.REJECTED])
def test_a4_an_answer_to_a_mark_before_says_nothing_about_the_mark_after(decided, now, outcome):
    work, composed = decided
    first = composed[:1]
    assert mark(work, work.chunk, first, now) == first
    other = claimed_by_another(now)
    assert chunks.recover(chunk=other, can_resend=True, now=now) == 1
    assert mark(work, other, first, now) == first
    answer(work.chunk, first[0], outcome, now)
    asked_again = Message.objects.get(pk=first[0].recipient.message_id)
    assert (asked_again.state, asked_again.mark) == ("sending", other.claim_count)
    answer(other, first[0], outcome, now)
    asked_again.refresh_from_db()
    assert asked_again.state == ("sent" if outcome is SendOutcome.ACCEPTED else "failed")


def test_a4_a_late_answer_frees_no_money_that_another_worker_has_reserved(decided, now):
    work, composed = decided
    first, rest = composed[0], composed[1:]
    assert mark(work, work.chunk, [first], now) == [first]
    other = claimed_by_another(now)
    assert chunks.recover(chunk=other, can_resend=False, now=now) == 1
    chunks.settle_budget(chunk=other)
    assert chunks.reserve_budget(chunk=other, costs=[Decimal(1)] * len(rest)) == len(rest)
    answer(work.chunk, first, SendOutcome.ACCEPTED, now)
    assert Message.objects.get(pk=first.recipient.message_id).state == "sent"
    assert Budget.objects.get().committed_amount == Decimal(4)
    assert Chunk.objects.get().reserved_amount == Decimal(4)


def test_a4_an_answer_to_a_mark_before_settles_no_unknown_fate_of_a_mark_after(decided, now):
    work, composed = decided
    first = composed[:1]
    assert mark(work, work.chunk, first, now) == first
    second = claimed_by_another(now)
    assert chunks.recover(chunk=second, can_resend=True, now=now) == 1
    assert mark(work, second, first, now) == first
    third = claimed_by_another(now)
    assert chunks.recover(chunk=third, can_resend=False, now=now) == 1
    # Refused when it was asked first; the second time the provider may have taken it.
    answer(work.chunk, first[0], SendOutcome.REJECTED, now)
    lost = Message.objects.get(pk=first[0].recipient.message_id)
    assert (lost.state, lost.reason) == ("unknown", "crashed")
    answer(second, first[0], SendOutcome.ACCEPTED, now)
    lost.refresh_from_db()
    assert lost.state == "sent"
