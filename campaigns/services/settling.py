"""The short transaction between two calls of a provider: settle the last, mark the next."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from campaigns.channels.base import Outcome, SendResult
from campaigns.domain import frequency
from campaigns.domain.campaign import DispatchStatus, MessageState
from campaigns.domain.eligibility import RULE_VERSION, MessagePlan, Reason
from campaigns.models import Chunk, Message
from campaigns.selectors import contact_facts
from campaigns.services import addresses, chunks
from campaigns.services.composing import Composed
from customers.domain.consent import Purpose
from loancrm.kernel import bulk, locks
from loancrm.kernel.bulk import Statement

MAX_ATTEMPTS = 5
FIRST_RETRY_SECONDS = 20.0
LONGEST_RETRY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Closing:
    """What becomes of one message: its state, and when to try again where it stays open.

    Attributes:
        attempts: The tries to store where the provider said nothing about this message, so that the
            mark's is taken back; None leaves what was counted.
    """

    message_id: int
    state: MessageState
    reason: str
    due_at: datetime | None = None
    attempts: int | None = None

    @property
    def ending(self) -> tuple[str, str, datetime | None, int | None]:
        """Return what messages of the same fate share."""
        return self.state.value, self.reason, self.due_at, self.attempts


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said about a sub-batch.

    Attributes:
        jitter: Between 0 and 1; spreads retries so that they do not come back together.
    """

    batch: Sequence[Composed]
    results: Sequence[SendResult]
    jitter: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sub-batch that goes out next.

    Attributes:
        decided_at: When the gates saw these people; only what was sent since is asked for.
    """

    batch: Sequence[Composed]
    plan: MessagePlan
    decided_at: datetime

    @property
    def has_caps(self) -> bool:
        """Return whether anybody in it could have had enough messages."""
        return bool(self.plan.caps) or self.has_own_limits

    @property
    def has_own_limits(self) -> bool:
        """Return whether anybody in it chose a limit of their own."""
        return self.plan.purpose is Purpose.MARKETING and any(
            item.recipient.facts.weekly_limit is not None for item in self.batch
        )


def step(
    *, chunk: Chunk, answer: Answer | None, attempt: Attempt | None, now: datetime
) -> tuple[Counter[str], list[Composed] | None]:
    """Store what came back and mark what goes out next, committed before the provider is called.

    The frequency caps are checked once more under a lock on each customer, so that two campaigns
    at the same moment cannot both pass; the loser's message is skipped here.

    Returns:
        How many messages went to each state; and the messages to hand over, None when the lease is
        lost or the campaign no longer runs.
    """
    closings = _closings(answer, now) if answer else []
    with transaction.atomic(savepoint=False):
        settling = _settle_statements(closings, answer.results, now) if answer else []
        locking, marking = _mark_statements(chunk, attempt, now) if attempt else ([], [])
        found = bulk.run_all([*settling, *locking, *marking])
        passing: list[Composed] | None = []
        if attempt:
            marked = {key for keys in found[len(settling) + len(locking) :] for key in keys}
            passing = [item for item in attempt.batch if item.recipient.message_id in marked]
            if len(marked) < len(attempt.batch):
                passing = _mark_the_rest(chunk, attempt, passing, now)
        if answer:
            _mark_refused(answer, closings, now)
    return Counter(closing.state.value for closing in closings), passing


def _closings(answer: Answer, now: datetime) -> list[Closing]:
    return [
        _closing(item, result, answer.jitter, now)
        for item, result in zip(answer.batch, answer.results, strict=True)
    ]


def _settle_statements(
    closings: Sequence[Closing], results: Sequence[SendResult], now: datetime
) -> list[Statement]:
    alike: dict[Any, list[tuple[Closing, SendResult]]] = defaultdict(list)
    for closing, result in zip(closings, results, strict=True):
        alike[closing.ending].append((closing, result))
    return [_ending_statement(pairs, now) for pairs in alike.values()]


def _mark_statements(
    chunk: Chunk, attempt: Attempt, now: datetime
) -> tuple[list[Statement], list[Statement]]:
    """Return the locks to take and the updates that mark a sub-batch unless somebody else sends.

    The updates see what was committed before the locks were had.
    """
    condition = chunks.ours(chunk)
    locking = []
    if attempt.has_caps:
        ids = sorted(item.recipient.customer_id for item in attempt.batch)
        lock = locks.lock_statement(locks.Space.CUSTOMER_SENDS, ids)
        locking = [lock] if lock else []
        condition = _alone(condition, chunk, attempt.decided_at)
    return locking, _marks(attempt.batch, condition, now)


def _marks(batch: Sequence[Composed], condition: Statement, now: datetime) -> list[Statement]:
    alike: dict[Any, list[tuple[int, int | None]]] = defaultdict(list)
    for item in batch:
        alike[item.recipient.attempts, item.content_id, item.parts, item.cost].append(
            (item.recipient.message_id, item.recipient.contact_point_id)
        )
    return [
        bulk.update_statement(
            Message,
            key="id",
            # A report that comes much later blames what was written to, whatever the person has by
            # then.
            columns=("contact_point_id",),
            rows=rows,
            constants={
                "state": MessageState.SENDING.value,
                "attempted_at": now,
                "attempts": attempts + 1,
                "content": content_id,
                "parts": parts,
                "cost_amount": cost,
            },
            where={"state": MessageState.PLANNED.value},
            condition=condition,
        )
        for (attempts, content_id, parts, cost), rows in alike.items()
    ]


def _alone(condition: Statement, chunk: Chunk, since: datetime) -> Statement:
    """Return the condition, and that no other dispatch was at work since a time."""
    return Statement(
        f"{condition.sql} AND NOT EXISTS (SELECT 1 FROM campaigns_dispatch WHERE id <> %s"  # noqa: S608
        " AND (status IN (%s, %s) OR completed_at >= %s))",
        [
            *condition.parameters,
            chunk.dispatch_id,
            DispatchStatus.RUNNING.value,
            DispatchStatus.HELD.value,
            connection.ops.adapt_datetimefield_value(since),
        ],
    )


def _mark_the_rest(
    chunk: Chunk, attempt: Attempt, marked: list[Composed], now: datetime
) -> list[Composed] | None:
    """Mark what could not be marked at once: look at who else sends, customer by customer."""
    if not chunks.is_ours(chunk=chunk):
        # What was marked while the chunk was ours has to go out: nobody else will take it up.
        return marked or None
    done = {item.recipient.message_id for item in marked}
    rest = [item for item in attempt.batch if item.recipient.message_id not in done]
    capped = _capped(rest, attempt, now=now)
    close(
        [
            Closing(item.recipient.message_id, MessageState.SKIPPED, Reason.FREQUENCY_CAP)
            for item in rest
            if item.recipient.customer_id in capped
        ],
        now=now,
    )
    passing = [item for item in rest if item.recipient.customer_id not in capped]
    for keys in bulk.run_all(_marks(passing, chunks.ours(chunk), now)):
        done.update(keys)
    return [item for item in attempt.batch if item.recipient.message_id in done]


def _mark_refused(answer: Answer, closings: Sequence[Closing], now: datetime) -> None:
    """Take addresses that the provider says do not exist, or too often are full, out of use."""
    refused = [
        addresses.refusal(
            message_id=result.message_id,
            contact_point_id=item.recipient.contact_point_id,
            code=result.code,
            words=result.detail,
        )
        for item, result, closing in zip(answer.batch, answer.results, closings, strict=True)
        if closing.state is MessageState.FAILED
    ]
    if refused:
        addresses.mark_refused(refusals=refused, now=now)


def _ending_statement(pairs: Sequence[tuple[Closing, SendResult]], now: datetime) -> Statement:
    """Return the update that stores one ending that several messages share."""
    ending = pairs[0][0]
    state = ending.state
    constants: dict[str, Any] = {
        "state": state.value,
        "reason": ending.reason,
        "due_at": ending.due_at,
    }
    if ending.attempts is not None:
        constants["attempts"] = ending.attempts
    if state is not MessageState.PLANNED:
        constants["closed_at"] = now
    if state is MessageState.SENT:
        constants["sent_at"] = now
    elif state is not MessageState.UNKNOWN:
        constants["cost_amount"] = Decimal(0)
    has_ids = any(result.provider_message_id for _closing_, result in pairs)
    return bulk.update_statement(
        Message,
        key="id",
        columns=("provider_message_id",) if has_ids else (),
        rows=[
            (closing.message_id, result.provider_message_id) if has_ids else (closing.message_id,)
            for closing, result in pairs
        ],
        constants=constants,
        # A receipt that was faster than this settlement has already moved its message on.
        where={"state": MessageState.SENDING.value},
    )


def put_back(*, batch: Sequence[Composed], due_at: datetime) -> None:
    """Return messages that were certainly not handed over to the plan, without counting a try."""
    bulk.update_rows(
        Message,
        key="id",
        columns=("state", "due_at", "attempts", "cost_amount"),
        rows=[
            (
                item.recipient.message_id,
                MessageState.PLANNED.value,
                due_at,
                item.recipient.attempts,
                Decimal(0),
            )
            for item in batch
        ],
        where={"state": MessageState.SENDING.value},
    )


def close(closings: Sequence[Closing], *, now: datetime) -> None:
    """Store decisions about messages that are not handed over now."""
    bulk.update_rows(
        Message,
        key="id",
        columns=("state", "reason", "rule_version", "due_at", "closed_at"),
        rows=[
            (
                closing.message_id,
                closing.state.value,
                closing.reason,
                RULE_VERSION,
                closing.due_at,
                None if closing.state is MessageState.PLANNED else now,
            )
            for closing in closings
        ],
        where={"state": MessageState.PLANNED.value},
    )


def _capped(batch: Sequence[Composed], attempt: Attempt, *, now: datetime) -> set[int]:
    """Return the customers who have had enough by now; needs the locks on them."""
    if not attempt.has_caps:
        return set()
    limits = {
        item.recipient.customer_id: item.recipient.facts.weekly_limit
        for item in batch
        if attempt.plan.purpose is Purpose.MARKETING
    }
    past = contact_facts.past_sends(
        [item.recipient.customer_id for item in batch], attempt.plan, now, limits=limits.values()
    )
    return {
        customer_id
        for customer_id, sends in past.items()
        if frequency.exceeded(
            sends,
            frequency.caps_of(attempt.plan.caps, limits.get(customer_id)),
            channel=attempt.plan.channel,
            now=now,
        )
    }


def _closing(item: Composed, result: SendResult, jitter: float, now: datetime) -> Closing:
    message_id = item.recipient.message_id
    match result.outcome:
        case Outcome.ACCEPTED:
            return Closing(message_id, MessageState.SENT, "")
        case Outcome.REJECTED:
            return Closing(message_id, MessageState.FAILED, Reason.CHANNEL_REFUSED)
        case Outcome.NOT_TAKEN:
            tries = item.recipient.attempts
            return Closing(message_id, MessageState.PLANNED, result.code[:40], now, attempts=tries)
        case Outcome.UNKNOWN:
            return Closing(message_id, MessageState.UNKNOWN, result.code[:40])
        case Outcome.RETRY:
            return _put_off(item, result, jitter, now)


def _put_off(item: Composed, result: SendResult, jitter: float, now: datetime) -> Closing:
    message_id, attempts = item.recipient.message_id, item.recipient.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        if result.may_be_taken:
            return Closing(message_id, MessageState.UNKNOWN, result.code[:40])
        return Closing(message_id, MessageState.FAILED, Reason.RETRIES_EXHAUSTED)
    wait = result.retry_after_seconds or retry_seconds(attempts, jitter)
    return Closing(
        message_id, MessageState.PLANNED, result.code[:40], now + timedelta(seconds=wait)
    )


def retry_seconds(attempts: int, jitter: float) -> float:
    """Return how long to wait before the next try: doubling, with up to half of it as jitter."""
    wait = min(FIRST_RETRY_SECONDS * 2.0 ** (attempts - 1), LONGEST_RETRY_SECONDS)
    return float(wait * (0.75 + jitter / 2))
