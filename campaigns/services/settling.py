"""The two short transactions around every call of a provider: mark before, settle after."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection, transaction

from campaigns.channels.base import Outcome, SendResult
from campaigns.domain import frequency
from campaigns.domain.campaign import DispatchStatus, MessageState
from campaigns.domain.eligibility import RULE_VERSION, MessagePlan, Reason
from campaigns.models import Chunk, LedgerEntry, Message
from campaigns.selectors import contact_facts
from campaigns.services import addresses, chunks
from campaigns.services.composing import Composed
from customers.domain.consent import Purpose
from loancrm.kernel import bulk, locks

MAX_ATTEMPTS = 5
FIRST_RETRY_SECONDS = 20.0
LONGEST_RETRY_SECONDS = 3600.0
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Closing:
    """What becomes of one message: its state, and when to try again where it stays open."""

    message_id: int
    state: MessageState
    reason: str
    due_at: datetime | None = None

    @property
    def ending(self) -> tuple[str, str, datetime | None]:
        """Return what messages of the same fate share."""
        return self.state.value, self.reason, self.due_at


def mark(
    *,
    chunk: Chunk,
    batch: Sequence[Composed],
    plan: MessagePlan,
    decided_at: datetime,
    now: datetime,
) -> list[Composed] | None:
    """Mark messages as attempted, committed before the provider is called.

    The frequency caps are checked once more under a lock on each customer, so that two campaigns
    at the same moment cannot both pass; the loser's message is skipped here.

    Args:
        decided_at: When the gates saw these people; only what was sent since is asked for.

    Returns:
        The messages to hand over; None when the lease is lost or the campaign no longer runs.
    """
    with transaction.atomic(savepoint=False):
        if not chunks.renew(chunk=chunk, now=now):
            return None
        capped = _capped(chunk, batch, plan, decided_at=decided_at, now=now)
        close(
            [
                Closing(item.recipient.message_id, MessageState.SKIPPED, Reason.FREQUENCY_CAP)
                for item in batch
                if item.recipient.customer_id in capped
            ],
            now=now,
        )
        passing = [item for item in batch if item.recipient.customer_id not in capped]
        marked: set[int] = set()
        alike = groupby(sorted(passing, key=_marking), key=_marking)
        for (attempts, content_id, parts, cost), items in alike:
            marked.update(
                bulk.update_rows(
                    Message,
                    key="id",
                    columns=(),
                    rows=[(item.recipient.message_id,) for item in items],
                    constants={
                        "state": MessageState.SENDING.value,
                        "attempted_at": now,
                        "attempts": attempts + 1,
                        "content": content_id,
                        "parts": parts,
                        "cost_amount": cost,
                    },
                    where={"state": MessageState.PLANNED.value},
                )
            )
    return [item for item in passing if item.recipient.message_id in marked]


def settle(
    *,
    chunk: Chunk,
    batch: Sequence[Composed],
    results: Sequence[SendResult],
    jitter: float,
    now: datetime,
) -> Counter[str]:
    """Store what the provider said.

    Args:
        jitter: Between 0 and 1; spreads retries so that they do not come back together.
    """
    closings = [
        _closing(item, result, jitter, now) for item, result in zip(batch, results, strict=True)
    ]
    settled = sorted(zip(closings, results, strict=True), key=lambda pair: str(pair[0].ending))
    with transaction.atomic(savepoint=False):
        for (state, reason, due_at), pairs in groupby(settled, key=lambda pair: pair[0].ending):
            _store(MessageState(state), reason, due_at, list(pairs), now)
        _mark_refused(chunk, batch, results)
    return Counter(closing.state.value for closing in closings)


def _mark_refused(chunk: Chunk, batch: Sequence[Composed], results: Sequence[SendResult]) -> None:
    """Take addresses that the provider says do not exist out of use."""
    codes = {
        item.recipient.customer_id: result.code
        for item, result in zip(batch, results, strict=True)
        if result.outcome is Outcome.REJECTED
    }
    if codes:
        addresses.mark_refused(channel_kind=chunk.dispatch.channel_kind, codes=codes)


def _marking(item: Composed) -> tuple[int, int, int, Decimal]:
    return item.recipient.attempts, item.content_id, item.parts, item.cost


def _store(
    state: MessageState,
    reason: str,
    due_at: datetime | None,
    pairs: Sequence[tuple[Closing, SendResult]],
    now: datetime,
) -> None:
    """Write one ending that several messages share."""
    constants: dict[str, Any] = {"state": state.value, "reason": reason, "due_at": due_at}
    if state is not MessageState.PLANNED:
        constants["closed_at"] = now
    if state is MessageState.SENT:
        constants["sent_at"] = now
    elif state is not MessageState.UNKNOWN:
        constants["cost_amount"] = Decimal(0)
    has_ids = any(result.provider_message_id for _closing_, result in pairs)
    bulk.update_rows(
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


def entry_hash(previous: str, entry: LedgerEntry) -> str:
    """Return the hash that chains a ledger entry to the one before it."""
    body = json.dumps(
        [
            previous,
            entry.dispatch_id,
            entry.chunk_id,
            entry.sequence,
            entry.counts,
            f"{entry.cost_amount:.4f}",
            entry.content_hash,
        ],
        sort_keys=True,
    )
    return hashlib.sha256(body.encode()).hexdigest()


def first_broken_entry(dispatch_id: int) -> int | None:
    """Return the id of the first ledger entry that was changed or is missing its predecessor."""
    previous_of: dict[int, tuple[int, str]] = {}
    for entry in LedgerEntry.objects.filter(dispatch_id=dispatch_id).order_by("chunk", "sequence"):
        sequence, previous = previous_of.get(entry.chunk_id, (0, GENESIS))
        if (
            entry.sequence != sequence + 1
            or entry.previous_hash != previous
            or entry.entry_hash != entry_hash(previous, entry)
        ):
            return entry.pk
        previous_of[entry.chunk_id] = (entry.sequence, entry.entry_hash)
    return None


def _capped(
    chunk: Chunk,
    batch: Sequence[Composed],
    plan: MessagePlan,
    *,
    decided_at: datetime,
    now: datetime,
) -> set[int]:
    limits = {
        item.recipient.customer_id: item.recipient.facts.weekly_limit
        for item in batch
        if plan.purpose is Purpose.MARKETING
    }
    has_own_limits = any(limit is not None for limit in limits.values())
    ids = sorted(item.recipient.customer_id for item in batch)
    if not ids or not (plan.caps or has_own_limits):
        return set()
    locks.lock_ids(locks.Space.CUSTOMER_SENDS, ids)
    if not _others_may_have_sent(chunk.dispatch_id, decided_at):
        return set()
    past = contact_facts.past_sends(ids, plan, now, has_own_limits=has_own_limits)
    return {
        customer_id
        for customer_id, sends in past.items()
        if frequency.exceeded(
            sends,
            frequency.caps_of(plan.caps, limits.get(customer_id)),
            channel=plan.channel,
            now=now,
        )
    }


def _others_may_have_sent(dispatch_id: int, since: datetime) -> bool:
    """Return whether any other dispatch was at work since a time; reads a few rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM campaigns_dispatch WHERE id <> %s"
            " AND (status IN (%s, %s) OR completed_at >= %s) LIMIT 1",
            [
                dispatch_id,
                DispatchStatus.RUNNING.value,
                DispatchStatus.HELD.value,
                connection.ops.adapt_datetimefield_value(since),
            ],
        )
        return cursor.fetchone() is not None


def _closing(item: Composed, result: SendResult, jitter: float, now: datetime) -> Closing:
    message_id = item.recipient.message_id
    match result.outcome:
        case Outcome.ACCEPTED:
            return Closing(message_id, MessageState.SENT, "")
        case Outcome.REJECTED:
            return Closing(message_id, MessageState.FAILED, Reason.CHANNEL_REFUSED)
        case Outcome.UNKNOWN:
            return Closing(message_id, MessageState.UNKNOWN, result.code[:40])
        case Outcome.RETRY:
            attempts = item.recipient.attempts + 1
            if attempts >= MAX_ATTEMPTS:
                return Closing(message_id, MessageState.FAILED, Reason.RETRIES_EXHAUSTED)
            wait = result.retry_after_seconds or retry_seconds(attempts, jitter)
            return Closing(
                message_id,
                MessageState.PLANNED,
                result.code[:40],
                now + timedelta(seconds=wait),
            )


def retry_seconds(attempts: int, jitter: float) -> float:
    """Return how long to wait before the next try: doubling, with up to half of it as jitter."""
    wait = min(FIRST_RETRY_SECONDS * 2.0 ** (attempts - 1), LONGEST_RETRY_SECONDS)
    return float(wait * (0.75 + jitter / 2))


def append_entry(*, chunk: Chunk, now: datetime) -> LedgerEntry:
    """Add what a working session left of its chunk to the dispatch's ledger."""
    rows = list(
        chunks.in_chunk(chunk)
        .filter(closed_at__isnull=False)
        .order_by("pk")
        .values_list("pk", "state", "cost_amount")
    )
    sequence, previous = (
        LedgerEntry.objects.filter(chunk=chunk)
        .order_by("-sequence")
        .values_list("sequence", "entry_hash")
        .first()
    ) or (0, GENESIS)
    lines = "\n".join(f"{message_id} {state}" for message_id, state, _cost in rows)
    entry = LedgerEntry(
        dispatch_id=chunk.dispatch_id,
        chunk=chunk,
        sequence=sequence + 1,
        at=now,
        counts=dict(Counter(state for _id, state, _cost in rows)),
        cost_amount=sum((cost for _id, _state, cost in rows), Decimal(0)),
        content_hash=hashlib.sha256(lines.encode()).hexdigest(),
        previous_hash=previous,
    )
    entry.entry_hash = entry_hash(previous, entry)
    entry.save(force_insert=True)
    return entry
