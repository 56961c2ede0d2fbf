"""Freezing the steps of a campaign, and letting its people walk its graph."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns.domain.campaigns import course
from campaigns.domain.campaigns.course import CourseStep, StepCondition
from campaigns.models import Campaign, Dispatch
from campaigns.services.campaigns import content_tests
from campaigns.services.graphs import moving
from campaigns.services.sending import freezing
from campaigns.services.sending.freezing import Experiment
from customers.models import Customer
from loancrm.kernel.errors import LoanCrmError


class CampaignNotReady(LoanCrmError):
    """The campaign cannot be launched as it stands."""

    code = "campaign_not_ready"


def freeze_first_step(
    *, plan: Dispatch, campaign: Campaign, audience: QuerySet[Customer], now: datetime
) -> Dispatch:
    """Freeze the first step of a run, and let everybody in it begin at the graph's entry.

    Raises:
        CampaignNotReady: The step has no channel.
    """
    dispatch = freeze_step(plan=plan, campaign=campaign, audience=audience, now=now)
    _enrol(campaign, dispatch, now)
    return dispatch


def _enrol(campaign: Campaign, dispatch: Dispatch, now: datetime) -> None:
    """Let everybody walk the campaign's graph; of a single message nothing follows."""
    steps = list(campaign.steps.order_by("position"))
    if len(steps) < 2:
        return
    if campaign.graph is None:
        # Written once, with the first run; every later one walks the same.
        graph = course.course_of(
            [
                CourseStep(
                    step.position,
                    step.touchpoint_id,
                    step.is_fallback,
                    60 * step.wait_minutes,
                    StepCondition(step.condition),
                )
                for step in steps
            ]
        )
        campaign.graph = moving.store_graph(graph=graph, now=now)
        campaign.save(update_fields=["graph"])
    moving.enrol(graph=campaign.graph, dispatch_id=dispatch.pk, run_number=dispatch.run_number)


def freeze_step(
    *, plan: Dispatch, campaign: Campaign, audience: QuerySet[Customer], now: datetime
) -> Dispatch:
    """Freeze a planned step, in the caller's transaction.

    Raises:
        CampaignNotReady: The step has no channel.
    """
    if plan.channel is None:
        raise CampaignNotReady(_("The step has no channel."), campaign=campaign.slug)
    experiment = Experiment(
        campaign.experiment_salt,
        campaign.holdout_share,
        only_variant=content_tests.winner_of_run(campaign, plan.run_number),
    )
    return freezing.freeze(plan=plan, audience=audience, experiment=experiment, now=now)
