"""Deciding about messages of unknown fate: a person found out whether they were sent."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext as _

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.fates import FateDecision
from campaigns.domain.sending.states import ChunkState, DispatchStatus, MessageState
from campaigns.models import Campaign, Chunk, Dispatch, Message
from campaigns.services.sending import chunks
from customers.domain.events.event import EventName
from customers.services.events import log
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.errors import LoanCrmError

DECIDES = "campaigns.launch_campaign"
_BATCH = 200
_IDS_NAMED = 100


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
    fate: FateDecision,
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
    access.require(actor, DECIDES, campaign)
    _refuse_over(campaign, fate)
    unknown = Message.objects.filter(dispatch__campaign=campaign, state=MessageState.UNKNOWN)
    if message_ids is not None:
        unknown = unknown.filter(pk__in=message_ids)
    ids = list(unknown.order_by("pk").values_list("pk", flat=True))
    decided = 0
    for part in _parts(ids):
        with acting(actor, DECIDES, on=campaign, now=now) as act:
            # The tick completes campaigns and others cancel them, each with this row locked.
            locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
            _refuse_over(locked, fate)
            decided += store_audited(act, ids=part, owner=locked, fate=fate)
    return decided


def decide_requested(
    *,
    dispatch: Dispatch,
    message_ids: Sequence[int] | None,
    fate: FateDecision,
    actor: Actor,
    now: datetime,
) -> int:
    """Store the fate of messages that no campaign sent, dispatch by dispatch; else as `decide`.

    Raises:
        MessagesAreOver: They are to be sent again and were cancelled.
        PermissionRefused: The actor may not launch campaigns.
    """
    access.require(actor, DECIDES)
    _refuse_over(dispatch, fate)
    unknown = Message.objects.filter(dispatch=dispatch, state=MessageState.UNKNOWN)
    if message_ids is not None:
        unknown = unknown.filter(pk__in=message_ids)
    decided = 0
    for part in _parts(list(unknown.order_by("pk").values_list("pk", flat=True))):
        with acting(actor, DECIDES, now=now) as act:
            locked = Dispatch.objects.select_for_update().get(pk=dispatch.pk)
            _refuse_over(locked, fate)
            decided += store_audited(act, ids=part, owner=locked, fate=fate)
    return decided


def decide_selection(
    *, message_ids: Sequence[int], fate: FateDecision, actor: Actor, now: datetime
) -> int:
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
        access.require(actor, DECIDES, owner if isinstance(owner, Campaign) else None)
        _refuse_over(owner, fate)
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


def _reopen(act: Act, campaign: Campaign) -> None:
    complete = Campaign.objects.filter(pk=campaign.pk, status=CampaignStatus.COMPLETED)
    if complete.update(status=CampaignStatus.RUNNING, completed_at=None, updated_at=act.now):
        act.record("campaign.reopened", on=campaign)


def _refuse_over(owner: Campaign | Dispatch, fate: FateDecision) -> None:
    if isinstance(owner, Dispatch):
        if fate is FateDecision.SEND_AGAIN and owner.status == DispatchStatus.CANCELLED:
            raise MessagesAreOver(
                _("The messages “%(name)s” were cancelled: nothing of them is sent again.")
                % {"name": owner.name},
                dispatch=owner.pk,
            )
        return
    campaign = owner
    if fate is FateDecision.SEND_AGAIN and not may_be_sent_again(campaign):
        raise CampaignIsOver(
            _("The campaign “%(name)s” was cancelled: nothing of it is sent again.")
            % {"name": campaign.name},
            campaign=campaign.slug,
        )


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


def store_audited(
    act: Act, *, ids: Sequence[int], owner: Campaign | Dispatch, fate: FateDecision
) -> int:
    """Store what became of messages, with the entry that says who decided; return how many.

    A complete campaign reopens for what is sent again. The caller holds the owner's row locked.

    Args:
        owner: The campaign; of a dispatch that no campaign has, the dispatch itself.
    """
    decided = store(ids=ids, fate=fate, now=act.now)
    if decided and fate is FateDecision.SEND_AGAIN and isinstance(owner, Campaign):
        _reopen(act, owner)
    if decided:
        act.record(
            "messages.fate_decided",
            on=owner,
            facts={"fate": fate, "count": len(decided), "messages": decided[:_IDS_NAMED]},
        )
    else:
        act.unchanged()
    return len(decided)


def store(*, ids: Sequence[int], fate: FateDecision, now: datetime) -> list[int]:
    """Store what became of messages whose fate is still unknown; return them. In a transaction."""
    rows = Message.objects.select_for_update().filter(pk__in=ids, state=MessageState.UNKNOWN)
    found = list(rows.order_by("pk").values_list("pk", flat=True))
    moved = Message.objects.filter(pk__in=found)
    match fate:
        case FateDecision.WAS_SENT:
            moved.update(
                state=MessageState.SENT,
                reason="",
                sent_at=Coalesce("sent_at", "attempted_at", Value(now)),
                closed_at=now,
            )
            _record_sent(moved, now)
        case FateDecision.WAS_NOT_SENT:
            moved.update(
                state=MessageState.FAILED,
                reason=SkipReason.NOT_SENT,
                cost_amount=Decimal(0),
                closed_at=now,
            )
        case FateDecision.SEND_AGAIN:
            moved.update(
                state=MessageState.PLANNED,
                reason="",
                due_at=now,
                attempts=0,
                cost_amount=Decimal(0),
                closed_at=None,
            )
    touched = _chunks_of(moved)
    if fate is FateDecision.SEND_AGAIN:
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
