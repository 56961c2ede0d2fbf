"""Chunks: leased by one worker at a time, given back by time when the worker dies."""

from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import F, Min, Q, QuerySet, Sum

from campaigns.domain.campaign import (
    HANDED_OVER_STATES,
    OPEN_STATES,
    CampaignStatus,
    ChunkState,
    DispatchStatus,
    MessageState,
)
from campaigns.domain.eligibility import Reason
from campaigns.models import Campaign, Chunk, Message
from campaigns.services import throttling
from loancrm.kernel.bulk import Statement
from loancrm.kernel.database_clock import Moment

# Renewed every few seconds, also while waiting for a slow provider, so it only has to outlive the
# longest pause between two renewals. A killed worker's chunk is free again after this long.
LEASE_SECONDS = 10
# From this attempt on a chunk is worked one message at a time, so that the one that kills its
# worker is found and set aside.
CAREFUL_ATTEMPT = 3
# Part of every mark. Three look-ups by key instead of a join: planning the join took longer than
# marking twenty rows.
_OURS = """(SELECT claimed_by = %s AND state = %s FROM campaigns_chunk WHERE id = %s)
    AND (SELECT status = %s FROM campaigns_dispatch WHERE id = %s)
    AND (SELECT status = %s FROM campaigns_campaign WHERE id = %s)"""


def claim(*, holder: str, now: datetime) -> Chunk | None:
    """Lease the next due chunk of any running dispatch; None when nothing is due."""
    is_due = Q(state=ChunkState.READY, due_at__lte=now) | Q(
        state=ChunkState.LEASED, lease_until__lt=Moment()
    )
    with transaction.atomic():
        chunk = (
            Chunk.objects.filter(
                is_due,
                dispatch__status=DispatchStatus.RUNNING,
                dispatch__campaign__status=CampaignStatus.RUNNING,
            )
            .filter(throttling.is_open("dispatch__channel__"))
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("dispatch__campaign", "dispatch__channel", "dispatch__step")
            .order_by("dispatch_id", "number")
            .first()
        )
        if chunk is None:
            return None
        chunk.state = ChunkState.LEASED
        chunk.claimed_by = holder
        chunk.lease_until = Moment(LEASE_SECONDS)
        chunk.attempts += 1
        chunk.save(update_fields=["state", "claimed_by", "lease_until", "attempts"])
    return chunk


def ours(chunk: Chunk) -> Statement:
    """Return the condition, in SQL, that this worker holds the chunk and its campaign runs."""
    return Statement(
        _OURS,
        [
            chunk.claimed_by,
            ChunkState.LEASED.value,
            chunk.pk,
            DispatchStatus.RUNNING.value,
            chunk.dispatch_id,
            CampaignStatus.RUNNING.value,
            chunk.dispatch.campaign_id,
        ],
    )


def is_ours(*, chunk: Chunk) -> bool:
    """Return whether this worker holds the chunk and its campaign runs."""
    condition = ours(chunk)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 WHERE {condition.sql}", condition.parameters)
        return cursor.fetchone() is not None


def renew(*, chunk: Chunk) -> bool:
    """Extend the lease; False when it was lost or the campaign no longer runs."""
    held = Chunk.objects.filter(
        pk=chunk.pk,
        claimed_by=chunk.claimed_by,
        state=ChunkState.LEASED,
        dispatch__status=DispatchStatus.RUNNING,
        dispatch__campaign__status=CampaignStatus.RUNNING,
    )
    return bool(held.update(lease_until=Moment(LEASE_SECONDS)))


def recover(*, chunk: Chunk, can_resend: bool, now: datetime) -> int:
    """Decide about messages that a worker before had marked and not settled.

    Args:
        can_resend: The provider refuses a repeated idempotency key, so sending again is safe.

    Returns:
        How many messages were left over.
    """
    left_over = in_chunk(chunk).filter(state=MessageState.SENDING)
    if can_resend:
        return left_over.update(state=MessageState.PLANNED)
    return left_over.update(state=MessageState.UNKNOWN, reason=Reason.CRASHED, closed_at=now)


def release(*, chunk: Chunk, now: datetime) -> None:
    """Give the chunk back: done when none of its messages is open, else due with the first one."""
    with transaction.atomic():
        open_rows = in_chunk(chunk).filter(state__in=OPEN_STATES)
        first_due = open_rows.aggregate(due=Min("due_at"), first=Min("pk"))
        has_open = first_due["first"] is not None
        has_undated = has_open and open_rows.filter(due_at__isnull=True).exists()
        due_at = now if has_undated or first_due["due"] is None else first_due["due"]
        Chunk.objects.filter(
            pk=chunk.pk, claimed_by=chunk.claimed_by, state=ChunkState.LEASED
        ).update(
            state=ChunkState.READY if has_open else ChunkState.DONE,
            due_at=due_at,
            lease_until=None,
            claimed_by="",
            attempts=0,
        )


def reserve_budget(*, chunk: Chunk, costs: list[Decimal]) -> int:
    """Reserve money for messages in their order; return how many of them the budget allows."""
    campaign_id = chunk.dispatch.campaign_id
    if chunk.dispatch.campaign.budget_amount is None or not costs:
        return len(costs)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        if campaign.budget_amount is None:
            return len(costs)
        room = campaign.budget_amount - campaign.committed_amount
        total = Decimal(0)
        allowed = 0
        for cost in costs:
            if total + cost > room:
                break
            total += cost
            allowed += 1
        Campaign.objects.filter(pk=campaign_id).update(
            committed_amount=F("committed_amount") + total
        )
        Chunk.objects.filter(pk=chunk.pk).update(reserved_amount=F("reserved_amount") + total)
    return allowed


def settle_budget(*, chunk: Chunk) -> None:
    """Replace what a chunk has reserved by what its messages cost."""
    if chunk.dispatch.campaign.budget_amount is None:
        return
    with transaction.atomic():
        locked = Chunk.objects.select_for_update().get(pk=chunk.pk)
        spent = (
            in_chunk(chunk)
            .filter(state__in=[*HANDED_OVER_STATES, MessageState.SENDING])
            .aggregate(total=Sum("cost_amount"))["total"]
        ) or Decimal(0)
        if spent != locked.reserved_amount:
            Campaign.objects.filter(pk=chunk.dispatch.campaign_id).update(
                committed_amount=F("committed_amount") + spent - locked.reserved_amount
            )
            Chunk.objects.filter(pk=chunk.pk).update(reserved_amount=spent)


def in_chunk(chunk: Chunk) -> QuerySet[Message]:
    """Return the messages of a chunk."""
    return Message.objects.filter(
        dispatch_id=chunk.dispatch_id,
        pk__gte=chunk.first_message_id,
        pk__lte=chunk.last_message_id,
    )
