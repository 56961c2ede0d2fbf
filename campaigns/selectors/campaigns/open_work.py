"""Whether anything would go out by itself."""

from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Dispatch


def exists() -> bool:
    """Return whether a dispatch would send now or later with no person asked."""
    return Dispatch.objects.filter(
        is_paused=False,
        status__in=[DispatchStatus.SCHEDULED, DispatchStatus.RUNNING],
    ).exists()
