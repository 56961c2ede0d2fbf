"""What a campaign's step tells the sending engine: a dispatch that is planned and not stored."""

from datetime import datetime
from decimal import Decimal

from campaigns.domain.content import personalisation
from campaigns.domain.sending.states import DispatchSource, Priority
from campaigns.models import Campaign, Channel, Dispatch, Step
from campaigns.selectors.campaigns.audience import exclusions
from campaigns.selectors.content import approved_touchpoint
from customers.domain.consents.consent import Purpose
from customers.domain.segments.parse import parse_rule
from customers.models import SegmentVersion

# What later steps take over from the first, as it was frozen at the launch.
_TAKEN_OVER = (
    "name",
    "subject",
    "purpose",
    "service_kind",
    "product_kind",
    "priority",
    "goal_event",
    "goal_window_days",
    "goal_since",
    "segment_version",
    "excluded_versions",
    "uses_personal_rules",
    "budget",
    "volume_caps",
    "late_limit_hours",
)


def plan_step(
    *,
    campaign: Campaign,
    step: Step,
    version: SegmentVersion | None,
    due_at: datetime,
    now: datetime,
) -> Dispatch:
    """Return the plan of a campaign's first step.

    Args:
        version: The rule that chooses the people.
        now: When they are chosen; who reaches the goal later gets no message.
    """
    left_out = exclusions.versions_of(campaign).values()
    is_service = campaign.purpose == Purpose.SERVICE
    plan = Dispatch(
        name=campaign.name,
        subject=campaign.slug,
        purpose=campaign.purpose,
        service_kind=campaign.service_kind,
        product_kind=campaign.product_kind,
        priority=Priority.SERVICE if is_service else Priority.NORMAL,
        goal_event=campaign.goal_event,
        goal_window_days=campaign.goal_window_days,
        goal_since=now if campaign.stops_at_goal else None,
        segment_version=version,
        uses_personal_rules=any(map(uses_personal_rules, [version, *left_out])),
        budget=campaign.budget,
        late_limit_hours=campaign.late_limit_hours,
    )
    return _of_step(plan, campaign, step, due_at)


def plan_next_step(
    *, campaign: Campaign, step: Step, before: Dispatch, due_at: datetime
) -> Dispatch:
    """Return the plan of a later step; what was frozen with the one before it stays.

    Args:
        before: The dispatch of the step before; a fallback serves whom it did not reach.
    """
    plan = Dispatch(**{name: getattr(before, name) for name in _TAKEN_OVER})
    plan.run_number = before.run_number
    plan.before = before if step.is_fallback else None
    plan.refusals_since = before.refusals_since or before.frozen_at or before.due_at
    _of_step(plan, campaign, step, due_at)
    earlier = Dispatch.objects.filter(step=step).order_by("run_number").first()
    if earlier is not None:
        plan.unit_cost = earlier.unit_cost
    return plan


def plan_run(
    *, campaign: Campaign, step: Step, first: Dispatch, due_at: datetime, now: datetime
) -> Dispatch:
    """Return the plan of a campaign's first step run once more, with what was frozen at the launch.

    Args:
        first: The dispatch of the first run.
        now: When its people are chosen.
    """
    plan = Dispatch(**{name: getattr(first, name) for name in _TAKEN_OVER})
    plan.goal_since = now if first.goal_since is not None else None
    # An answer to one message is an answer to the campaign, for all its later runs.
    plan.refusals_since = first.frozen_at
    _of_step(plan, campaign, step, due_at)
    plan.unit_cost = first.unit_cost
    return plan


def _of_step(plan: Dispatch, campaign: Campaign, step: Step, due_at: datetime) -> Dispatch:
    channel = step.channel
    plan.source = DispatchSource.STEP
    plan.campaign = campaign
    plan.step = step
    plan.position = step.position
    plan.touchpoint = step.touchpoint
    plan.channel = channel
    plan.channel_kind = channel.kind if channel else ""
    plan.unit_cost = unit_cost(campaign, channel) if channel else None
    plan.approved_parts = dict(step.touchpoint.approved_parts)
    plan.due_at = due_at
    plan.ends_at = end_of(campaign, step)
    return plan


def end_of(campaign: Campaign, step: Step) -> datetime | None:
    """Return when a step's messages end: with the campaign, or with a product that they list."""
    ends = (campaign.end_at, approved_touchpoint.offer_end(step.touchpoint))
    return min((at for at in ends if at is not None), default=None)


def uses_personal_rules(version: SegmentVersion | None) -> bool:
    """Return whether a rule chooses people by behaviour or score (PIPL article 24)."""
    rule = parse_rule(version.rule).rule if version else None
    return rule is not None and personalisation.uses_behaviour(rule)


def unit_cost(campaign: Campaign, channel: Channel) -> Decimal:
    """Return what a part of a message costs: the campaign's own price, else the channel's."""
    own = campaign.cost_per_message
    return channel.cost_per_part if own is None else own
