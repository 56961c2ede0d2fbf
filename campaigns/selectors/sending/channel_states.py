"""Provider accounts that somebody has to see to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from campaigns.models import Channel, Dispatch
from loancrm.kernel.database import shared_clock


@dataclass(frozen=True, slots=True)
class AccountState:
    """A channel that sends nothing now.

    Attributes:
        reason: As the provider gave it.
        since: When it was blocked, until a person acts.
        until: When a pause ends by itself.
    """

    channel: Channel
    reason: str
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_blocked(self) -> bool:
        """Return whether only a person can end it."""
        return self.since is not None


def state_of(channel: Channel) -> AccountState | None:
    """Return why a channel sends nothing now, or None."""
    if channel.blocked_at is not None:
        return AccountState(channel, channel.blocked_reason, since=channel.blocked_at)
    until = channel.paused_until
    if until is not None and until > shared_clock.now():
        return AccountState(channel, channel.pause_reason, until=until)
    return None


def standing_still(dispatches: QuerySet[Dispatch] | None = None) -> Sequence[AccountState]:
    """Return the channels that send nothing now: all, or those of some dispatches."""
    rows = Channel.objects.exclude(blocked_at__isnull=True, paused_until__isnull=True)
    if dispatches is not None:
        rows = rows.filter(pk__in=dispatches.values("channel_id"))
    states = (state_of(channel) for channel in rows.order_by("name", "pk"))
    return [state for state in states if state is not None]
