"""The tick: start what is due, hold what is late, end what is finished, wake workers."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain import schedule
from campaigns.domain.campaign import (
    CampaignStatus,
    ChunkState,
    DispatchStatus,
)
from campaigns.models import Campaign, Chunk, Dispatch, Message
from campaigns.selectors import open_work
from campaigns.services import authoring, chunks, dispatch, launch, throttling
from campaigns.services.sending import sweeping
from loancrm.kernel import access, audit, deployment, leases
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue

LEADER = "campaigns.tick"
# Ticks come every two seconds, and after a standstill many at once: so often one of them works.
TURN_SECONDS = 1.0


class NothingHeld(LoanCrmError):
    """There is nothing to resume."""

    code = "nothing_held"


def tick(*, holder: str, now: datetime) -> int:
    """Move every dispatch as far as time allows and wake workers; one at a time.

    Returns:
        How many drain jobs were started.
    """
    if not leases.take_turn(name=LEADER, holder=holder, seconds=TURN_SECONDS):
        return 0
    if not deployment.beat(has_open_work=open_work.exists()):
        return 0
    advance(now=now)
    missing = _missing_workers(now)
    for _number in range(missing):
        enqueue(jobs.DRAIN)
    return missing


def advance(*, now: datetime) -> None:
    """Complete finished dispatches, freeze next steps, start what is due, hold what is late.

    Nothing moves while sending waits for a person's confirmation.
    """
    if not deployment.may_send():
        return
    sweeping.sweep(now=now)
    _complete_finished(now)
    _start_next_steps(now)
    _start_due(now)
    _complete_campaigns(now)


def pause_campaign(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Stop sending; takes effect within one sub-batch."""
    access.require(actor, "campaigns.launch_campaign", campaign)
    with transaction.atomic():
        return authoring.move(campaign, CampaignStatus.PAUSED, actor=actor, now=now)


def resume_campaign(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Go on after a pause, or release a dispatch that waits for a person.

    Raises:
        NothingHeld: The campaign runs and none of its dispatches is held.
    """
    access.require(actor, "campaigns.launch_campaign", campaign)
    with transaction.atomic():
        held = Dispatch.objects.filter(campaign=campaign, status=DispatchStatus.HELD)
        # Who releases it has seen why it was held; a provider that still refuses holds it again.
        throttling.unblock(
            channel_ids=list(
                held.filter(hold_reason="channel_blocked").values_list("channel_id", flat=True)
            )
        )
        released = held.update(status=DispatchStatus.RUNNING, hold_reason="", is_hold_told=False)
        if campaign.status == CampaignStatus.PAUSED:
            paused = (CampaignStatus.PAUSED,)
            authoring.move(campaign, CampaignStatus.RUNNING, actor=actor, now=now, sources=paused)
        elif not released:
            raise NothingHeld(
                _("The campaign is not paused and nothing of it is held."), campaign=campaign.slug
            )
        else:
            audit.record(
                actor=actor,
                action="campaign.dispatch_released",
                object_type="campaign",
                object_id=campaign.pk,
                now=now,
            )
        enqueue(jobs.TICK)
    campaign.refresh_from_db()
    return campaign


def cancel_campaign(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Stop for good; what was not handed over is cancelled."""
    access.require(actor, "campaigns.launch_campaign", campaign)
    with transaction.atomic():
        authoring.move(campaign, CampaignStatus.CANCELLED, actor=actor, now=now)
        sweeping.cancel_planned(Message.objects.filter(dispatch__campaign=campaign), now=now)
        Dispatch.objects.filter(campaign=campaign).exclude(status=DispatchStatus.COMPLETED).update(
            status=DispatchStatus.CANCELLED, completed_at=now
        )
    return campaign


def _start_due(now: datetime) -> None:
    due = Dispatch.objects.filter(
        status=DispatchStatus.SCHEDULED,
        campaign__status=CampaignStatus.RUNNING,
        frozen_at__isnull=False,
        due_at__lte=now,
    ).select_related("campaign")
    for run in due:
        is_late = schedule.is_too_late(
            due_at=run.due_at, now=now, late_limit_hours=run.campaign.late_limit_hours
        )
        Dispatch.objects.filter(pk=run.pk, status=DispatchStatus.SCHEDULED).update(
            status=DispatchStatus.HELD if is_late else DispatchStatus.RUNNING,
            hold_reason="late" if is_late else "",
        )


def _complete_finished(now: datetime) -> None:
    open_chunks = Chunk.objects.filter(dispatch=OuterRef("pk")).exclude(state=ChunkState.DONE)
    Dispatch.objects.filter(
        ~Exists(open_chunks), status=DispatchStatus.RUNNING, is_test=False
    ).update(status=DispatchStatus.COMPLETED, completed_at=now)


def _start_next_steps(now: datetime) -> None:
    followed = Dispatch.objects.filter(
        campaign=OuterRef("campaign"),
        step__position=OuterRef("step__position") + 1,
        is_test=False,
    )
    finished = Dispatch.objects.filter(
        ~Exists(followed),
        campaign__status=CampaignStatus.RUNNING,
        status=DispatchStatus.COMPLETED,
        is_test=False,
    ).select_related("campaign", "step")
    for run in finished:
        launch.start_next_step(before=run, now=now)


def _complete_campaigns(now: datetime) -> None:
    """End campaigns of which every step has a completed dispatch."""
    running = Campaign.objects.filter(status=CampaignStatus.RUNNING, launched_at__isnull=False)
    for campaign in running:
        steps = campaign.steps.count()
        completed = campaign.dispatches.filter(
            status=DispatchStatus.COMPLETED, is_test=False
        ).count()
        if steps and completed >= steps:
            with transaction.atomic():
                actor = system_actor("job:campaigns.tick")
                authoring.move(campaign, CampaignStatus.COMPLETED, actor=actor, now=now)
                Campaign.objects.filter(pk=campaign.pk).update(completed_at=now)


def _missing_workers(now: datetime) -> int:
    """Return how many more drain jobs the due chunks can use."""
    # A worker waits for a rate limit that leaves room soon; see `dispatch.drain`.
    due = chunks.claimable(now=now, slot_seconds=dispatch.IDLE_SECONDS).count()
    at_work = leases.count_held(names=dispatch.slots(settings.LOANCRM_DISPATCH_WORKERS))
    return max(0, min(due, settings.LOANCRM_DISPATCH_WORKERS - at_work))
