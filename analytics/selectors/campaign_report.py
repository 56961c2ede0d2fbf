"""The report of one campaign, read with a fixed number of statements."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, Sum
from django.db.models.functions import Coalesce

from analytics.domain import campaign_report as figures
from analytics.domain import campaign_worth as worth
from analytics.domain.campaign_report import Breakdown, CampaignHead, CampaignReport, Counts
from analytics.domain.campaign_worth import ConverterFollowUp, ReturnAssumptions
from analytics.domain.cost import CostCategory, CostLine, total_amount
from analytics.domain.figures import Figure
from analytics.domain.outcomes import Population
from analytics.selectors import borrowings, outcomes
from analytics.selectors.credit import values
from campaigns.models import Campaign, CampaignCost, Message
from campaigns.selectors.campaigns import sent_goals
from campaigns.selectors.campaigns.sent_goals import SentGoal
from customers.models import Customer
from loancrm.kernel import clock


def load_report(
    *, campaign: Campaign, as_of: datetime, assumptions: ReturnAssumptions | None = None
) -> CampaignReport:
    """Return everything known about a campaign at `as_of`.

    Facts later than `as_of` are left out, except that states of loans are those of their last
    refresh, and that losses are reckoned with the values in use now unless others are given. Works
    for campaigns run here and for imported ones alike.
    """
    zone = clock.company_zone()
    assumptions = assumptions or values.return_assumptions()
    goal = sent_goals.goals_of([campaign])[campaign.pk]
    head = _head(campaign, goal, as_of)
    population = Population(outcomes.load_cells(campaign=campaign, goal=goal, as_of=as_of))
    converters = outcomes.load_converters(campaign=campaign, goal=goal, as_of=as_of)
    followed = borrowings.load_followed(converters=converters, as_of=as_of, zone=zone)
    today = as_of.astimezone(zone).date()
    lines = _cost_lines(campaign, as_of)
    counts = figures.counts_of(population)
    lift = figures.lift_figures(head, population.treated, population.control)
    defaults = worth.default_curves(head, followed, today)
    classic, rolling = worth.retention_figures(head, followed, today)
    return CampaignReport(
        head=head,
        counts=counts,
        figures={
            **figures.conversion_figures(head, population),
            **lift,
            **worth.cost_figures(head, lines, followed, counts.converted),
            **worth.incremental_figures(head, lift, total_amount(lines), followed, assumptions),
        },
        variants=figures.breakdowns(
            head, population.tested, name="variant", of=lambda cell: cell.variant
        ),
        channels=_channels(head, population, lines, followed),
        retention=classic,
        rolling_retention=rolling,
        default_rates=defaults.by_count,
        default_amount_rates=defaults.by_amount,
        allocation=figures.allocation_checks(head, population),
    )


def load_brief(*, campaign: Campaign, as_of: datetime) -> tuple[Counts, Figure]:
    """Return the counts of a campaign's report and its lift, without all that costs more."""
    goal = sent_goals.goals_of([campaign])[campaign.pk]
    head = _head(campaign, goal, as_of)
    population = Population(outcomes.load_cells(campaign=campaign, goal=goal, as_of=as_of))
    lift = figures.lift_figures(head, population.treated, population.control)
    return figures.counts_of(population), lift["lift"]


def merged_count(campaign: Campaign) -> int:
    """Return how many records of the audience are part of another record by now.

    The report counts persons; the campaign's page counts the records that were frozen.
    """
    reached = Message.objects.filter(dispatch__campaign=campaign, customer=OuterRef("pk"))
    return Customer.objects.filter(Exists(reached), merged_into__isnull=False).count()


def _head(campaign: Campaign, goal: SentGoal, as_of: datetime) -> CampaignHead:
    steps = list(
        campaign.steps.select_related("touchpoint")
        .order_by("position")
        .prefetch_related("touchpoint__variants")
    )
    weights = {x.key: x.weight for x in steps[0].touchpoint.variants.all()} if steps else {}
    return CampaignHead(
        slug=campaign.slug,
        name=campaign.name,
        status=campaign.status,
        goal_event=goal.event,
        window_days=goal.window_days,
        as_of=as_of,
        holdout_share=float(campaign.holdout_share),
        variant_weights=weights,
        has_fallback=any(step.is_fallback for step in steps),
    )


def _channels(
    head: CampaignHead,
    population: Population,
    lines: Sequence[CostLine],
    followed: Sequence[ConverterFollowUp],
) -> tuple[Breakdown, ...]:
    spread = worth.shared_media(lines, worth.sent_by_channel(population))
    parts = figures.breakdowns(
        head, population.treated, name="channel", of=lambda cell: cell.channel
    )
    return tuple(
        Breakdown(
            key=part.key,
            counts=part.counts,
            figures={
                **part.figures,
                **worth.channel_cost_figures(
                    head, spread, followed, channel=part.key, converted=part.counts.converted
                ),
            },
        )
        for part in parts
    )


def _cost_lines(campaign: Campaign, as_of: datetime) -> list[CostLine]:
    # As on the campaign's page and in its budget: one of unknown fate may have been taken.
    messages = (
        Message.objects.filter(dispatch__campaign=campaign)
        .annotate(handed_over_at=Coalesce("sent_at", "attempted_at"))
        .filter(handed_over_at__lte=as_of)
        .values_list("dispatch__channel_kind")
        .annotate(total=Sum("cost_amount"))
        .order_by("dispatch__channel_kind")
    )
    lines = [
        CostLine(CostCategory.MESSAGES, total or Decimal(0), channel) for channel, total in messages
    ]
    known = set(CostCategory)
    last_day = as_of.astimezone(clock.company_zone()).date()
    other = CampaignCost.objects.filter(campaign=campaign, incurred_on__lte=last_day)
    lines.extend(
        CostLine(CostCategory(category) if category in known else CostCategory.OTHER, amount)
        for category, amount in other.order_by("pk").values_list("category", "amount")
    )
    return lines
