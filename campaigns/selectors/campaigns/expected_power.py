"""What a campaign's groups will show, by the rates that are usual."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from campaigns.domain.experiments.content_test import WinnerMetric
from campaigns.domain.experiments.power import ExpectedPower, expected_power
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Campaign, Dispatch, LinkVisit, Message, Variant
from campaigns.selectors.campaigns import content_tests
from customers.models import Customer, Event

# So many of the newest dispatches of the channel tell what is usual.
LOOKED_AT = 5


@dataclass(frozen=True, slots=True)
class CampaignPower:
    """What the holdout and the variants of a campaign will show; None where there are none."""

    holdout: ExpectedPower | None
    variants: ExpectedPower | None
    metric: WinnerMetric


def of_campaign(
    campaign: Campaign,
    *,
    people: QuerySet[Customer],
    audience: int,
    to_send: int,
    held_out: int,
    now: datetime,
) -> CampaignPower:
    """Return what the groups of a campaign that is not launched yet will show.

    The usual rate of the goal is that of the audience in the days before, as long as the goal's
    window; those of clicks and deliveries are of the channel's last dispatches.

    Args:
        people: Whom the campaign's rule chooses now.
        audience: How many they are.
        to_send: How many of them will be written to, in both parts of a test.
        held_out: How many of them the control group will have.
    """
    goal = _goal_rate(campaign, people, audience, now)
    plan = content_tests.plan_of(content_tests.of_campaign(campaign))
    metric = plan.metric if plan else WinnerMetric.CONVERTED
    base = goal if metric is WinnerMetric.CONVERTED else _usual(campaign, metric)
    tested = round(to_send * plan.test_share) if plan else to_send
    return CampaignPower(
        holdout=expected_power(goal, held_out, to_send) if held_out else None,
        variants=_of_variants(_weights(campaign), base, tested),
        metric=metric,
    )


def _of_variants(
    weights: Mapping[str, int], base: float | None, people: int
) -> ExpectedPower | None:
    if len(weights) < 2:
        return None
    keys = sorted(weights)
    total = sum(weights.values())
    sizes = {key: people * weight // total for key, weight in weights.items()}
    # The smallest of the others is told: what it shows, all show.
    smallest = min(sizes[key] for key in keys[1:])
    return expected_power(base, sizes[keys[0]], smallest, comparisons=len(keys) - 1)


def _weights(campaign: Campaign) -> dict[str, int]:
    rows = Variant.objects.filter(touchpoint__step__campaign=campaign, touchpoint__step__position=1)
    return dict(rows.values_list("key", "weight"))


def _goal_rate(
    campaign: Campaign, people: QuerySet[Customer], audience: int, now: datetime
) -> float | None:
    if not audience:
        return None
    since = now - timedelta(days=campaign.goal_window_days)
    did = Event.objects.filter(
        customer=OuterRef("pk"),
        type__name=campaign.goal_event,
        occurred_at__gt=since,
        occurred_at__lte=now,
    )
    return people.filter(Exists(did)).count() / audience


def _usual(campaign: Campaign, metric: WinnerMetric) -> float | None:
    step = campaign.steps.select_related("touchpoint__channel").order_by("position").first()
    if step is None or step.channel is None:
        return None
    newest = Dispatch.objects.filter(
        status=DispatchStatus.COMPLETED, channel_kind=step.channel.kind, audience_count__gt=0
    ).order_by("-completed_at")
    clicked = Exists(LinkVisit.objects.filter(message=OuterRef("pk"), is_bot=False))
    found = (
        Message.objects.filter(
            dispatch__in=list(newest.values_list("pk", flat=True)[:LOOKED_AT]),
            sent_at__isnull=False,
        )
        .annotate(is_clicked=clicked)
        .aggregate(
            sent=Count("pk"),
            clicked=Count("pk", filter=Q(is_clicked=True)),
            delivered=Count("pk", filter=Q(delivered_at__isnull=False)),
        )
    )
    return found[metric.value] / found["sent"] if found["sent"] else None
