"""Whom to show a campaign's message for."""

from datetime import date, datetime

from campaigns.models import Campaign, Message
from campaigns.selectors.campaigns.audience import exclusions
from customers.models import Customer
from customers.selectors.profile import search
from customers.services.segments import versions


def match_customer(text: str, *, today: date) -> Customer | None:
    """Return the customer that a text names exactly: `#id`, phone, e-mail, name or external id."""
    wanted = text.strip().removeprefix("#")
    return (
        Customer.objects.live().filter(search.matching(wanted, today=today)).order_by("pk").first()
    )


def audience_ids(campaign: Campaign, *, now: datetime, limit: int) -> list[int]:
    """Return people of the campaign's audience: of its segment now, else of its launch."""
    segment = campaign.segment
    found: list[int] = []
    if segment is not None and segment.current_version is not None:
        members = exclusions.without(
            versions.audience_of(segment, now=now),
            exclusions.of_campaign(campaign),
            exclusions.versions_of(campaign),
            now=now,
        )
        found = list(members.order_by("pk").values_list("pk", flat=True)[:limit])
    return found or list(
        Message.objects.filter(dispatch__campaign=campaign)
        .order_by("pk")
        .values_list("customer_id", flat=True)[:limit]
    )
