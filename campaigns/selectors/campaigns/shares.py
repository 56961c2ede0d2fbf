"""Campaigns as a partner may see them: only those shared with its service user."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from loancrm.api.sharing import shared_with
from loancrm.kernel.errors import LoanCrmError


class CampaignNotFound(LoanCrmError):
    """No such campaign is shared with the partner."""

    code = "campaign_not_found"

    def __init__(self) -> None:
        """Say the same whether the campaign does not exist or is not shared."""
        super().__init__(_("No such campaign is shared with you."))


def campaigns_of(user: Any) -> QuerySet[Campaign]:
    """Return the campaigns shared with a partner's service user."""
    return shared_with(user, "campaigns.view_campaign", Campaign.objects.all())


def campaign_slugs(user: Any) -> set[str]:
    """Return the slugs of the campaigns shared with a partner's service user."""
    return set(campaigns_of(user).values_list("slug", flat=True))


def refuse_unless_report_is_shared(user: Any, slug: str) -> None:
    """Refuse unless the report of this campaign is shared with a partner's service user.

    Raises:
        CampaignNotFound: It is not, or there is no such campaign.
    """
    campaigns = Campaign.objects.filter(slug=slug)
    if not shared_with(user, "campaigns.view_report", campaigns).exists():
        raise CampaignNotFound
