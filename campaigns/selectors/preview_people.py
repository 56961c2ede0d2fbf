"""Whom to show a campaign's message for."""

from datetime import date, datetime

from campaigns.models import Campaign
from customers.models import Customer
from customers.selectors import customer_search
from customers.services import segments


def find(campaign: Campaign, text: str, *, today: date, now: datetime) -> Customer | None:
    """Return the customer that the text names exactly, or somebody of the campaign's segment.

    Args:
        campaign: Whose segment an example is taken from.
        text: `#id`, phone, e-mail, name or external id; empty for any member of the segment.
        today: The company's day.
        now: Aware; the segment is read as of this moment.
    """
    wanted = text.strip().removeprefix("#")
    if wanted:
        return (
            Customer.objects.live()
            .filter(customer_search.matching(wanted, today=today))
            .order_by("pk")
            .first()
        )
    segment = campaign.segment
    if segment is None or segment.current_version is None:
        return None
    members = segments.audience_of(segment, now=now)
    return members.order_by("pk").first()
