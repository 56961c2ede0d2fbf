"""A provider account as all workers share it: its rate limit, its pauses, its breaker.

The rate limiter is a row that says when the next slot is free, by the database's clock. Source: the
generic cell rate algorithm (ITU-T I.371, annex A), reserved a batch at a time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from campaigns.channels.base import SendOutcome, SendResult
from campaigns.channels.errors import ChannelBlocked, ChannelError
from campaigns.models import Channel
from loancrm.kernel.database.shared_clock import Moment

UNAVAILABLE_SECONDS = 30.0
BUSY_SECONDS = 5.0
# Not taken for so long, a message no longer says that the account is busy.
STUBBORN = timedelta(minutes=5)
# An account that nobody asked for so long was not refused all that time.
LULL_SECONDS = 600.0
# Answers of an account that is at work, whatever becomes of the one message.
AT_WORK = frozenset({SendOutcome.ACCEPTED, SendOutcome.REJECTED})
# What a channel holds that nothing stops.
GOES_ON = {
    "blocked_at": None,
    "blocked_reason": "",
    "paused_until": None,
    "pause_reason": "",
    "paused_since": None,
    "pause_told_at": None,
    "refusals_in_a_row": 0,
}
# A worker waits so long for a slot with a chunk in its hands; for more it gives the chunk back.
SHORT_WAIT_SECONDS = 0.5


def burst(channel: Channel, batch_size: int) -> int:
    """Return how many messages may go out at once: at most a quarter of a second's worth."""
    if channel.rate_per_second is None:
        return batch_size
    return max(1, min(batch_size, channel.rate_per_second // 4))


def reserve(*, channel: Channel, count: int, is_turn: bool = False) -> float | None:
    """Reserve slots for a batch.

    Args:
        is_turn: They go to what has waited longest, whatever is more urgent.

    Returns:
        The seconds to wait before sending it; None, with nothing reserved, when that is more than a
        worker should wait.
    """
    if channel.rate_per_second is None:
        return 0.0
    with transaction.atomic():
        locked = Channel.objects.select_for_update().annotate(at=Moment()).get(pk=channel.pk)
        if locked.rate_per_second is None:
            return 0.0
        starts = max(locked.next_slot_at or locked.at, locked.at)
        wait = float((starts - locked.at).total_seconds())
        if wait > SHORT_WAIT_SECONDS or not locked.rate_per_second:
            return None
        turn: dict[str, Any] = {"turn_given_at": Moment()} if is_turn else {}
        Channel.objects.filter(pk=channel.pk).update(
            next_slot_at=starts + timedelta(seconds=count / locked.rate_per_second), **turn
        )
    return wait


def has_room(prefix: str = "", *, seconds: float) -> Q:
    """Return the condition that the rate limit leaves room within so many seconds.

    Args:
        prefix: The way to the channel from the rows that are asked for.
    """
    unlimited = Q(**{f"{prefix}rate_per_second__isnull": True})
    is_free = Q(**{f"{prefix}next_slot_at__isnull": True}) | Q(
        **{f"{prefix}next_slot_at__lte": Moment(seconds)}
    )
    return unlimited | (Q(**{f"{prefix}rate_per_second__gt": 0}) & is_free)


def owes_turn(prefix: str = "", *, seconds: float) -> Q:
    """Return the condition that no slots went to what waits longest within so many seconds.

    Args:
        prefix: The way to the channel from the rows that are asked for.
    """
    return Q(**{f"{prefix}turn_given_at__isnull": True}) | Q(
        **{f"{prefix}turn_given_at__lte": Moment(-seconds)}
    )


def is_open(prefix: str = "") -> Q:
    """Return the condition that an account is neither paused nor blocked.

    Args:
        prefix: The way to the channel from the rows that are asked for.
    """
    is_unpaused = Q(**{f"{prefix}paused_until__isnull": True}) | Q(
        **{f"{prefix}paused_until__lte": Moment()}
    )
    return Q(**{f"{prefix}blocked_at__isnull": True}) & is_unpaused


def pause(*, channel: Channel, seconds: float, reason: str, is_at_work: bool = False) -> None:
    """Let no worker use a provider account for a while; never shortens a pause that is longer.

    Args:
        is_at_work: It takes messages and only asks for a pause; otherwise it stands still, from the
            first pause on until something is taken.
    """
    until = Moment(seconds)
    row = Channel.objects.filter(pk=channel.pk)
    if not is_at_work:
        is_new = Q(paused_since__isnull=True) | Q(paused_until__lt=Moment(-LULL_SECONDS))
        row.filter(is_new).update(paused_since=Moment())
    row.filter(Q(paused_until__isnull=True) | Q(paused_until__lt=until)).update(
        paused_until=until, pause_reason=reason[:60]
    )


def end_standstill(*, channel: Channel) -> None:
    """Note that a provider account is at work again."""
    # As of the claim; a standstill that began since is ended by the next claim.
    if channel.paused_since is not None:
        Channel.objects.filter(pk=channel.pk).update(paused_since=None, pause_told_at=None)
        channel.paused_since = None


def pause_for(*, channel: Channel, error: ChannelError) -> None:
    """Keep the pause that a provider asked for, or one that gives it time to come back."""
    seconds = getattr(error, "retry_after_seconds", UNAVAILABLE_SECONDS)
    pause(channel=channel, seconds=seconds, reason=error.code)


def pause_after(
    *,
    channel: Channel,
    results: Sequence[SendResult],
    waiting_since: Sequence[datetime | None],
    now: datetime,
) -> bool:
    """Keep the pause that an answer asks for; return whether the account is busy.

    One message that is not taken while others are, or that nobody has taken for long, waits by
    itself: a relay may be busy for one address for ever. A wait that the provider asked for is the
    account's.
    """
    busy = [result for result in results if result.outcome is SendOutcome.NOT_TAKEN]
    asked = [result.retry_after_seconds for result in busy if result.retry_after_seconds]
    takes = any(result.outcome is SendOutcome.ACCEPTED for result in results)
    is_at_work = any(result.outcome in AT_WORK for result in results)
    if is_at_work:
        end_standstill(channel=channel)
    is_new = any(
        result.outcome is SendOutcome.NOT_TAKEN and (since is None or now - since < STUBBORN)
        for result, since in zip(results, waiting_since, strict=True)
    )
    if not asked and (takes or not is_new):
        return False
    seconds = max(asked, default=BUSY_SECONDS)
    reason = busy[0].code or busy[0].outcome.value
    pause(channel=channel, seconds=seconds, reason=reason, is_at_work=is_at_work)
    return True


def block(*, channel: Channel, error: ChannelBlocked) -> None:
    """Open the breaker of a provider account: nothing goes out until a person closes it."""
    Channel.objects.filter(pk=channel.pk, blocked_at__isnull=True).update(
        blocked_at=Moment(), blocked_reason=error.problem[:120]
    )


def unblock(*, channel_ids: Sequence[int]) -> int:
    """Close the breaker of provider accounts after a person's decision; return how many."""
    return Channel.objects.filter(pk__in=channel_ids, blocked_at__isnull=False).update(**GOES_ON)
