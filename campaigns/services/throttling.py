"""One rate limiter a channel, shared by all workers: a row that says when the next slot is free.

Source: the generic cell rate algorithm (ITU-T I.371, annex A), reserved a batch at a time.
"""

from datetime import datetime, timedelta

from django.db import transaction

from campaigns.models import Channel


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
