"""Ending what a cancelled campaign left open: nobody will work its chunks again."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.domain.campaign import ChunkState, DispatchStatus, MessageState
from campaigns.domain.eligibility import Reason
from campaigns.models import Chunk, Message
from campaigns.services import chunks
from loancrm.kernel.database_clock import Moment

# Chunks that were being worked when the campaign ended, a run; each has a worker at most.
MOST_AT_ONCE = 100


def sweep(*, now: datetime) -> int:
    """Close what no living worker holds of cancelled dispatches; return how many chunks.

    A worker that is still under way settles its answers itself and gives its chunk back; what a
    dead one had marked is of unknown fate.
    """
    left = Chunk.objects.filter(
        ~Q(state=ChunkState.LEASED) | Q(lease_until__lt=Moment()),
        dispatch__status=DispatchStatus.CANCELLED,
    ).exclude(state=ChunkState.DONE)
    closed = _close_untouched(left)
    rows = left.select_related("dispatch__campaign").order_by("pk")
    for chunk in rows[:MOST_AT_ONCE]:
        closed += _close(chunk, now)
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


def _close(chunk: Chunk, now: datetime) -> int:
    with transaction.atomic():
        free = Q(state=ChunkState.READY) | Q(lease_until__lt=Moment())
        row = Chunk.objects.select_for_update().filter(free, pk=chunk.pk).first()
        if row is None:
            return 0
        rows = chunks.in_chunk(row)
        cancel_planned(rows, now=now)
        rows.filter(state=MessageState.SENDING).update(
            state=MessageState.UNKNOWN, reason=Reason.CRASHED, closed_at=now
        )
        Chunk.objects.filter(pk=row.pk).update(
            state=ChunkState.DONE, lease_until=None, claimed_by=""
        )
    chunks.settle_late(chunk=chunk)
    return 1


def cancel_planned(rows: QuerySet[Message], *, now: datetime) -> None:
    """Cancel planned messages; of those that were to be asked about again it is not known."""
    planned = rows.filter(state=MessageState.PLANNED)
    planned.filter(reason=Reason.ASKED_AGAIN).update(
        state=MessageState.UNKNOWN, reason=Reason.CRASHED, closed_at=now
    )
    planned.update(state=MessageState.CANCELLED, reason=Reason.CANCELLED, closed_at=now)
