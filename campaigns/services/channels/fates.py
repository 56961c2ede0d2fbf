"""Deciding about messages of unknown fate: a person found out whether they were sent."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.db import transaction
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext as _

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.eligibility import Reason
from campaigns.domain.sending.states import ChunkState, DispatchStatus, MessageState
from campaigns.models import Campaign, Chunk, Dispatch, Message
from campaigns.services.sending import chunks
from customers.domain.events.event import EventName
from customers.services.events import log
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import audit
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


class MessagesAreOver(LoanCrmError):
    """Nothing can be sent again of messages that were cancelled."""

    code = "messages_are_over"


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
        CampaignIsOver: They are to be sent again and the campaign was cancelled.
        PermissionRefused: The actor may not launch this campaign.
    """
    _require(campaign, fate, actor)
    unknown = Message.objects.filter(dispatch__campaign=campaign, state=MessageState.UNKNOWN)
    if message_ids is not None:
        unknown = unknown.filter(pk__in=message_ids)
    ids = list(unknown.order_by("pk").values_list("pk", flat=True))
    decided = 0
    for part in _parts(ids):
        with transaction.atomic():
            # The tick completes campaigns and others cancel them, each with this row locked.
            locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
            _require(locked, fate, actor)
            decided += store_audited(ids=part, owner=locked, fate=fate, actor=actor, now=now)
    return decided


def decide_requested(
    *,
    dispatch: Dispatch,
    message_ids: Sequence[int] | None,
    fate: Fate,
    actor: Actor,
    now: datetime,
) -> int:
    """Store the fate of messages that no campaign sent, dispatch by dispatch; else as `decide`.

    Raises:
        MessagesAreOver: They are to be sent again and were cancelled.
        PermissionRefused: The actor may not launch campaigns.
    """
    _require(dispatch, fate, actor)
    unknown = Message.objects.filter(dispatch=dispatch, state=MessageState.UNKNOWN)
    if message_ids is not None:
        unknown = unknown.filter(pk__in=message_ids)
    decided = 0
    for part in _parts(list(unknown.order_by("pk").values_list("pk", flat=True))):
        with transaction.atomic():
            locked = Dispatch.objects.select_for_update().get(pk=dispatch.pk)
            _require(locked, fate, actor)
            decided += store_audited(ids=part, owner=locked, fate=fate, actor=actor, now=now)
    return decided


def decide_selection(*, message_ids: Sequence[int], fate: Fate, actor: Actor, now: datetime) -> int:
    """Store the fate of messages of campaigns and requests, each with an audit entry of its own.

    Nothing is stored unless the actor may decide about every one of them.

    Returns:
        How many were decided by this call.

    Raises:
        CampaignIsOver: They are to be sent again and a campaign was cancelled.
        MessagesAreOver: They are to be sent again and were cancelled.
        PermissionRefused: The actor may not launch one of the campaigns.
    """
    unknown = Message.objects.filter(pk__in=message_ids, state=MessageState.UNKNOWN)
    campaigns = list(
        Campaign.objects.filter(pk__in=unknown.values("dispatch__campaign")).order_by("pk")
    )
    requested = list(
        Dispatch.objects.filter(campaign=None, pk__in=unknown.values("dispatch")).order_by("pk")
    )
    owners: list[Campaign | Dispatch] = [*campaigns, *requested]
    for owner in owners:
        _require(owner, fate, actor)
    of_campaigns = sum(
        decide(campaign=campaign, message_ids=message_ids, fate=fate, actor=actor, now=now)
        for campaign in campaigns
    )
    return of_campaigns + sum(
        decide_requested(
            dispatch=dispatch, message_ids=message_ids, fate=fate, actor=actor, now=now
        )
        for dispatch in requested
    )


def may_be_sent_again(campaign: Campaign) -> bool:
    """Return whether a message of a campaign can go out again; one that is complete reopens."""
    return campaign.status in {
        CampaignStatus.RUNNING,
        CampaignStatus.PAUSED,
        CampaignStatus.COMPLETED,
    }


def _reopen(campaign: Campaign, actor: Actor, now: datetime) -> None:
    complete = Campaign.objects.filter(pk=campaign.pk, status=CampaignStatus.COMPLETED)
    if complete.update(status=CampaignStatus.RUNNING, completed_at=None, updated_at=now):
        audit.record(
            actor=actor,
            action="campaign.reopened",
            object_type="campaign",
            object_id=campaign.pk,
            now=now,
        )


def _require(owner: Campaign | Dispatch, fate: Fate, actor: Actor) -> None:
    if isinstance(owner, Dispatch):
        access.require(actor, "campaigns.launch_campaign")
        if fate is Fate.SEND_AGAIN and owner.status == DispatchStatus.CANCELLED:
            raise MessagesAreOver(
                _("The messages “%(name)s” were cancelled: nothing of them is sent again.")
                % {"name": owner.name},
                dispatch=owner.pk,
            )
        return
    campaign = owner
    access.require(actor, "campaigns.launch_campaign", campaign)
    if fate is Fate.SEND_AGAIN and not may_be_sent_again(campaign):
        raise CampaignIsOver(
            _("The campaign “%(name)s” was cancelled: nothing of it is sent again.")
            % {"name": campaign.name},
            campaign=campaign.slug,
        )


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


@transaction.atomic
def store_audited(
    *, ids: Sequence[int], owner: Campaign | Dispatch, fate: Fate, actor: Actor, now: datetime
) -> int:
    """Store what became of messages, with the entry that says who decided; return how many.

    A complete campaign reopens for what is sent again. The caller holds the owner's row locked.

    Args:
        owner: The campaign; of a dispatch that no campaign has, the dispatch itself.
    """
    decided = store(ids=ids, fate=fate, now=now)
    if decided and fate is Fate.SEND_AGAIN and isinstance(owner, Campaign):
        _reopen(owner, actor, now)
    if decided:
        audit.record(
            actor=actor,
            action="messages.fate_decided",
            object_type=audit.type_of(owner),
            object_id=owner.pk,
            now=now,
            facts={"fate": fate, "count": len(decided), "messages": decided[:_IDS_NAMED]},
        )
    return len(decided)


def store(*, ids: Sequence[int], fate: Fate, now: datetime) -> list[int]:
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
            _record_sent(moved, now)
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
    return list(Chunk.objects.filter(spans).select_related("dispatch").order_by("pk"))


def _wake(touched: Sequence[Chunk], now: datetime) -> None:
    """Have chunks worked again; one that is being worked is looked at when it is given back."""
    Chunk.objects.filter(pk__in=[chunk.pk for chunk in touched]).exclude(
        state=ChunkState.LEASED
    ).update(state=ChunkState.READY, due_at=now)
    Dispatch.objects.filter(
        pk__in={chunk.dispatch_id for chunk in touched}, status=DispatchStatus.COMPLETED
    ).update(status=DispatchStatus.RUNNING, completed_at=None)


def _record_sent(moved: QuerySet[Message], now: datetime) -> None:
    dispatches = Dispatch.objects.filter(pk__in=moved.values("dispatch_id"))
    for dispatch in dispatches:
        log.append_selected(
            name=EventName.MESSAGE_SENT,
            source="campaigns",
            rows=moved.filter(dispatch=dispatch).order_by("pk"),
            customer=F("customer_id"),
            occurred_at=F("sent_at"),
            dedup_key=Concat(Value("sent:"), Cast("pk", CharField()), output_field=CharField()),
            channel=dispatch.channel_kind,
            subject=dispatch.subject,
            now=now,
        )
