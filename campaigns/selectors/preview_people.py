"""Whom to show a campaign's message for."""

from datetime import date, datetime

from campaigns.models import Campaign, Message
from customers.models import Customer
from customers.selectors import customer_search
from customers.services import segments


def find(campaign: Campaign, text: str, *, today: date, now: datetime) -> Customer | None:
    """Return the customer that the text names exactly, or somebody of the campaign's audience.

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
    member = segments.audience_of(segment, now=now).order_by("pk").first()
    return member or _of_frozen_audience(campaign)


def _of_frozen_audience(campaign: Campaign) -> Customer | None:
    """Return somebody whom the campaign chose when it was launched."""
    row = (
        Message.objects.filter(dispatch__campaign=campaign, dispatch__is_test=False)
        .select_related("customer")
        .order_by("pk")
        .first()
    )
    return row.customer if row else None
