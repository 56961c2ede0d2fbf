"""Campaigns as a partner may see them: only those shared with its service user."""

from typing import Any

from django.db.models import QuerySet

from campaigns.models import Campaign
from loancrm.api.sharing import shared_with


def campaigns_of(user: Any) -> QuerySet[Campaign]:
    """Return the campaigns shared with a partner's service user."""
    return shared_with(user, "campaigns.view_campaign", Campaign.objects.all())


def campaign_slugs(user: Any) -> set[str]:
    """Return the slugs of the campaigns shared with a partner's service user."""
    return set(campaigns_of(user).values_list("slug", flat=True))
