"""Frequency caps over rolling windows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WEEK_HOURS = 7 * 24


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `max_count` messages in any `window_hours`; an empty channel counts all channels."""

    channel: str
    window_hours: int
    max_count: int


@dataclass(frozen=True, slots=True)
class PastSend:
    """One marketing message that was handed over, or is being handed over."""

    channel: str
    at: datetime


def exceeded(
    history: Iterable[PastSend], caps: Sequence[Cap], *, channel: str, now: datetime
) -> Cap | None:
    """Return the first cap that one more message on the channel would break; None when none."""
    past = list(history)
    for cap in caps:
        if cap.channel not in {"", channel}:
            continue
        since = now - timedelta(hours=cap.window_hours)
        counted = sum(1 for send in past if send.at > since and cap.channel in {"", send.channel})
        if counted >= cap.max_count:
            return cap
    return None


def caps_of(caps: tuple[Cap, ...], weekly_limit: int | None) -> tuple[Cap, ...]:
    """Return the lender's caps and the one a person chose for all channels together."""
    if weekly_limit is None:
        return caps
    return (*caps, Cap("", WEEK_HOURS, weekly_limit))


def longest_window_hours(caps: Iterable[Cap]) -> int:
    """Return how far back sends matter; zero without caps."""
    return max((cap.window_hours for cap in caps), default=0)
