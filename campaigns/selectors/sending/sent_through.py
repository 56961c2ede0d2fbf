"""Through which channels a campaign's messages went, where others stood in for its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, Sum

from campaigns.models import Campaign, Message, StandIn


@dataclass(frozen=True, slots=True)
class Way:
    """One channel that sent instead of a campaign's own.

    Attributes:
        name: Of the channel.
        count: Messages that were handed over through it, or may have been.
        cost_amount: What they cost.
    """

    name: str
    count: int
    cost_amount: Decimal


def of_campaign(campaign: Campaign) -> Sequence[Way]:
    """Return the channels that stood in, by name; two queries, one where none could."""
    dispatches = campaign.dispatches.filter(channel__isnull=False)
    if not StandIn.objects.filter(channel__in=dispatches.values("channel")).exists():
        return []
    rows = Message.objects.filter(
        dispatch__in=dispatches, channel__isnull=False, attempted_at__isnull=False
    ).exclude(channel=F("dispatch__channel"))
    found = rows.values("channel__name").annotate(count=Count("pk"), cost=Sum("cost_amount"))
    return [
        Way(row["channel__name"], row["count"], row["cost"] or Decimal(0))
        for row in found.order_by("channel__name")
    ]
