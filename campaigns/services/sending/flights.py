"""Handing messages over in sub-batches, one on its way while another is settled."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from campaigns.channels.base import SendResult
from campaigns.channels.errors import ChannelBlocked, ChannelError, ChannelMisconfigured
from campaigns.domain.sending.eligibility import outside_quiet_hours
from campaigns.domain.sending.states import HoldReason
from campaigns.services.sending import (
    breaker,
    chunks,
    holding,
    outcomes,
    settling,
    silence,
    throttling,
)
from campaigns.services.sending.composing import Composed
from campaigns.services.sending.lane import Lane, LeasedChunk
from campaigns.services.sending.outcomes import SubBatchResult
from campaigns.services.sending.settling import SendAttempt
from campaigns.services.sending.ways import failover
from loancrm.kernel.database.reconnecting import persist

SMALLEST_SUB_BATCH = 5
# With two sub-batches under way, a four-hundredth of the audience each.
UNKNOWN_SHARE = 400
# How often a wait for an answer looks at the lease and at a wish to stop.
LOOK_SECONDS = 0.5
# How long an answer that is in hand is tried to be stored.
PERSIST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Flight:
    """A sub-batch that a provider has and has not answered."""

    future: "Future[list[SendResult]]"
    batch: list[Composed]


class AnswerMissing(Exception):
    """The process was asked to stop and a provider has not answered in time."""


@dataclass
class HandOver:
    """One chunk's finished messages on their way out.

    Attributes:
        is_complete: False when messages that may go out were left for the next claim.
    """

    work: LeasedChunk
    lane: Lane
    decided_at: datetime
    is_complete: bool = True

    def __post_init__(self) -> None:
        """Begin with nothing under way."""
        self._waiting: deque[list[Composed]] = deque()
        self._under_way: deque[_Flight] = deque()
        self.counts: Counter[str] = Counter()

    def run(self, composed: Sequence[Composed]) -> Counter[str]:
        """Send as far as lease, rate limit, account and time allow.

        Raises:
            LeaseLost: Another worker has the chunk.
        """
        work = self.work
        size = 1 if work.is_careful else throttling.burst(work.channel, sub_batch_size(work))
        first = min(size, SMALLEST_SUB_BATCH) if work.channel.unanswered_in_a_row else size
        self._waiting = deque(
            [*_batches(composed[:first], first), *_batches(composed[first:], size)]
        )
        try:
            while self._waiting or self._under_way:
                self._advance(self._most_flights())
        finally:
            # Whatever ends the work, what a provider has answered is stored.
            while self._under_way:
                self._land(self._under_way.popleft(), attempt=False)
        return self.counts

    def _most_flights(self) -> int:
        """Return how many sub-batches may be under way: one until the provider has answered."""
        work = self.work
        is_answering = work.channel.pk in self.lane.answering
        return 1 if work.is_careful or not is_answering else work.provider.limits.flights

    def _advance(self, flights: int) -> None:
        # What has been answered is settled before a wait for the rate limit.
        is_answered = bool(self._under_way) and self._under_way[0].future.done()
        if self._waiting and len(self._under_way) < flights and not is_answered:
            self._step(None, self._next())
            return
        # One commit for what came back and what goes out next; a wait for the rate limit must not
        # hold it open.
        if self._under_way:
            self._land(self._under_way.popleft(), attempt=self.work.channel.rate_per_second is None)

    def _land(self, flight: _Flight, *, attempt: bool) -> None:
        """Wait for an answer and store it; mark the next sub-batch in the same commit."""
        try:
            results = self._wait(flight.future)
        except AnswerMissing:
            self._leave()
            return
        except ChannelError as error:
            refused = self._refused_people(flight.batch, error)
            if refused is None:
                self._give_back(flight.batch, error)
                return
            results = refused
        answer = self._judged(flight.batch, results)
        if answer.is_account_busy:
            self._leave()
        else:
            self.lane.answering.add(self.work.channel.pk)
        self._step(answer, self._next() if attempt and self._waiting else None)

    def _refused_people(
        self, batch: Sequence[Composed], error: ChannelError
    ) -> list[SendResult] | None:
        if not isinstance(error, ChannelBlocked):
            return None
        ids = [item.recipient.message_id for item in batch]
        return breaker.refused_one_by_one(message_ids=ids, error=error, channel=self.work.channel)

    def _judged(self, batch: Sequence[Composed], results: Sequence[SendResult]) -> SubBatchResult:
        """Keep what answers say about the account: its breaker, its pause."""
        work, now = self.work, self.lane.clock()
        tried = [
            breaker.Tried(item.recipient.attempts, item.recipient.waiting_since) for item in batch
        ]

        def store() -> tuple[Sequence[SendResult], bool]:
            found = breaker.judge(batch=tried, results=results, channel=work.channel, now=now)
            if found.blocked is not None:
                self._block(found.blocked)
                return found.results, True
            if silence.is_unclear(batch=batch, results=results):
                return found.results, self._without_answer()
            silence.forget_after(results=results, channel=work.channel)
            waits = [item.waiting_since for item in tried]
            is_busy = throttling.pause_after(
                channel=work.channel, results=found.results, waiting_since=waits, now=now
            )
            return found.results, is_busy

        judged, is_busy = persist(store, seconds=PERSIST_SECONDS)
        jitter = self.lane.rng.random()
        return SubBatchResult(batch, judged, jitter, work.can_resend, is_busy)

    def _without_answer(self) -> bool:
        """Pause the account, or block it where that did not help; nothing more goes out now."""
        self.lane.answering.discard(self.work.channel.pk)
        blocked = silence.note(channel=self.work.channel)
        if blocked is not None:
            self._block(blocked)
        return True

    def _block(self, error: ChannelBlocked) -> None:
        throttling.block(channel=self.work.channel, error=error)
        dispatch = self.work.chunk.dispatch
        if not failover.goes_on(dispatch=dispatch, now=self.lane.clock()):
            holding.hold(dispatch=dispatch, reason=HoldReason(error.code))

    def _next(self) -> SendAttempt | None:
        """Return the sub-batch that goes out next, or None with nothing left waiting."""
        if not self._may_go_on():
            self._leave()
            return None
        batch = self._waiting.popleft()
        wait = throttling.reserve(
            channel=self.work.channel, count=len(batch), is_turn=self.lane.has_turn
        )
        if wait is None:
            self._waiting.appendleft(batch)
            self._leave()
            return None
        self.lane.use_turn()
        if wait:
            time.sleep(wait)
        return SendAttempt(batch, self.work.plan, self.decided_at, self.work.channel.pk)

    def _may_go_on(self) -> bool:
        """Keep the leases; return whether there is time for another sub-batch."""
        lane, chunk = self.lane, self.work.chunk
        try:
            lane.renew(chunk)
        except chunks.LeaseLost:
            return False
        if lane.is_over():
            return False
        if lane.look() and not lane.has_turn:
            return not chunks.is_urgent_waiting(chunk=chunk, now=lane.clock())
        return True

    def _leave(self) -> None:
        """Leave what waits to the next claim."""
        self.is_complete = self.is_complete and not self._waiting
        self._waiting.clear()

    def _step(self, answer: SubBatchResult | None, attempt: SendAttempt | None) -> None:
        """Store an answer, mark the next sub-batch, and hand that over."""
        if answer is None and attempt is None:
            return
        now = self.lane.clock()
        if attempt is not None:
            attempt = self._within_hours(attempt, now)
        is_repeated = False

        def store() -> tuple[Counter[str], list[Composed] | None]:
            nonlocal is_repeated
            if is_repeated and attempt is not None:
                # Marked by a commit that was not told: not handed over, so it can go back.
                settling.put_back(chunk=self.work.chunk, batch=attempt.batch, due_at=now)
            is_repeated = True
            return settling.step(chunk=self.work.chunk, answer=answer, attempt=attempt, now=now)

        counts, marked = persist(store, seconds=PERSIST_SECONDS)
        self.counts += counts
        if marked is None:
            self.is_complete = False
            self._leave()
        if marked:
            future = self.work.provider.submit([item.outbound for item in marked])
            self._under_way.append(_Flight(future, marked))

    def _within_hours(self, attempt: SendAttempt, now: datetime) -> SendAttempt:
        """Put off whoever's quiet hours have begun since the decision."""
        # A person's zone is all that this gate looks at, and most share one.
        facts_of = {item.recipient.facts.zone: item.recipient.facts for item in attempt.batch}
        decisions = {
            zone: outside_quiet_hours(facts, attempt.plan, now) for zone, facts in facts_of.items()
        }
        late = [
            (item, decision)
            for item in attempt.batch
            if (decision := decisions[item.recipient.facts.zone])
        ]
        if not late:
            return attempt
        settling.close(
            [outcomes.put_off(item.recipient, decision) for item, decision in late],
            chunk=self.work.chunk,
            now=now,
        )
        put_off = {item.recipient.message_id for item, _decision in late}
        batch = [item for item in attempt.batch if item.recipient.message_id not in put_off]
        return replace(attempt, batch=batch)

    def _wait(self, future: "Future[list[SendResult]]") -> list[SendResult]:
        """Wait for a batch; keep the leases meanwhile."""
        while True:
            try:
                return future.result(timeout=LOOK_SECONDS)
            except NotYetError:
                if future.done():
                    raise
                if not self.lane.may_wait():
                    raise AnswerMissing from None
                self._renew_while_waiting()

    def _renew_while_waiting(self) -> None:
        """Renew the leases; without them the answer is still worth waiting for."""
        try:
            persist(lambda: self.lane.renew(self.work.chunk), seconds=chunks.LEASE_SECONDS)
        except chunks.LeaseLost:
            self._leave()

    def _give_back(self, batch: Sequence[Composed], error: ChannelError) -> None:
        """Return a batch of which nothing was handed over; leave the rest."""
        work, now = self.work, self.lane.clock()

        def store() -> None:
            if isinstance(error, ChannelBlocked):
                self._block(error)
            elif isinstance(error, ChannelMisconfigured):
                holding.hold(dispatch=work.chunk.dispatch, reason=HoldReason(error.code))
            else:
                throttling.pause_for(channel=work.channel, error=error)
            settling.put_back(chunk=work.chunk, batch=batch, due_at=now)

        persist(store, seconds=PERSIST_SECONDS)
        self.is_complete = False
        self._leave()


def sub_batch_size(work: LeasedChunk) -> int:
    """Return how many messages go out together.

    What is under way when a worker is killed becomes unknown unless the provider knows repeated
    keys, so a small audience goes out in small steps: about half a percent a worker.
    """
    limits = work.provider.limits
    if work.can_resend:
        return limits.batch_size
    share = work.chunk.dispatch.audience_count // UNKNOWN_SHARE
    return min(limits.batch_size, max(SMALLEST_SUB_BATCH, share))


def _batches(items: Iterable[Composed], size: int) -> Iterable[list[Composed]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
