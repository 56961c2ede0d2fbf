"""Whether anything would go out by itself."""

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Campaign, Dispatch
from campaigns.selectors.campaigns import content_tests


def exists() -> bool:
    """Return whether something would be sent now or later with no person asked."""
    goes_on = Campaign.objects.filter(
        content_tests.goes_on(), status=CampaignStatus.RUNNING, run_hold_reason=""
    )
    return (
        goes_on.exists()
        or Dispatch.objects.filter(
            is_paused=False,
            status__in=[DispatchStatus.SCHEDULED, DispatchStatus.RUNNING],
        ).exists()
    )
