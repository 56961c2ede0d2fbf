"""Whether anything would go out by itself."""

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Campaign, Dispatch


def exists() -> bool:
    """Return whether something would be sent now or later with no person asked."""
    runs_again = Campaign.objects.filter(
        status=CampaignStatus.RUNNING, next_run_at__isnull=False, run_hold_reason=""
    )
    return (
        runs_again.exists()
        or Dispatch.objects.filter(
            is_paused=False,
            status__in=[DispatchStatus.SCHEDULED, DispatchStatus.RUNNING],
        ).exists()
    )
