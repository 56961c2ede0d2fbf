"""The tick: start what is due, hold what is late, end what is finished, wake workers."""

import logging
from datetime import datetime

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain.campaigns import course
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending import schedule
from campaigns.domain.sending.states import ChunkState, DispatchStatus, HoldReason
from campaigns.models import Campaign, Chunk, ContentTest, Dispatch, Message, Step
from campaigns.selectors.campaigns import ends, open_work
from campaigns.services.campaigns import (
    authoring,
    corrections,
    harm_watch,
    launch,
    recurring,
    rollouts,
)
from campaigns.services.graphs import moving
from campaigns.services.sending import chunks, dispatch, holding, sweeping, throttling
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.acting import acting
from loancrm.kernel.auditing import deployment
from loancrm.kernel.database import leases
from loancrm.kernel.database.errors import PASSING, trouble_of
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue

logger = logging.getLogger(__name__)
LEADER = "campaigns.tick"
# Ticks come every two seconds, and after a standstill many at once: so often one of them works.
TURN_SECONDS = 1.0
LOOKER = "campaigns.look"
# Workers look once a second each; a little less, so that one alone never misses its own turn.
LOOK_TURN_SECONDS = 0.9
LAUNCHES = "campaigns.launch_campaign"


class NothingHeld(LoanCrmError):
    """There is nothing to resume."""

    code = "nothing_held"


class ResumeReasonMissing(LoanCrmError):
    """A campaign that paused by itself goes on only with a reason."""

    code = "resume_reason_missing"


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


def look(*, holder: str, now: datetime) -> None:
    """Advance while at work: of all workers one a second does."""
    if leases.take_turn(name=LOOKER, holder=holder, seconds=LOOK_TURN_SECONDS):
        advance(now=now)


def advance(*, now: datetime) -> None:
    """Complete finished dispatches, freeze next steps, start what is due, hold what is late.

    Nothing moves while sending waits for a person's confirmation. A campaign that cannot go on
    stops no other.
    """
    if not deployment.may_send():
        return
    with _Fence("sweep"):
        sweeping.sweep(now=now)
    _complete_finished(now)
    _start_next_steps(now)
    _start_runs(now)
    _start_due(now)
    _complete_campaigns(now)


def decide_tests(*, now: datetime) -> None:
    """Decide the tests of texts that can be decided; one that cannot be read stops no other."""
    if not deployment.may_send():
        return
    for campaign in rollouts.open_tests():
        with _Fence("test of texts"):
            rollouts.decide(campaign=campaign, now=now)


def pause_campaign(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Stop sending; takes effect within one sub-batch."""
    with acting(actor, LAUNCHES, on=campaign, now=now) as act:
        moved = authoring.move(campaign, CampaignStatus.PAUSED, act=act)
        holding.pause(dispatches=Dispatch.objects.filter(campaign=campaign))
        return moved


def resume_campaign(
    *, campaign: Campaign, actor: Actor, now: datetime, reason: str = ""
) -> Campaign:
    """Go on after a pause, or release a dispatch that waits for a person.

    Args:
        reason: Why it may go on; needed where it paused by itself, which is counted anew from now.

    Raises:
        CorrectionRefused: A correction of it is not approved.
        ResumeReasonMissing: It paused by itself and nobody says why it may go on.
        NothingHeld: The campaign runs and none of its dispatches is held.
    """
    with acting(actor, LAUNCHES, on=campaign, now=now) as act:
        # Locked before its dispatches, as pausing and cancelling do. Whoever releases what is held
        # of a running campaign does not end a pause that she has not seen.
        was_paused = campaign.status == CampaignStatus.PAUSED
        campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
        held = Dispatch.objects.filter(campaign=campaign, status=DispatchStatus.HELD)
        # Who releases it has seen why it was held; a provider that still refuses holds it again.
        throttling.unblock(
            channel_ids=list(
                held.filter(hold_reason=HoldReason.CHANNEL_BLOCKED).values_list(
                    "channel_id", flat=True
                )
            )
        )
        released = held.update(status=DispatchStatus.RUNNING, hold_reason="", is_hold_told=False)
        released += recurring.release_runs(campaign=campaign)
        if was_paused and campaign.status == CampaignStatus.PAUSED:
            corrections.write_applied(campaign=campaign, act=act)
            facts = _looked_at(campaign, reason, now)
            paused = (CampaignStatus.PAUSED,)
            authoring.move(campaign, CampaignStatus.RUNNING, act=act, sources=paused, facts=facts)
            holding.resume(dispatches=Dispatch.objects.filter(campaign=campaign))
        elif not released:
            raise NothingHeld(
                _("The campaign is not paused and nothing of it is held."), campaign=campaign.slug
            )
        else:
            act.record("campaign.dispatch_released")
        enqueue(jobs.TICK)
    campaign.refresh_from_db()
    return campaign


def _looked_at(campaign: Campaign, reason: str, now: datetime) -> dict[str, str]:
    """Have what a campaign paused for counted anew; return what the audit trail tells of it.

    Raises:
        ResumeReasonMissing: Nobody says why it may go on.
    """
    if not campaign.pause_reason:
        return {"reason": reason} if reason else {}
    if not reason.strip():
        raise ResumeReasonMissing(
            _("The campaign paused by itself: say why it may go on."), campaign=campaign.slug
        )
    harm_watch.write_recount(campaign=campaign, now=now)
    return {"paused_for": campaign.pause_reason, "reason": reason.strip()}


def cancel_campaign(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Stop for good; what was not handed over is cancelled."""
    with acting(actor, LAUNCHES, on=campaign, now=now) as act:
        authoring.move(campaign, CampaignStatus.CANCELLED, act=act)
        sweeping.cancel_planned(Message.objects.filter(dispatch__campaign=campaign), now)
        Campaign.objects.filter(pk=campaign.pk).update(next_run_at=None)
        Dispatch.objects.filter(campaign=campaign).exclude(status=DispatchStatus.COMPLETED).update(
            status=DispatchStatus.CANCELLED, completed_at=now
        )
    return campaign


class _Fence:
    """Keeps a fault of one campaign, or of one part of the tick, from ending it for all others."""

    def __init__(self, part: str, run: Dispatch | None = None) -> None:
        self._part, self._run = part, run
        self.is_broken = False

    def __enter__(self) -> "_Fence":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        if isinstance(error, DatabaseFault) and trouble_of(error) in PASSING:
            # The database is away: nobody's fault, and nothing else would work either.
            return False
        self.is_broken = True
        # Its words may hold personal data.
        facts = {"part": self._part, "error": type(error).__name__}
        logger.error("tick failed", extra=facts | ({"dispatch": self._run.pk} if self._run else {}))
        return True


def _start_due(now: datetime) -> None:
    due = Dispatch.objects.filter(
        status=DispatchStatus.SCHEDULED, is_paused=False, frozen_at__isnull=False, due_at__lte=now
    )
    in_time: list[int] = []
    late: list[int] = []
    for pk, due_at, hours in due.values_list("pk", "due_at", "late_limit_hours"):
        is_late = schedule.is_too_late(due_at=due_at, now=now, late_limit_hours=hours)
        (late if is_late else in_time).append(pk)
    # By their keys: whatever became due in between has not been judged.
    if late:
        due.filter(pk__in=late).update(status=DispatchStatus.HELD, hold_reason=HoldReason.LATE)
    if in_time:
        due.filter(pk__in=in_time).update(status=DispatchStatus.RUNNING, hold_reason="")


def _complete_finished(now: datetime) -> None:
    open_chunks = Chunk.objects.filter(dispatch=OuterRef("pk")).exclude(state=ChunkState.DONE)
    # Whatever an ended one was held for or waited for does not matter any more.
    done = Q(status=DispatchStatus.RUNNING) | sweeping.ended()
    Dispatch.objects.filter(~Exists(open_chunks), done).update(
        status=DispatchStatus.COMPLETED, completed_at=now, hold_reason=""
    )


def _start_next_steps(now: datetime) -> None:
    next_steps = Step.objects.filter(
        campaign=OuterRef("campaign"), position=OuterRef("position") + 1
    )
    followed = Dispatch.objects.filter(
        campaign=OuterRef("campaign"),
        position=OuterRef("position") + 1,
        run_number=OuterRef("run_number"),
    )
    finished = Dispatch.objects.filter(
        Exists(next_steps),
        ~Exists(followed),
        ends.not_over("campaign__"),
        campaign__status=CampaignStatus.RUNNING,
        status=DispatchStatus.COMPLETED,
    ).annotate(wait_minutes=Subquery(next_steps.values("wait_minutes")[:1]))
    # One query, however many campaigns wait for late reports.
    for run in finished:
        if run.completed_at and now < course.begins_at(run.completed_at, run.wait_minutes):
            continue
        with _Fence("next step", run) as fence:
            launch.start_next_step(before=run, now=now)
        if fence.is_broken:
            holding.note_next_step_fault(before=run)
        elif run.fault_count:
            holding.forget_faults(dispatch=run)


def _start_runs(now: datetime) -> None:
    """Freeze what runs again by its calendar; where a run cannot begin, a person is asked."""
    for campaign in recurring.due(now):
        with _Fence("run") as fence:
            if campaign.recurrence is None:
                rollouts.start_rest(campaign=campaign, now=now)
            else:
                recurring.start_run(campaign=campaign, now=now)
        if fence.is_broken:
            recurring.hold_runs(campaigns=Campaign.objects.filter(pk=campaign.pk))


def _complete_campaigns(now: datetime) -> None:
    """End campaigns of which every step has a completed dispatch, or whose end has come."""
    for campaign in _finished():
        actor = system_actor("job:campaigns.tick")
        with _Fence("end"), acting(actor, LAUNCHES, now=now) as act:
            # Looked at again under the lock: somebody may just have had messages sent again.
            locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
            if _finished().filter(pk=locked.pk).exists():
                authoring.move(locked, CampaignStatus.COMPLETED, act=act)
                Campaign.objects.filter(pk=campaign.pk).update(
                    completed_at=now, next_run_at=None, run_hold_reason=""
                )
                moving.end_all(graph=locked.graph, now=now)
            else:
                act.unchanged()


def _finished() -> QuerySet[Campaign]:
    """Return the running campaigns of whose newest run every step has completed.

    And those whose end has come, when nothing of them is open any more.
    """
    steps = Step.objects.filter(campaign=OuterRef("pk"))
    newest = (
        Dispatch.objects.filter(campaign=OuterRef("campaign"))
        .order_by("-run_number")
        .values("run_number")[:1]
    )
    done = Dispatch.objects.filter(step=OuterRef("pk"), status=DispatchStatus.COMPLETED)
    missing = steps.annotate(newest=Subquery(newest)).filter(
        ~Exists(done.filter(run_number=OuterRef("newest")))
    )
    over = [DispatchStatus.COMPLETED, DispatchStatus.CANCELLED]
    # Whom the test of texts has left is still to be written to.
    has_rest = ContentTest.objects.filter(campaign=OuterRef("pk"), rest_started_at__isnull=True)
    still_open = Dispatch.objects.filter(campaign=OuterRef("pk")).exclude(status__in=over)
    is_done = Q(Exists(steps), ~Exists(missing), ~Exists(has_rest), next_run_at__isnull=True)
    return Campaign.objects.filter(
        is_done | ends.over(),
        ~Exists(still_open),
        status=CampaignStatus.RUNNING,
        launched_at__isnull=False,
    )


def _missing_workers(now: datetime) -> int:
    """Return how many more drain jobs the due chunks can use."""
    # A worker waits for a rate limit that leaves room soon; see `dispatch.drain`.
    due = chunks.claimable(now=now, slot_seconds=dispatch.IDLE_SECONDS).count()
    at_work = leases.count_held(names=dispatch.slots(settings.LOANCRM_DISPATCH_WORKERS))
    return max(0, min(due, settings.LOANCRM_DISPATCH_WORKERS - at_work))
