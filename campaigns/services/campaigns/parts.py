"""What a campaign is made of beside its own row and its messages: its budget and its segment."""

from datetime import datetime
from decimal import Decimal

from campaigns.domain.campaigns.spec import CampaignSpec
from campaigns.domain.sending.volumes import VolumePeriod
from campaigns.models import Budget, Campaign, CampaignCost, VolumeCap
from customers.models import Segment
from customers.services.segments import versions
from loancrm.kernel import clock
from loancrm.kernel.access import Actor


def budget_with(before: Budget | None, limit: Decimal | None) -> Budget | None:
    """Return a draft's budget with this limit; None without one."""
    if limit is None:
        return None
    if before is None:
        return Budget.objects.create(limit_amount=limit)
    before.limit_amount = limit
    before.save(update_fields=["limit_amount"])
    return before


def write_volume_caps(campaign: Campaign) -> list[int]:
    """Store the caps on a campaign's number of messages as it is launched; return their keys."""
    wanted = (
        (VolumePeriod.IN_ALL, campaign.message_limit),
        (VolumePeriod.DAY, campaign.daily_message_limit),
    )
    return [
        VolumeCap.objects.create(period=period, most=most).pk
        for period, most in wanted
        if most is not None
    ]


def segment_of(spec: CampaignSpec, *, actor: Actor, now: datetime) -> Segment:
    """Return the segment that a description names, or a new one of the rule that it holds."""
    if spec.segment_rule is None:
        return Segment.objects.get(slug=spec.segment_slug)
    return versions.create_segment(
        slug=spec.segment_slug or f"{spec.slug}-audience",
        name=spec.name,
        rule=spec.segment_rule,
        actor=actor,
        now=now,
    )


def write_costs(campaign: Campaign, spec: CampaignSpec, *, now: datetime) -> None:
    """Write the money that a new campaign costs beside its messages, as of its beginning."""
    incurred_on = (spec.start_at or now).astimezone(clock.company_zone()).date()
    CampaignCost.objects.bulk_create(
        CampaignCost(
            campaign=campaign,
            category=cost.category,
            amount=cost.amount,
            note=cost.note,
            incurred_on=incurred_on,
        )
        for cost in spec.costs
    )
