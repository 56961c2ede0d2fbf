"""Chunks: leased by one worker at a time, given back by time when the worker dies.

Whatever a worker writes about its chunk holds only while the claim is still its own: one that was
stalled past its lease finds the chunk another's and leaves it alone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from campaigns.domain.sending import budgeting
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import (
    OPEN_STATES,
    ChunkState,
    DispatchStatus,
    MessageState,
    Priority,
)
from campaigns.models import Budget, Chunk, Message
from campaigns.services.sending import throttling
from campaigns.services.sending.spending import volumes
from campaigns.services.sending.ways import failover
from loancrm.kernel.auditing import deployment
from loancrm.kernel.database import bulk
from loancrm.kernel.database.bulk import Statement
from loancrm.kernel.database.shared_clock import Moment, moment_sql
from loancrm.kernel.errors import LoanCrmError

# Renewed every few seconds, also while deciding and while waiting for a slow provider, so it only
# has to outlive the longest pause between two renewals. A killed worker's chunk is free again after
# this long; each loss in a row doubles it, so that a slow database cannot lose it for ever.
LEASE_SECONDS = 10
MOST_DOUBLINGS = 2
# What is due for longer than this rises: a worker gives the oldest of it one turn of about a second
# in so many, and an account with a rate limit so many of its slots, however much is more urgent.
# A tenth is enough to be never at a standstill, and an urgent message waits a second more at most.
AGED_SECONDS = 10.0
# From this attempt on a chunk is worked one message at a time, so that the one that kills its
# worker is found and set aside.
CAREFUL_ATTEMPT = 3
_BY_AGE = ("due_at", "dispatch_id", "number")
# Part of every mark. Two look-ups by key instead of a join: planning the join took longer than
# marking twenty rows.
_OURS = """(SELECT claimed_by = %s AND state = %s FROM campaigns_chunk WHERE id = %s)
    AND (SELECT status = %s AND NOT is_paused AND revision = %s
        AND (ends_at IS NULL OR ends_at > {moment}) FROM campaigns_dispatch WHERE id = %s)
    AND """
_HELD = "(SELECT claimed_by = %s AND state = %s FROM campaigns_chunk WHERE id = %s)"


class LeaseLost(LoanCrmError):
    """Another worker has the chunk."""

    code = "lease_lost"

    def __init__(self, chunk: Chunk) -> None:
        """Keep which."""
        super().__init__(_("Another worker has taken over this part."), chunk=chunk.pk)


def claimable(*, now: datetime, slot_seconds: float) -> QuerySet[Chunk]:
    """Return the chunks that a worker could take.

    Args:
        slot_seconds: A channel counts whose rate limit leaves room within so many seconds.
    """
    is_due = Q(state=ChunkState.READY, due_at__lte=now) | Q(
        state=ChunkState.LEASED, lease_until__lt=Moment()
    )
    return Chunk.objects.filter(
        is_due,
        failover.can_send("dispatch__channel__", now=now, slot_seconds=slot_seconds),
        Q(dispatch__ends_at__isnull=True) | Q(dispatch__ends_at__gt=Moment()),
        dispatch__status=DispatchStatus.RUNNING,
        dispatch__is_paused=False,
    )


def claim(*, holder: str, now: datetime) -> Chunk | None:
    """Lease the next due chunk: by priority, then by due time; None without any."""
    rows = claimable(now=now, slot_seconds=throttling.SHORT_WAIT_SECONDS)
    return _lease(rows.order_by("dispatch__priority", *_BY_AGE), holder)


def claim_aged(*, holder: str, now: datetime) -> Chunk | None:
    """Lease the chunk that is due for longest, whatever its priority; None where none is aged.

    An account whose slots went to such a one a moment ago owes it no other.
    """
    rows = claimable(now=now, slot_seconds=throttling.SHORT_WAIT_SECONDS).filter(
        throttling.owes_turn("dispatch__channel__", seconds=AGED_SECONDS),
        due_at__lte=now - timedelta(seconds=AGED_SECONDS),
    )
    return _lease(rows.order_by(*_BY_AGE), holder)


def _lease(rows: QuerySet[Chunk], holder: str) -> Chunk | None:
    with transaction.atomic():
        chunk = (
            rows.select_for_update(skip_locked=True, of=("self",))
            .select_related("dispatch__channel", "dispatch__touchpoint")
            .first()
        )
        if chunk is None:
            return None
        # Nothing is sent before a mark, which waits for the disk, and for this with it: a crash of
        # the database that loses the claim has lost nothing else.
        bulk.commit_lazily()
        chunk.state = ChunkState.LEASED
        chunk.claim_count += 1
        chunk.claimed_by = f"{holder}/{chunk.claim_count}"
        chunk.attempts += 1
        Chunk.objects.filter(pk=chunk.pk).update(
            state=chunk.state,
            claimed_by=chunk.claimed_by,
            claim_count=chunk.claim_count,
            attempts=chunk.attempts,
            lease_until=Moment(lease_seconds(chunk)),
        )
    return chunk


def lease_seconds(chunk: Chunk) -> float:
    """Return how long a claim holds without being renewed."""
    doublings = min(max(chunk.attempts - 1, 0), MOST_DOUBLINGS)
    return float(LEASE_SECONDS * 2**doublings)


def is_urgent_waiting(*, chunk: Chunk, now: datetime) -> bool:
    """Return whether something that goes before a chunk waits for a worker."""
    if chunk.dispatch.priority <= Priority.URGENT:
        return False
    waiting = claimable(now=now, slot_seconds=throttling.SHORT_WAIT_SECONDS)
    return waiting.filter(dispatch__priority__lt=chunk.dispatch.priority).exists()


def ours(chunk: Chunk) -> Statement:
    """Return the condition, in SQL, that this worker holds the chunk and its dispatch runs.

    That it has not ended, by the database's clock, and that its plan is the one that the chunk was
    claimed under. And that the deployment may send: a machine that slept for weeks wakes up in the
    middle of a chunk.
    """
    may_send = deployment.awake()
    moment, at = moment_sql()
    return Statement(
        f"{_OURS.replace('{moment}', moment)}{may_send.sql}",
        [
            *held(chunk).parameters,
            DispatchStatus.RUNNING.value,
            chunk.dispatch.revision,
            *at,
            chunk.dispatch_id,
            *may_send.parameters,
        ],
    )


def held(chunk: Chunk) -> Statement:
    """Return the condition, in SQL, that this worker holds the chunk."""
    return Statement(_HELD, [chunk.claimed_by, ChunkState.LEASED.value, chunk.pk])


def is_ours(*, chunk: Chunk) -> bool:
    """Return whether this worker holds the chunk, its dispatch runs and sending is confirmed."""
    condition = ours(chunk)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 WHERE {condition.sql}", condition.parameters)
        return cursor.fetchone() is not None


def _mine(chunk: Chunk) -> QuerySet[Chunk]:
    return Chunk.objects.filter(pk=chunk.pk, claimed_by=chunk.claimed_by, state=ChunkState.LEASED)


def renew(*, chunk: Chunk) -> bool:
    """Extend the lease, also while the dispatch is paused; False when it was lost."""
    return bool(_mine(chunk).update(lease_until=Moment(lease_seconds(chunk))))


def lock(*, chunk: Chunk) -> Chunk:
    """Return the chunk's row, locked until the end of the caller's transaction.

    Raises:
        LeaseLost: Another worker has it.
    """
    row = _mine(chunk).select_for_update().first()
    if row is None:
        raise LeaseLost(chunk)
    return row


def put_down(*, chunk: Chunk) -> None:
    """Note that no single message is in hand any more.

    Raises:
        LeaseLost: Another worker has the chunk.
    """
    if not _mine(chunk).update(in_hand_message_id=None):
        raise LeaseLost(chunk)


def recover(*, chunk: Chunk, can_resend: bool, now: datetime) -> int:
    """Decide about messages that a worker before had marked and not settled.

    Args:
        can_resend: The provider of the dispatch's own channel refuses a repeated idempotency key,
            so sending again is safe. What another channel had is never sent again.

    Returns:
        How many messages were left over.
    """
    if chunk.claim_count == 1:
        return 0
    own_id = chunk.dispatch.channel_id
    with transaction.atomic():
        lock(chunk=chunk)
        left_over = in_chunk(chunk).filter(state=MessageState.SENDING, mark__lt=chunk.claim_count)
        return _give_up(left_over, own_id, can_resend=can_resend, now=now)


def recover_unclaimed(*, chunk: Chunk, can_resend: bool, now: datetime) -> bool:
    """Decide as `recover` about a dead worker's messages, and free the chunk for who comes later.

    For chunks that nobody may claim now. The tries stay counted: the next claim looks for whom it
    was that killed its worker.

    Returns:
        Whether the chunk was still the dead worker's.
    """
    own_id = chunk.dispatch.channel_id
    with transaction.atomic():
        row = _mine(chunk).filter(lease_until__lt=Moment()).select_for_update().first()
        if row is None:
            return False
        left_over = in_chunk(row).filter(state=MessageState.SENDING, mark__lte=row.claim_count)
        _give_up(left_over, own_id, can_resend=can_resend, now=now)
        _mine(row).update(state=ChunkState.READY, lease_until=None, claimed_by="")
        settle_late(chunk=row)
    return True


def _give_up(
    left_over: QuerySet[Message], own_id: int | None, *, can_resend: bool, now: datetime
) -> int:
    asked = 0
    if can_resend:
        is_own = Q(channel__isnull=True) | Q(channel_id=own_id)
        asked = left_over.filter(is_own).update(
            state=MessageState.PLANNED, reason=SkipReason.ASKED_AGAIN
        )
    return asked + left_over.update(
        state=MessageState.UNKNOWN, reason=SkipReason.CRASHED, closed_at=now
    )


def release(*, chunk: Chunk, now: datetime, is_complete: bool = True) -> ChunkState:
    """Give the chunk back, see `write_release`.

    Raises:
        LeaseLost: Another worker has it.
    """
    with transaction.atomic():
        return write_release(row=lock(chunk=chunk), now=now, is_complete=is_complete)


def write_release(*, row: Chunk, now: datetime, is_complete: bool) -> ChunkState:
    """Give a chunk back: done when none of its messages is open, else due with the first one.

    Args:
        row: The chunk's row, locked by the caller.
        is_complete: False when messages that are due were left for the next claim; a chunk that
            was worked carefully then stays so.
    """
    left = in_chunk(row).filter(state__in=OPEN_STATES)
    found = left.aggregate(
        earliest=Min("due_at"),
        open_count=Count("pk"),
        due_count=Count("pk", filter=Q(due_at__isnull=True) | Q(due_at__lte=now)),
    )
    state = ChunkState.READY if found["open_count"] else ChunkState.DONE
    was_careful = not is_complete and row.attempts >= CAREFUL_ATTEMPT
    Chunk.objects.filter(pk=row.pk).update(
        state=state,
        # What is due keeps its place in the queue.
        due_at=row.due_at if found["due_count"] else found["earliest"] or row.due_at,
        lease_until=None,
        claimed_by="",
        attempts=CAREFUL_ATTEMPT - 1 if was_careful else 0,
        in_hand_message_id=None,
        suspects={} if state is ChunkState.DONE else row.suspects,
    )
    return state


def reserve_budget(*, chunk: Chunk, costs: list[Decimal]) -> int:
    """Reserve money for messages in their order; return how many of them the budget allows.

    Raises:
        LeaseLost: Another worker has the chunk.
    """
    budget_id = chunk.dispatch.budget_id
    if budget_id is None or not costs:
        return len(costs)
    with transaction.atomic():
        lock(chunk=chunk)
        budget = Budget.objects.select_for_update().get(pk=budget_id)
        room = budget.limit_amount - budget.committed_amount
        allowed, total = budgeting.affordable(costs, room)
        Budget.objects.filter(pk=budget_id).update(committed_amount=F("committed_amount") + total)
        Chunk.objects.filter(pk=chunk.pk).update(reserved_amount=F("reserved_amount") + total)
    return allowed


def reserve_volume(*, chunk: Chunk, units: Sequence[int], now: datetime) -> list[str]:
    """Reserve places under the caps on numbers; return the period that stops each message, if any.

    Args:
        units: 1 for a message that takes a place, 0 for one that has it already.

    Raises:
        LeaseLost: Another worker has the chunk.
    """
    caps = chunk.dispatch.volume_caps
    if not caps or not units:
        return [""] * len(units)
    with transaction.atomic():
        return volumes.reserve(row=lock(chunk=chunk), caps=caps, units=units, now=now)


def settle_budget(*, chunk: Chunk) -> None:
    """Replace what a chunk has reserved by what its messages cost, and how many they are.

    Raises:
        LeaseLost: Another worker has the chunk.
    """
    if not _is_limited(chunk):
        return
    with transaction.atomic():
        _settle(lock(chunk=chunk), chunk.dispatch.budget_id)


def settle_late(*, chunk: Chunk) -> None:
    """Settle the budget of a chunk whose lease was lost, unless its new holder will do so."""
    if not _is_limited(chunk):
        return
    with transaction.atomic():
        row = Chunk.objects.select_for_update().get(pk=chunk.pk)
        if row.state != ChunkState.LEASED:
            _settle(row, chunk.dispatch.budget_id)


def _is_limited(chunk: Chunk) -> bool:
    return chunk.dispatch.budget_id is not None or bool(chunk.dispatch.volume_caps)


def _settle(row: Chunk, budget_id: int | None) -> None:
    if budget_id is not None:
        _settle_budget(row, budget_id)
    volumes.settle(row=row)


def _settle_budget(row: Chunk, budget_id: int) -> None:
    # A message that was handed over is paid for, whatever is reported about it later: settling
    # takes the cost off what the provider refused, and nothing takes it off afterwards. One that is
    # asked about again may have been taken already, so its money stays away.
    is_spent = ~Q(state=MessageState.PLANNED) | Q(reason=SkipReason.ASKED_AGAIN)
    spent = in_chunk(row).filter(is_spent).aggregate(total=Sum("cost_amount"))["total"]
    spent = spent or Decimal(0)
    if spent != row.reserved_amount:
        Budget.objects.filter(pk=budget_id).update(
            committed_amount=F("committed_amount") + spent - row.reserved_amount
        )
        Chunk.objects.filter(pk=row.pk).update(reserved_amount=spent)


def in_chunk(chunk: Chunk) -> QuerySet[Message]:
    """Return the messages of a chunk."""
    return Message.objects.filter(
        dispatch_id=chunk.dispatch_id,
        pk__gte=chunk.first_message_id,
        pk__lte=chunk.last_message_id,
    )
