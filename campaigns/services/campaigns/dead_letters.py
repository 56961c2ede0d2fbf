"""Trying again, on a person's word, whom their own message kept setting workers down."""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import ChunkState, DispatchStatus, MessageState
from campaigns.models import Campaign, Chunk, Dispatch, Message
from campaigns.selectors.campaigns import last_messages
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue


class NothingSetAside(LoanCrmError):
    """No message of the campaign was set aside, or the campaign is over for good."""

    code = "nothing_set_aside"


def of_campaign(campaign: Campaign) -> QuerySet[Message]:
    """Return the messages that were set aside because workers died over them.

    Whom a later step or run of the campaign has served is not among them.
    """
    return Message.objects.filter(
        ~last_messages.is_served_later(),
        ~last_messages.is_in_later_run(),
        dispatch__campaign=campaign,
        state=MessageState.FAILED,
        reason=SkipReason.CRASHED,
    )


def retry(*, campaign: Campaign, actor: Actor, now: datetime) -> int:
    """Give the messages that were set aside another turn; return how many.

    Raises:
        NothingSetAside: There is none, or the campaign was cancelled.
        PermissionRefused: The actor may not launch campaigns.
    """
    with acting(actor, "campaigns.launch_campaign", on=campaign, now=now) as act:
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        ids = list(of_campaign(locked).values_list("pk", flat=True))
        if not ids or locked.status == CampaignStatus.CANCELLED:
            raise NothingSetAside(_("No message was set aside."), campaign=campaign.slug)
        rows = Message.objects.filter(pk__in=ids)
        for dispatch_id in set(rows.values_list("dispatch_id", flat=True)):
            _reopen(dispatch_id, rows.filter(dispatch_id=dispatch_id), now)
        rows.update(state=MessageState.PLANNED, reason="", closed_at=None, due_at=None)
        # Not a move that any other service may make: the campaign was over.
        Campaign.objects.filter(pk=campaign.pk, status=CampaignStatus.COMPLETED).update(
            status=CampaignStatus.RUNNING, completed_at=None, updated_at=now
        )
        act.record("campaign.set_aside_retried", facts={"messages": len(ids)})
        enqueue(jobs.TICK)
    campaign.refresh_from_db()
    return len(ids)


def _reopen(dispatch_id: int, rows: QuerySet[Message], now: datetime) -> None:
    Dispatch.objects.filter(pk=dispatch_id, status=DispatchStatus.COMPLETED).update(
        status=DispatchStatus.RUNNING, completed_at=None
    )
    within = rows.filter(pk__gte=OuterRef("first_message_id"), pk__lte=OuterRef("last_message_id"))
    Chunk.objects.filter(Exists(within), dispatch_id=dispatch_id, state=ChunkState.DONE).update(
        state=ChunkState.READY, due_at=now, attempts=0, suspects={}
    )
