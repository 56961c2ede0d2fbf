"""The short transaction between two calls of a provider: settle the last, mark the next."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from campaigns.channels.base import SendResult
from campaigns.domain.sending import frequency
from campaigns.domain.sending.eligibility import RULE_VERSION, MessagePlan, SkipReason
from campaigns.domain.sending.states import DispatchStatus, MessageState
from campaigns.models import Chunk, Message
from campaigns.selectors.filing import standing
from campaigns.selectors.sending import collection_facts, past_messages
from campaigns.selectors.sending.willing import limit_not_lowered, still_willing
from campaigns.services.evidence import message_texts
from campaigns.services.sending import addresses, chunks, composing
from campaigns.services.sending.composing import Composed
from campaigns.services.sending.outcomes import Closing, SubBatchResult, closing_of, not_sent
from customers.domain.consents.consent import Purpose
from loancrm.kernel.database import bulk, locks
from loancrm.kernel.database.bulk import Statement

# A report that comes much later blames what was written to, whatever the person has by then.
_MARKED = ("contact_point_id",)


@dataclass(frozen=True, slots=True)
class SendAttempt:
    """A sub-batch that goes out next.

    Attributes:
        decided_at: When the gates saw these people; only what was sent since is asked for.
        channel_id: Through which channel it goes; none for the dispatch's own.
    """

    batch: Sequence[Composed]
    plan: MessagePlan
    decided_at: datetime
    channel_id: int | None = None

    @property
    def has_caps(self) -> bool:
        """Return whether anybody in it could have had enough messages by now."""
        if self.plan.is_collection:
            return self.plan.max_tries is not None
        is_capped = self.plan.purpose is Purpose.MARKETING
        return is_capped and (bool(self.plan.caps) or self.has_own_limits)

    @property
    def has_own_limits(self) -> bool:
        """Return whether anybody in it chose a limit of their own."""
        return any(self.own_limit(item) is not None for item in self.batch)

    def own_limit(self, item: Composed) -> int | None:
        """Return the limit a week that a person chose, where it counts this message."""
        is_counted = self.plan.purpose is Purpose.MARKETING
        return item.recipient.facts.weekly_limit if is_counted else None


def step(
    *, chunk: Chunk, answer: SubBatchResult | None, attempt: SendAttempt | None, now: datetime
) -> tuple[Counter[str], list[Composed] | None]:
    """Store what came back and mark what goes out next, committed before the provider is called.

    The frequency caps are checked once more under a lock on each customer, so that two campaigns
    at the same moment cannot both pass; the loser's message is skipped here.

    Returns:
        How many messages went to each state; and the messages to hand over, None when the lease is
        lost or the campaign no longer runs.
    """
    closings = _closings(answer, now) if answer else []
    # Sealed before the locks are had.
    said = composing.sealed_texts(attempt.batch, now=now) if attempt else []
    with transaction.atomic(savepoint=False):
        settling = _settle_statements(chunk, closings, answer.results, now) if answer else []
        locking, marking = _mark_statements(chunk, attempt, now) if attempt else ([], [])
        found = bulk.run_all([*settling, *locking, *marking])
        passing: list[Composed] | None = []
        if attempt:
            marked = {key for keys in found[len(settling) + len(locking) :] for key in keys}
            passing = [item for item in attempt.batch if item.recipient.message_id in marked]
            if len(marked) < len(attempt.batch):
                passing = _mark_the_rest(chunk, attempt, passing, now)
            message_texts.write_texts(
                rows=said, going={i.recipient.message_id for i in passing or ()}
            )
        if answer:
            settled = {key for keys in found[: len(settling)] for key in keys}
            _settle_given_up(chunk, closings, answer.results, settled, now)
            _mark_refused(answer, closings, now)
    return Counter(closing.state.value for closing in closings), passing


def _settle_given_up(
    chunk: Chunk,
    closings: Sequence[Closing],
    results: Sequence[SendResult],
    settled: set[int],
    now: datetime,
) -> None:
    """Store answers about messages that another worker gave up, taking this one for dead."""
    ends = (MessageState.SENT, MessageState.FAILED)
    late = [
        (closing, result)
        for closing, result in zip(closings, results, strict=True)
        if closing.message_id not in settled and closing.state in ends
    ]
    if not late:
        return
    where: dict[str, Any] = {
        "state": MessageState.UNKNOWN.value,
        "reason": SkipReason.CRASHED.value,
    }
    where["mark"] = chunk.claim_count
    statements = _settle_statements(
        chunk, [pair[0] for pair in late], [pair[1] for pair in late], now, where=where
    )
    if any(bulk.run_all(statements)):
        chunks.settle_late(chunk=chunk)


def _closings(answer: SubBatchResult, now: datetime) -> list[Closing]:
    return [
        closing_of(item=item, result=result, answer=answer, now=now)
        for item, result in zip(answer.batch, answer.results, strict=True)
    ]


def _settle_statements(
    chunk: Chunk,
    closings: Sequence[Closing],
    results: Sequence[SendResult],
    now: datetime,
    *,
    where: Mapping[str, Any] | None = None,
) -> list[Statement]:
    alike: dict[Any, list[tuple[Closing, SendResult]]] = defaultdict(list)
    for closing, result in zip(closings, results, strict=True):
        alike[closing.ending].append((closing, result))
    # What this claim marked and nobody has moved on since; a receipt may have been faster.
    mine = where or {"state": MessageState.SENDING.value, "mark": chunk.claim_count}
    return [_ending_statement(pairs, mine, now) for pairs in alike.values()]


def _mark_statements(
    chunk: Chunk, attempt: SendAttempt, now: datetime
) -> tuple[list[Statement], list[Statement]]:
    """Return the locks to take and the updates that mark a sub-batch unless somebody else sends.

    The updates see what was committed before the locks were had.
    """
    condition = _may_go(chunk, attempt, now)
    locking = []
    if attempt.has_caps:
        ids = sorted(item.recipient.customer_id for item in attempt.batch)
        lock = locks.lock_statement(locks.Space.CUSTOMER_SENDS, ids)
        locking = [lock] if lock else []
        condition = _alone(condition, chunk, attempt)
    return locking, _marks(chunk, attempt, attempt.batch, condition, now)


def _may_go(chunk: Chunk, attempt: SendAttempt, now: datetime) -> Statement:
    """Return the condition of every mark: the chunk is ours, and nobody has said no meanwhile."""
    mine = chunks.ours(chunk)
    willing = still_willing(
        attempt.plan,
        now,
        point=bulk.value_of(_MARKED, "contact_point_id"),
        records=[record for item in attempt.batch for record in item.recipient.records],
    )
    condition = Statement(f"{mine.sql} AND {willing.sql}", [*mine.parameters, *willing.parameters])
    filings = [filing_id for item in attempt.batch for filing_id in item.filing_ids]
    if not filings:
        return condition
    good = standing.still_good(filings, now=now)
    return Statement(f"{condition.sql} AND {good.sql}", [*condition.parameters, *good.parameters])


def _marks(
    chunk: Chunk,
    attempt: SendAttempt,
    batch: Sequence[Composed],
    condition: Statement,
    now: datetime,
) -> list[Statement]:
    alike: dict[Any, list[tuple[int, int | None]]] = defaultdict(list)
    for item in batch:
        same = (item.recipient.attempts, item.content_id, item.parts, item.cost)
        alike[attempt.own_limit(item), *same].append(
            (item.recipient.message_id, item.recipient.contact_point_id)
        )
    return [
        bulk.update_statement(
            Message,
            key="id",
            columns=_MARKED,
            rows=rows,
            constants={
                "state": MessageState.SENDING.value,
                "attempted_at": now,
                "attempts": attempts + 1,
                "content": content_id,
                "parts": parts,
                "cost_amount": cost,
                "mark": chunk.claim_count,
                "channel": attempt.channel_id,
            },
            where={"state": MessageState.PLANNED.value},
            condition=_unlowered(condition, attempt.plan, limit),
        )
        for (limit, attempts, content_id, parts, cost), rows in alike.items()
    ]


def _unlowered(condition: Statement, plan: MessagePlan, limit: int | None) -> Statement:
    """Return the condition, and that people wish no fewer messages than when the gates saw them."""
    if plan.purpose is not Purpose.MARKETING:
        return condition
    limited = limit_not_lowered(limit)
    return Statement(
        f"{condition.sql} AND {limited.sql}", [*condition.parameters, *limited.parameters]
    )


def _alone(condition: Statement, chunk: Chunk, attempt: SendAttempt) -> Statement:
    """Return the condition, and that no other dispatch that caps count was at work since then."""
    return Statement(
        f"{condition.sql} AND NOT EXISTS (SELECT 1 FROM campaigns_dispatch WHERE id <> %s"  # noqa: S608
        " AND purpose = %s AND (status IN (%s, %s) OR completed_at >= %s))",
        [
            *condition.parameters,
            chunk.dispatch_id,
            attempt.plan.purpose.value,
            DispatchStatus.RUNNING.value,
            DispatchStatus.HELD.value,
            connection.ops.adapt_datetimefield_value(attempt.decided_at),
        ],
    )


def _mark_the_rest(
    chunk: Chunk, attempt: SendAttempt, marked: list[Composed], now: datetime
) -> list[Composed] | None:
    """Mark what could not be marked at once: look at who else sends, customer by customer."""
    if not chunks.is_ours(chunk=chunk):
        # What was marked while the chunk was ours has to go out: nobody else will take it up.
        return marked or None
    done = {item.recipient.message_id for item in marked}
    rest = [item for item in attempt.batch if item.recipient.message_id not in done]
    capped = _capped(rest, attempt, now=now)
    is_collection = attempt.plan.is_collection
    enough = SkipReason.COLLECTION_TRIES if is_collection else SkipReason.FREQUENCY_CAP
    close(
        [not_sent(item.recipient, enough) for item in rest if item.recipient.customer_id in capped],
        chunk=chunk,
        now=now,
    )
    passing = [item for item in rest if item.recipient.customer_id not in capped]
    for keys in bulk.run_all(_marks(chunk, attempt, passing, _may_go(chunk, attempt, now), now)):
        done.update(keys)
    return [item for item in attempt.batch if item.recipient.message_id in done]


def _mark_refused(answer: SubBatchResult, closings: Sequence[Closing], now: datetime) -> None:
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


def _ending_statement(
    pairs: Sequence[tuple[Closing, SendResult]], where: Mapping[str, Any], now: datetime
) -> Statement:
    """Return the update that stores one ending that several messages share."""
    ending = pairs[0][0]
    state = ending.state
    reason, due_at = ending.reason, ending.due_at
    constants: dict[str, Any] = {"state": state.value, "reason": reason, "due_at": due_at}
    if ending.waiting_since is not None:
        constants["waiting_since"] = ending.waiting_since
    if ending.attempts is not None:
        constants["attempts"] = ending.attempts
    if state is not MessageState.PLANNED:
        constants["closed_at"] = now
    if state is MessageState.SENT:
        constants["sent_at"] = now
    elif state is not MessageState.UNKNOWN and reason != SkipReason.ASKED_AGAIN:
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
        where=where,
    )


def put_back(*, chunk: Chunk, batch: Sequence[Composed], due_at: datetime) -> None:
    """Return messages that were certainly not handed over to the plan, without counting a try."""
    doubtful: dict[bool, list[Composed]] = defaultdict(list)
    for item in batch:
        doubtful[item.recipient.is_doubtful].append(item)
    for is_doubtful, items in doubtful.items():
        bulk.update_rows(
            Message,
            key="id",
            columns=("attempts", "cost_amount"),
            rows=[
                (
                    item.recipient.message_id,
                    item.recipient.attempts,
                    item.cost if is_doubtful else Decimal(0),
                )
                for item in items
            ],
            constants={"state": MessageState.PLANNED.value, "due_at": due_at},
            where={"state": MessageState.SENDING.value, "mark": chunk.claim_count},
        )


def close(closings: Sequence[Closing], *, chunk: Chunk, now: datetime) -> None:
    """Store decisions about messages that are not handed over now, while the chunk is ours."""
    if not closings:
        return
    statement = bulk.update_statement(
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
        condition=chunks.held(chunk),
    )
    with transaction.atomic():
        bulk.run_all([statement])


def _capped(batch: Sequence[Composed], attempt: SendAttempt, *, now: datetime) -> set[int]:
    """Return the customers who have had enough by now; needs the locks on them."""
    if not attempt.has_caps:
        return set()
    if attempt.plan.is_collection:
        return _tried_out(batch, attempt, now)
    limits = {
        item.recipient.customer_id: item.recipient.facts.weekly_limit
        for item in batch
        if attempt.plan.purpose is Purpose.MARKETING
    }
    past = past_messages.past_sends(
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


def _tried_out(batch: Sequence[Composed], attempt: SendAttempt, now: datetime) -> set[int]:
    """Return whom another dispatch has tried to collect from often enough meanwhile."""
    people = [item.recipient for item in batch]
    zones = {one.customer_id: one.facts.zone or attempt.plan.company_zone for one in people}
    most = attempt.plan.max_tries
    tries = collection_facts.tries_of(zones, now)
    return {person for person, count in tries.items() if most is not None and count >= most}
