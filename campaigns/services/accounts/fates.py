"""Deciding about messages of unknown fate: a person found out whether they were sent."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.db import transaction
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext as _

from campaigns.domain.campaign import CampaignStatus, ChunkState, DispatchStatus, MessageState
from campaigns.domain.eligibility import Reason
from campaigns.models import Campaign, Chunk, Dispatch, Message
from campaigns.services import chunks
from customers.domain.events import EventName
from customers.services import events
from loancrm.kernel import access, audit
from loancrm.kernel.access import Actor
from loancrm.kernel.errors import LoanCrmError

_BATCH = 200
_IDS_NAMED = 100


class Fate(StrEnum):
    """What a person found out, and what is to happen then."""

    WAS_SENT = "was_sent"
    WAS_NOT_SENT = "was_not_sent"
    SEND_AGAIN = "send_again"


class CampaignIsOver(LoanCrmError):
    """Nothing can be sent again for a campaign that is over."""

    code = "campaign_is_over"


def decide(
    *,
    campaign: Campaign,
    message_ids: Sequence[int] | None,
    fate: Fate,
    actor: Actor,
    now: datetime,
) -> int:
    """Store the fate of messages of which it was unknown; those decided meanwhile stay as they are.

    A message that was not sent costs nothing and ends as failed, or is planned again, then with
    every gate and with the same key.

    Args:
        message_ids: Which of the campaign's; None for all of them.

    Returns:
        How many were decided by this call.

    Raises:
        CampaignIsOver: They are to be sent again and the campaign neither runs nor is paused.
        PermissionRefused: The actor may not launch this campaign.
    """
    access.require(actor, "campaigns.launch_campaign", campaign)
    again = {CampaignStatus.RUNNING, CampaignStatus.PAUSED}
    if fate is Fate.SEND_AGAIN and campaign.status not in again:
        raise CampaignIsOver(_("The campaign is over: nothing of it is sent again."))
    unknown = Message.objects.filter(dispatch__campaign=campaign, state=MessageState.UNKNOWN)
    if message_ids is not None:
        unknown = unknown.filter(pk__in=message_ids)
    ids = list(unknown.order_by("pk").values_list("pk", flat=True))
    decided: list[int] = []
    for part in _parts(ids):
        with transaction.atomic():
            decided += store(ids=part, campaign=campaign, fate=fate, now=now)
    if decided:
        audit.record(
            actor=actor,
            action="messages.fate_decided",
            object_type="campaign",
            object_id=campaign.pk,
            now=now,
            facts={"fate": fate, "count": len(decided), "messages": decided[:_IDS_NAMED]},
        )
    return len(decided)


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


def store(*, ids: Sequence[int], campaign: Campaign, fate: Fate, now: datetime) -> list[int]:
    """Store what became of messages whose fate is still unknown; return them. In a transaction."""
    rows = Message.objects.select_for_update().filter(pk__in=ids, state=MessageState.UNKNOWN)
    found = list(rows.order_by("pk").values_list("pk", flat=True))
    moved = Message.objects.filter(pk__in=found)
    match fate:
        case Fate.WAS_SENT:
            moved.update(
                state=MessageState.SENT,
                reason="",
                sent_at=Coalesce("sent_at", "attempted_at", Value(now)),
                closed_at=now,
            )
            _record_sent(moved, campaign, now)
        case Fate.WAS_NOT_SENT:
            moved.update(
                state=MessageState.FAILED,
                reason=Reason.NOT_SENT,
                cost_amount=Decimal(0),
                closed_at=now,
            )
        case Fate.SEND_AGAIN:
            moved.update(
                state=MessageState.PLANNED,
                reason="",
                due_at=now,
                attempts=0,
                cost_amount=Decimal(0),
                closed_at=None,
            )
    touched = _chunks_of(moved)
    if fate is Fate.SEND_AGAIN:
        _wake(touched, now)
    for chunk in touched:
        chunks.settle_late(chunk=chunk)
    return found


def _chunks_of(messages: QuerySet[Message]) -> list[Chunk]:
    """Return the chunks of messages, each once."""
    spans = Q(pk__in=[])
    for dispatch_id, pk in messages.values_list("dispatch_id", "pk"):
        spans |= Q(dispatch_id=dispatch_id, first_message_id__lte=pk, last_message_id__gte=pk)
    return list(Chunk.objects.filter(spans).select_related("dispatch__campaign").order_by("pk"))


def _wake(touched: Sequence[Chunk], now: datetime) -> None:
    """Have chunks worked again; one that is being worked is looked at when it is given back."""
    Chunk.objects.filter(pk__in=[chunk.pk for chunk in touched]).exclude(
        state=ChunkState.LEASED
    ).update(state=ChunkState.READY, due_at=now)
    Dispatch.objects.filter(
        pk__in={chunk.dispatch_id for chunk in touched}, status=DispatchStatus.COMPLETED
    ).update(status=DispatchStatus.RUNNING, completed_at=None)


def _record_sent(moved: QuerySet[Message], campaign: Campaign, now: datetime) -> None:
    kinds = Dispatch.objects.filter(pk__in=moved.values("dispatch_id"))
    for dispatch_id, kind in kinds.values_list("pk", "channel_kind"):
        events.append_selected(
            name=EventName.MESSAGE_SENT,
            source="campaigns",
            rows=moved.filter(dispatch_id=dispatch_id).order_by("pk"),
            customer=F("customer_id"),
            occurred_at=F("sent_at"),
            dedup_key=Concat(Value("sent:"), Cast("pk", CharField()), output_field=CharField()),
            channel=kind,
            subject=campaign.slug,
            now=now,
        )
