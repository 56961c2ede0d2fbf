"""From an approved campaign to frozen audiences: one row a person, before anything is sent."""

from datetime import datetime

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain.campaigns import course
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending import schedule
from campaigns.domain.sending.states import DispatchStatus, HoldReason
from campaigns.models import Campaign, Dispatch, Step
from campaigns.selectors.campaigns import open_work
from campaigns.selectors.campaigns.ends import is_over
from campaigns.selectors.graphs.walkers import Sendings
from campaigns.services.campaigns import (
    approval,
    authoring,
    content_tests,
    fairness,
    parts,
    plans,
    recurring,
    score_use,
)
from campaigns.services.campaigns.audience import choosing
from campaigns.services.campaigns.steps_freezing import (
    CampaignNotReady,
    freeze_first_step,
    freeze_step,
)
from campaigns.services.graphs import moving
from customers.domain.consents.consent import Purpose
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.auditing import deployment
from loancrm.kernel.jobs import enqueue

LAUNCHABLE = (CampaignStatus.APPROVED,)


def launch_campaign(*, campaign: Campaign, actor: Actor, now: datetime) -> Dispatch:
    """Freeze the audience and start, at once or at the campaign's own time.

    Raises:
        CampaignNotReady: It is not approved as it stands, has no segment or no step.
        ScoreNotUsable: A score that chooses its people may not do so now.
        AudienceUnfair: A model chooses some people too rarely, and no two people agreed to it.
        CampaignLocked: It is not approved, or was launched before; what is paused is resumed.
        PermissionRefused: The actor may not launch campaigns.
    """
    act = acting(actor, "campaigns.launch_campaign", on=campaign, now=now)
    # As it stands now, not as the caller read it a while ago.
    campaign.refresh_from_db()
    authoring.require_status(campaign, LAUNCHABLE)
    _require_approved(campaign)
    step = campaign.steps.select_related("touchpoint__channel").order_by("position").first()
    if campaign.segment is None or campaign.segment.current_version is None or step is None:
        raise CampaignNotReady(
            _("The campaign needs a segment and at least one message."), campaign=campaign.slug
        )
    if is_over(campaign):
        raise CampaignNotReady(_("The campaign's end has passed."), campaign=campaign.slug)
    uses = score_use.require_usable(score_use.scores_of(campaign, now=now), campaign)
    found = fairness.require_fair(campaign, now=now)
    # A person is here: what stood still with nothing to send needs no other word.
    deployment.beat(has_open_work=open_work.exists())
    # By the rules of this moment, which are frozen with the first run.
    audience = choosing.audience_of(campaign, version=campaign.segment.current_version, now=now)
    with act:
        authoring.move(
            campaign,
            CampaignStatus.RUNNING,
            act=act,
            sources=LAUNCHABLE,
            facts={**fairness.audit_facts(found), **score_use.audit_facts(uses)},
        )
        campaign.launched_at = now
        due_at = recurring.first_due(campaign, now)
        is_triggered = campaign.trigger is not None
        campaign.next_run_at = due_at if is_triggered else recurring.due_after(campaign, due_at)
        campaign.last_run_at = due_at if campaign.recurrence else None
        campaign.save(update_fields=["launched_at", "last_run_at", "next_run_at"])
        version = campaign.segment.current_version
        plan = plans.plan_step(
            campaign=campaign, step=step, version=version, due_at=due_at, now=now
        )
        audience.note_on(plan)
        plan.volume_caps = parts.write_volume_caps(campaign)
        dispatch = freeze_first_step(
            plan=plan,
            campaign=campaign,
            audience=content_tests.first_people(campaign, audience.people),
            now=now,
        )
        _write_start(dispatch, campaign, now)
        # Once more, after everything was read: a rule that was published meanwhile must not have
        # chosen anybody, nor a model that scored anew or a list that a targeting replaced.
        _require_approved(campaign)
        # A part of them that was drawn by lot would tell of chance as well.
        is_drawn = is_triggered or content_tests.is_tested(campaign)
        fairness.require_fair(campaign, now=now, frozen=None if is_drawn else dispatch)
        enqueue(jobs.TICK)
    return dispatch


def _write_start(dispatch: Dispatch, campaign: Campaign, now: datetime) -> None:
    """Hold a start that was missed; end at once what is about nobody: triggers begin the rest."""
    hours = campaign.late_limit_hours
    if campaign.trigger is not None:
        dispatch.status, dispatch.completed_at = DispatchStatus.COMPLETED, now
    elif schedule.is_too_late(due_at=dispatch.due_at, now=now, late_limit_hours=hours):
        dispatch.status, dispatch.hold_reason = DispatchStatus.HELD, HoldReason.LATE
    else:
        return
    dispatch.save(update_fields=["status", "completed_at", "hold_reason"])


def _require_approved(campaign: Campaign) -> None:
    if not approval.is_approved(campaign):
        raise CampaignNotReady(
            _("The campaign was changed after its approval; have it approved again."),
            campaign=campaign.slug,
        )


def start_next_step(*, before: Dispatch, now: datetime) -> Dispatch | None:
    """Freeze the step that follows a finished dispatch, when there is one and it is due.

    Whom it serves is decided person by person, as each walks the campaign's graph, and frozen in
    the same transaction.

    Returns:
        The new dispatch; None when no step follows or it must wait (for late reports).

    Raises:
        CampaignNotReady: The step has no channel, or the campaign no graph.
    """
    with transaction.atomic():
        # Cancelling, pausing and deciding about unknown messages lock the campaign first too.
        campaign = Campaign.objects.select_for_update().get(dispatches=before.pk)
        before = Dispatch.objects.select_for_update().get(pk=before.pk)
        steps = Step.objects.filter(campaign=campaign, position=before.position + 1)
        step = steps.select_related("touchpoint__channel").first()
        if step is None or not _may_begin(campaign, step, before, now):
            return None
        if campaign.graph is None:
            raise CampaignNotReady(_("The campaign has no graph."), campaign=campaign.slug)
        moving.move(
            graph=campaign.graph,
            run_number=before.run_number,
            nodes=course.nodes_before(step.position),
            sendings=_sendings(campaign, before),
            now=now,
        )
        people = moving.people_at(
            graph=campaign.graph,
            run_number=before.run_number,
            node=course.send_node(step.position),
        )
        plan = plans.plan_next_step(campaign=campaign, step=step, before=before, due_at=now)
        return freeze_step(plan=plan, campaign=campaign, audience=people, now=now)


def _may_begin(campaign: Campaign, step: Step, before: Dispatch, now: datetime) -> bool:
    """Return whether a step begins: its wait is over, nobody stopped it, it has not begun."""
    # It may have been cancelled or reopened since it was found; one that is paused waits.
    if is_over(campaign):
        return False
    if campaign.status != CampaignStatus.RUNNING or before.status != DispatchStatus.COMPLETED:
        return False
    if before.completed_at is None or now < course.begins_at(
        before.completed_at, step.wait_minutes
    ):
        return False
    return not Dispatch.objects.filter(step=step, run_number=before.run_number).exists()


def _first_frozen(runs: QuerySet[Dispatch]) -> datetime | None:
    """Return when the people of a run were chosen."""
    found: datetime | None = runs.aggregate(at=Min("frozen_at"))["at"]
    return found


def _sendings(campaign: Campaign, before: Dispatch) -> Sendings:
    runs = Dispatch.objects.filter(campaign=campaign, run_number=before.run_number)
    return Sendings(
        of_node={course.send_node(run.position): run for run in runs},
        purpose=Purpose(before.purpose),
        begun_at=before.refusals_since or before.frozen_at or before.due_at,
        goal_event=before.goal_event,
        goal_since=_first_frozen(runs),
    )
