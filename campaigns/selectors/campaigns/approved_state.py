"""A campaign as it stands, in the parts that an approval covers.

Everything is read from what will be used, never from a column that says what once was: the texts
themselves, the values put into them, the rules of segments that the rule names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from campaigns.domain.content import approval
from campaigns.domain.content.approval import ApprovedPart
from campaigns.models import Campaign, Dispatch, Step, Variant
from campaigns.selectors.campaigns import content_tests
from campaigns.selectors.campaigns.audience import exclusions
from campaigns.selectors.content import approved_touchpoint, current_texts
from customers.models import Segment, SegmentVersion
from customers.selectors.segments import references
from loancrm.kernel.access import ActorKind
from loancrm.kernel.auditing import audit
from loancrm.kernel.models import AuditEntry


@dataclass(frozen=True, slots=True)
class CampaignState:
    """A campaign as it was read at one moment.

    Attributes:
        shown: Everything that an approval covers, by part.
        touchpoints: The same of each touchpoint alone, by its key.
    """

    shown: Mapping[str, Any]
    touchpoints: Mapping[int, Mapping[str, Any]]

    @property
    def parts(self) -> dict[str, str]:
        """Return the digest of each part."""
        return approval.digests(self.shown)


def parts_of(campaign: Campaign) -> dict[str, str]:
    """Return the digest of each part of a campaign as it stands in the database now."""
    return read(campaign).parts


def read(campaign: Campaign) -> CampaignState:
    """Return everything that an approval covers, in full, for who has to read it."""
    steps = list(
        campaign.steps.select_related("touchpoint__channel")
        .prefetch_related("touchpoint__channel__stand_ins__other")
        .order_by("position")
    )
    texts = current_texts.of_campaign(campaign)
    touchpoints = {
        step.touchpoint_id: approved_touchpoint.shown(
            step.channel,
            [text for text in texts if text.variant.touchpoint_id == step.touchpoint_id],
            name=campaign.name,
        )
        for step in steps
    }
    variants = list(
        Variant.objects.filter(touchpoint__step__campaign=campaign)
        .order_by("touchpoint__step__position", "key")
        .values_list("touchpoint__step__position", "key", "weight")
    )
    values: dict[ApprovedPart, Any] = {
        **{
            part: [touchpoint[part] for touchpoint in touchpoints.values()]
            for part in approval.OF_TOUCHPOINTS
        },
        ApprovedPart.PURPOSE: [campaign.purpose, campaign.service_kind, campaign.product_kind],
        ApprovedPart.PRICES: [_price(campaign, step) for step in steps],
        ApprovedPart.AUDIENCE: _audience(campaign, _version(campaign)),
        ApprovedPart.EXPERIMENT: [
            str(campaign.experiment_salt),
            f"{campaign.holdout_share:.3f}",
            [list(row) for row in variants],
            _content_test(campaign),
        ],
        ApprovedPart.SCHEDULE: [
            campaign.start_at.isoformat() if campaign.start_at else "",
            campaign.end_at.isoformat() if campaign.end_at else "",
            campaign.late_limit_hours,
            campaign.recurrence,
            campaign.trigger,
            [[row.position, row.is_fallback, row.wait_minutes, row.condition] for row in steps],
        ],
        ApprovedPart.TERMS: [
            campaign.name,
            campaign.goal_event,
            campaign.goal_window_days,
            campaign.stops_at_goal,
            campaign.message_limit,
            campaign.daily_message_limit,
            "" if campaign.budget_amount is None else f"{campaign.budget_amount:.2f}",
        ],
    }
    return CampaignState({part.value: value for part, value in values.items()}, touchpoints)


def has_changed_rules(campaign: Campaign, user: User, *, since: int) -> bool:
    """Return whether a person wrote a rule that decides who receives the campaign.

    Args:
        since: Number of an entry of the audit trail.
    """
    segment = campaign.segment
    if segment is None:
        return False
    rule = segment.current_version.rule if segment.current_version else None
    slugs = {segment.slug, *references.rules_behind(rule)}
    for slug, row in exclusions.versions_of(campaign).items():
        slugs |= {slug, *references.rules_behind(row.rule)}
    ids = Segment.objects.filter(slug__in=slugs).values_list("pk", flat=True)
    return AuditEntry.objects.filter(
        object_type=audit.type_of(Segment),
        object_id__in=[str(pk) for pk in ids],
        action__in=("segment.create", "segment.publish"),
        actor_kind=ActorKind.USER,
        actor_id=str(user.pk),
        pk__gt=since,
    ).exists()


def has_changed_products(campaign: Campaign, user: User, *, since: int) -> bool:
    """Return whether a person changed a product, where a text of the campaign tells of products."""
    # Hardly anybody has: the texts are read where it matters only.
    return approved_touchpoint.has_changed_products(
        user, since=since
    ) and approved_touchpoint.has_products(current_texts.of_campaign(campaign))


def _price(campaign: Campaign, step: Step) -> str:
    if campaign.cost_per_message is not None:
        return f"{campaign.cost_per_message:.4f}"
    return f"{step.channel.cost_per_part:.4f}" if step.channel else ""


def _content_test(campaign: Campaign) -> Any:
    plan = content_tests.plan_of(content_tests.of_campaign(campaign))
    return plan.definition if plan else None


def _version(campaign: Campaign) -> SegmentVersion | None:
    """Return the rule that chooses the people: as it was at the launch, once it was launched."""
    if campaign.launched_at is not None:
        runs = Dispatch.objects.filter(campaign=campaign, position=1).order_by("run_number")
        first = runs.select_related("segment_version").first()
        if first is not None and first.segment_version is not None:
            return first.segment_version
    return campaign.segment.current_version if campaign.segment else None


def audience_digest(campaign: Campaign, version: SegmentVersion | None) -> str:
    """Return the digest that the audience has by one version of the rule, and the rules behind."""
    return approval.part_digest(_audience(campaign, version))


def _audience(campaign: Campaign, version: SegmentVersion | None) -> Any:
    """Return the segment with a rule and the rules of all segments that it leads to."""
    if campaign.segment is None:
        return None
    rule = version.rule if version else None
    shown = [campaign.segment.slug, rule, references.rules_behind(rule)]
    return [*shown, left_out] if (left_out := _left_out(campaign)) else shown


def _left_out(campaign: Campaign) -> Any:
    """Return whom a campaign leaves out, with the rules of the segments and those behind them."""
    if not campaign.exclusions:
        return None
    rules = exclusions.versions_of(campaign)
    return [
        campaign.exclusions,
        {slug: [row.rule, references.rules_behind(row.rule)] for slug, row in rules.items()},
    ]
