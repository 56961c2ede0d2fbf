"""From an approved campaign to frozen audiences: one row a person, before anything is sent."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending import schedule
from campaigns.domain.sending.eligibility import Reason
from campaigns.domain.sending.states import DispatchStatus, MessageState
from campaigns.models import Campaign, Dispatch, Message, Step
from campaigns.selectors.campaigns import open_work
from campaigns.selectors.sending import refusals
from campaigns.services.campaigns import approval, authoring, plans
from campaigns.services.sending import freezing
from campaigns.services.sending.freezing import Experiment
from customers.domain.consents.consent import Purpose
from customers.domain.values.person import MarketingStatus
from customers.models import Customer
from customers.services.segments import versions
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import deployment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue

# People whom a fallback step serves: whom the step before could not or did not reach.
FALLBACK_REASONS = (
    Reason.UNREACHABLE,
    Reason.BOUNCED,
    Reason.NO_CONSENT,
    Reason.MISSING_VARIABLE,
    Reason.NO_CONTENT,
    Reason.CHANNEL_REFUSED,
    Reason.RETRIES_EXHAUSTED,
)

LAUNCHABLE = (CampaignStatus.APPROVED,)


class CampaignNotReady(LoanCrmError):
    """The campaign cannot be launched as it stands."""

    code = "campaign_not_ready"


def launch_campaign(*, campaign: Campaign, actor: Actor, now: datetime) -> Dispatch:
    """Freeze the audience and start, at once or at the campaign's own time.

    Raises:
        CampaignNotReady: It is not approved as it stands, has no segment or no step.
        CampaignLocked: It is not approved, or was launched before; what is paused is resumed.
        PermissionRefused: The actor may not launch campaigns.
    """
    access.require(actor, "campaigns.launch_campaign", campaign)
    # As it stands now, not as the caller read it a while ago.
    campaign.refresh_from_db()
    authoring.require_status(campaign, LAUNCHABLE)
    _require_approved(campaign)
    step = campaign.steps.select_related("touchpoint__channel").order_by("position").first()
    if campaign.segment is None or campaign.segment.current_version is None or step is None:
        raise CampaignNotReady(
            _("The campaign needs a segment and at least one message."), campaign=campaign.slug
        )
    # A person is here: what stood still with nothing to send needs no other word.
    deployment.beat(has_open_work=open_work.exists())
    with transaction.atomic():
        authoring.move(campaign, CampaignStatus.RUNNING, actor=actor, now=now, sources=LAUNCHABLE)
        Campaign.objects.filter(pk=campaign.pk).update(launched_at=now)
        campaign.launched_at = now
        due_at = campaign.start_at or now
        version = campaign.segment.current_version
        dispatch = _freeze(
            plan=plans.plan_step(campaign=campaign, step=step, version=version, due_at=due_at),
            campaign=campaign,
            audience=versions.audience_queryset(version.rule, now=now),
            now=now,
        )
        if schedule.is_too_late(due_at=due_at, now=now, late_limit_hours=campaign.late_limit_hours):
            dispatch.status, dispatch.hold_reason = DispatchStatus.HELD, "late"
            dispatch.save(update_fields=["status", "hold_reason"])
        # Once more, after everything was read: a rule that was published meanwhile must not have
        # chosen anybody.
        _require_approved(campaign)
        enqueue(jobs.TICK)
    return dispatch


def _require_approved(campaign: Campaign) -> None:
    if not approval.is_approved(campaign):
        raise CampaignNotReady(
            _("The campaign was changed after its approval; have it approved again."),
            campaign=campaign.slug,
        )


def _freeze(
    *, plan: Dispatch, campaign: Campaign, audience: QuerySet[Customer], now: datetime
) -> Dispatch:
    if plan.channel is None:
        raise CampaignNotReady(_("The step has no channel."), campaign=campaign.slug)
    experiment = Experiment(campaign.experiment_salt, campaign.holdout_share)
    return freezing.freeze(plan=plan, audience=audience, experiment=experiment, now=now)


def fallback_audience(before: Dispatch) -> QuerySet[Customer]:
    """Return the people whom a finished dispatch did not reach, control group excluded.

    Whoever has refused, complained or got into difficulties meanwhile hears no more of it.
    """
    missed = Message.objects.filter(dispatch=before, is_control=False).filter(
        Q(state__in=[MessageState.FAILED, MessageState.BOUNCED])
        | Q(state=MessageState.SKIPPED, reason__in=FALLBACK_REASONS)
    )
    return _still_served(missed, before)


def next_audience(before: Dispatch) -> QuerySet[Customer]:
    """Return the people whom an ordinary later step serves: all who were frozen at the launch.

    Whoever has refused, complained or got into difficulties meanwhile hears no more of it.
    """
    first = Dispatch.objects.filter(campaign=before.campaign_id).order_by("position")
    return _still_served(Message.objects.filter(dispatch=first.values("pk")[:1]), before)


def _still_served(messages: QuerySet[Message], before: Dispatch) -> QuerySet[Customer]:
    audience = Customer.objects.live().filter(pk__in=messages.values("customer_id"))
    if before.purpose == Purpose.MARKETING:
        audience = audience.filter(marketing_status=MarketingStatus.OPEN)
    launched_at = before.campaign.launched_at if before.campaign else None
    refused = refusals.of_people(purpose=before.purpose, since=launched_at or before.due_at)
    return audience.exclude(pk__in=refused.values("customer_id"))


def start_next_step(*, before: Dispatch, now: datetime) -> Dispatch | None:
    """Freeze the step that follows a finished dispatch, when there is one and it is due.

    A fallback serves whom the step before did not reach, an ordinary step everybody of the launch;
    neither serves who refused meanwhile.

    Returns:
        The new dispatch; None when no step follows or it must wait (for late reports).
    """
    step = (
        Step.objects.filter(campaign=before.campaign, position=before.position + 1)
        .select_related("touchpoint__channel")
        .first()
    )
    if step is None or before.completed_at is None:
        return None
    if now < before.completed_at + timedelta(minutes=step.wait_minutes):
        return None
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(dispatches=before.pk)
        # It may have been cancelled since it was found; one that is paused waits until it goes on.
        if locked.status != CampaignStatus.RUNNING:
            return None
        if Dispatch.objects.filter(step=step, run_number=before.run_number).exists():
            return None
        people = fallback_audience(before) if step.is_fallback else next_audience(before)
        plan = plans.plan_next_step(campaign=locked, step=step, before=before, due_at=now)
        return _freeze(plan=plan, campaign=locked, audience=people, now=now)
