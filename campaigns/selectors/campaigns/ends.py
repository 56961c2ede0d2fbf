"""Whether a campaign's end has come, by the clock that all workers share."""

from django.db.models import Q

from campaigns.models import Campaign
from loancrm.kernel.database import shared_clock
from loancrm.kernel.database.shared_clock import Moment


def over(prefix: str = "") -> Q:
    """Return the condition that a campaign's end has come.

    Args:
        prefix: The way to the campaign from the rows that are asked for.
    """
    return Q(**{f"{prefix}end_at__lte": Moment()})


def not_over(prefix: str = "") -> Q:
    """Return the condition that a campaign has no end, or that it is still to come."""
    return Q(**{f"{prefix}end_at__isnull": True}) | Q(**{f"{prefix}end_at__gt": Moment()})


def is_over(campaign: Campaign) -> bool:
    """Return whether the end of a campaign, as it was read, has come."""
    return campaign.end_at is not None and campaign.end_at <= shared_clock.now()
