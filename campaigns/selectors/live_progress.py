"""Where a campaign's messages stand right now: counts that always add up to the audience."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Sum

from campaigns.domain.campaign import CampaignStatus, MessageState
from campaigns.models import Campaign, Dispatch, Message

OVER = frozenset({CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.IMPORTED})


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of all of a campaign's messages.

    Attributes:
        audience: All messages, the control group and skipped people included.
        states: Count of every state, zeros included; they add up to `audience`.
        reasons: (state, reason, count) of people who got nothing or not yet, largest first.
        spent_amount: CNY.
    """

    audience: int
    states: Mapping[str, int]
    reasons: Sequence[tuple[str, str, int]]
    spent_amount: Decimal
    is_over: bool


def of_campaign(campaign: Campaign) -> Progress:
    """Return the progress of all dispatches of a campaign, test messages left out (2 queries)."""
    rows = (
        Message.objects.filter(dispatch__campaign=campaign, dispatch__is_test=False)
        .values_list("state", "reason")
        .annotate(count=Count("pk"), cost=Sum("cost_amount"))
        .order_by()
    )
    states = dict.fromkeys((str(state) for state in MessageState), 0)
    reasons: list[tuple[str, str, int]] = []
    spent = Decimal(0)
    for state, reason, count, cost in rows:
        states[state] += count
        spent += cost or 0
        if reason:
            reasons.append((state, reason, count))
    return Progress(
        audience=sum(states.values()),
        states=states,
        reasons=sorted(reasons, key=lambda row: (-row[2], row[0], row[1])),
        spent_amount=spent,
        is_over=campaign.status in OVER,
    )


def dispatches(campaign: Campaign) -> Sequence[Dispatch]:
    """Return the runs of a campaign's steps in the order of the steps."""
    return list(
        Dispatch.objects.filter(campaign=campaign, is_test=False)
        .select_related("channel", "step")
        .order_by("step__position")
    )


def finished_shares(campaigns: Sequence[Campaign]) -> Mapping[int, tuple[int, int]]:
    """Return, for each campaign, how many of its messages are done and how many there are."""
    open_states = (MessageState.PLANNED, MessageState.SENDING)
    found: dict[int, tuple[int, int]] = {}
    rows = (
        Message.objects.filter(dispatch__campaign__in=campaigns, dispatch__is_test=False)
        .values_list("dispatch__campaign_id", "state")
        .annotate(count=Count("pk"))
        .order_by()
    )
    for campaign_id, state, count in rows:
        done, total = found.get(campaign_id, (0, 0))
        found[campaign_id] = (done + (0 if state in open_states else count), total + count)
    return found
