"""Ending what dead workers left open where nobody claims their chunks: cancelled, or at a stop."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import ChunkState, DispatchStatus, MessageState
from campaigns.models import Chunk, Message
from campaigns.services.sending import chunks
from campaigns.services.sending.ways import failover
from loancrm.kernel.database.shared_clock import Moment

OPEN_DISPATCHES = (DispatchStatus.SCHEDULED, DispatchStatus.RUNNING, DispatchStatus.HELD)
Ending = Callable[[QuerySet[Message], datetime], None]
# Chunks that were being worked when the campaign ended, a run; each has a worker at most.
MOST_AT_ONCE = 100
# Past its lease; by then a worker would have claimed what can be claimed.
UNCLAIMED_SECONDS = 20.0


def sweep(*, now: datetime) -> int:
    """Close what no living worker holds; return how many chunks.

    A worker that is still under way settles its answers itself and gives its chunk back; what a
    dead one had marked is of unknown fate. Of cancelled dispatches and of those past their end
    everything is closed; where a dispatch is paused or held or a provider's account shut, what was
    on its way.
    """
    cancelled = Q(dispatch__status=DispatchStatus.CANCELLED)
    expired = ended("dispatch__")
    return (
        _sweep_over(cancelled, cancel_planned, now)
        + _sweep_over(expired, _expire_planned, now)
        + _sweep_standing(now)
    )


def ended(prefix: str = "") -> Q:
    """Return the condition that a dispatch is past its end, by the database's clock.

    One that a person paused waits for that person, who may give it another end.

    Args:
        prefix: The way to the dispatch from the rows that are asked for.
    """
    return Q(
        **{
            f"{prefix}ends_at__lte": Moment(),
            f"{prefix}is_paused": False,
            f"{prefix}status__in": OPEN_DISPATCHES,
        }
    )


def _sweep_standing(now: datetime) -> int:
    """Recover the chunks of dead workers that nobody may claim, so that no message stays open."""
    left = (
        Chunk.objects.filter(state=ChunkState.LEASED, lease_until__lt=Moment(-UNCLAIMED_SECONDS))
        .exclude(dispatch__status=DispatchStatus.CANCELLED)
        .select_related("dispatch__channel")
        .order_by("pk")
    )
    return sum(
        chunks.recover_unclaimed(chunk=chunk, can_resend=failover.knows_keys(chunk), now=now)
        for chunk in left[:MOST_AT_ONCE]
    )


def _sweep_over(over: Q, end: Ending, now: datetime) -> int:
    """Close the chunks of dispatches that are over; `end` says what becomes of planned messages."""
    left = Chunk.objects.filter(
        ~Q(state=ChunkState.LEASED) | Q(lease_until__lt=Moment()), over
    ).exclude(state=ChunkState.DONE)
    if not left.exists():
        return 0
    closed = _close_untouched(left)
    rows = left.select_related("dispatch").order_by("pk")
    for chunk in rows[:MOST_AT_ONCE]:
        closed += _close(chunk, end, now)
    return closed


def _close_untouched(left: QuerySet[Chunk]) -> int:
    is_open = Message.objects.filter(
        dispatch=OuterRef("dispatch"),
        pk__gte=OuterRef("first_message_id"),
        pk__lte=OuterRef("last_message_id"),
        state__in=[MessageState.PLANNED, MessageState.SENDING],
    )
    untouched = left.filter(~Exists(is_open), reserved_amount=0).values("pk")
    return int(
        Chunk.objects.filter(pk__in=untouched).update(
            state=ChunkState.DONE, lease_until=None, claimed_by=""
        )
    )


def _close(chunk: Chunk, end: Ending, now: datetime) -> int:
    with transaction.atomic():
        free = Q(state=ChunkState.READY) | Q(lease_until__lt=Moment())
        row = Chunk.objects.select_for_update().filter(free, pk=chunk.pk).first()
        if row is None:
            return 0
        rows = chunks.in_chunk(row)
        end(rows, now)
        rows.filter(state=MessageState.SENDING).update(
            state=MessageState.UNKNOWN, reason=SkipReason.CRASHED, closed_at=now
        )
        Chunk.objects.filter(pk=row.pk).update(
            state=ChunkState.DONE, lease_until=None, claimed_by=""
        )
        # In the same commit: nobody looks at a chunk again that is done.
        chunks.settle_late(chunk=chunk)
    return 1


def cancel_planned(rows: QuerySet[Message], now: datetime) -> None:
    """Cancel planned messages; of those that were to be asked about again it is not known."""
    _end_planned(rows, MessageState.CANCELLED, SkipReason.CANCELLED, now)


def _expire_planned(rows: QuerySet[Message], now: datetime) -> None:
    """Skip planned messages whose end has come."""
    _end_planned(rows, MessageState.SKIPPED, SkipReason.EXPIRED, now)


def _end_planned(
    rows: QuerySet[Message], state: MessageState, reason: SkipReason, now: datetime
) -> None:
    planned = rows.filter(state=MessageState.PLANNED)
    planned.filter(reason=SkipReason.ASKED_AGAIN).update(
        state=MessageState.UNKNOWN, reason=SkipReason.CRASHED, closed_at=now
    )
    planned.update(state=state, reason=reason, closed_at=now)
