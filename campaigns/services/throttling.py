"""One rate limiter a channel, shared by all workers: a row that says when the next slot is free.

Source: the generic cell rate algorithm (ITU-T I.371, annex A), reserved a batch at a time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from campaigns.channels.base import Outcome, SendResult
from campaigns.channels.errors import ChannelBlocked, ChannelError
from campaigns.models import Channel
from loancrm.kernel.database_clock import Moment

UNAVAILABLE_SECONDS = 30.0
BUSY_SECONDS = 5.0


def burst(channel: Channel, batch_size: int) -> int:
    """Return how many messages may go out at once: at most a quarter of a second's worth."""
    if channel.rate_per_second is None:
        return batch_size
    return max(1, min(batch_size, channel.rate_per_second // 4))


def reserve(*, channel: Channel, count: int, now: datetime) -> float:
    """Reserve slots for a batch; return the seconds to wait before sending it."""
    rate = channel.rate_per_second
    if rate is None:
        return 0.0
    with transaction.atomic():
        locked = Channel.objects.select_for_update().only("next_slot_at").get(pk=channel.pk)
        starts = max(locked.next_slot_at or now, now)
        Channel.objects.filter(pk=channel.pk).update(
            next_slot_at=starts + timedelta(seconds=count / rate)
        )
    return (starts - now).total_seconds()


def is_open(prefix: str = "") -> Q:
    """Return the condition that an account is neither paused nor blocked.

    Args:
        prefix: The way to the channel from the rows that are asked for.
    """
    paused = Q(**{f"{prefix}paused_until__gt": Moment()})
    return Q(**{f"{prefix}blocked_at__isnull": True}) & ~paused


def pause(*, channel: Channel, seconds: float, reason: str) -> None:
    """Let no worker use a provider account for a while; never shortens a pause that is longer."""
    until = Moment(seconds)
    unpaused = Q(paused_until__isnull=True) | Q(paused_until__lt=until)
    Channel.objects.filter(unpaused, pk=channel.pk).update(
        paused_until=until, pause_reason=reason[:60]
    )


def pause_for(*, channel: Channel, error: ChannelError) -> None:
    """Keep the pause that a provider asked for, or one that gives it time to come back."""
    seconds = getattr(error, "retry_after_seconds", UNAVAILABLE_SECONDS)
    pause(channel=channel, seconds=seconds, reason=error.code)


def pause_after(*, channel: Channel, results: Sequence[SendResult]) -> bool:
    """Keep the pause that an answer asks for; return whether it took less than everything."""
    busy = [result for result in results if result.outcome is Outcome.NOT_TAKEN]
    if busy:
        seconds = max(result.retry_after_seconds or BUSY_SECONDS for result in busy)
        pause(channel=channel, seconds=seconds, reason=busy[0].code or busy[0].outcome.value)
    return bool(busy)


def block(*, channel: Channel, error: ChannelBlocked) -> None:
    """Open the breaker of a provider account: nothing goes out until a person closes it."""
    Channel.objects.filter(pk=channel.pk, blocked_at__isnull=True).update(
        blocked_at=Moment(), blocked_reason=error.problem[:120]
    )
