"""When marketing may reach a person: the sending window in the person's own time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HARD_OPENS = time(8, 0)
HARD_CLOSES = time(21, 0)


@dataclass(frozen=True, slots=True)
class SendingWindow:
    """Local hours in which marketing may be sent; the end is exclusive.

    Source: providers in China allow 08:00-21:00; US TCPA, 47 CFR 64.1200(c)(1), 8 a.m. to 9 p.m.
    at the called party's location. The default leaves an hour at both ends.
    """

    opens: time = time(9, 0)
    closes: time = time(20, 0)


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo | None:
    """Return the zone of a name; None when there is no such zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def next_opening(now: datetime, zone: ZoneInfo, window: SendingWindow) -> datetime:
    """Return `now` inside the window, else the instant (UTC) at which it next opens.

    The opening is found on the absolute time line, so a day with a changed clock cannot open twice
    or too early.
    """
    local = now.astimezone(zone)
    if window.opens <= local.time() < window.closes:
        return now
    day = local.date() if local.time() < window.opens else local.date() + timedelta(days=1)
    opening = datetime.combine(day, window.opens, tzinfo=zone)
    return max(opening.astimezone(UTC), now)


def expected_end(
    *, start: datetime, count: int, per_second: float, zone: ZoneInfo, window: SendingWindow | None
) -> datetime:
    """Return when the last of so many messages leaves at a rate, inside the window if any.

    Args:
        start: Aware; when the first may leave.
        per_second: Above 0.
    """
    at, left = start.astimezone(UTC), timedelta(seconds=count / per_second)
    while window is not None:
        at = next_opening(at, zone, window).astimezone(UTC)
        day = at.astimezone(zone).date()
        closes = datetime.combine(day, window.closes, tzinfo=zone).astimezone(UTC)
        if left <= closes - at:
            break
        left, at = left - (closes - at), closes
    return at + left


def is_too_late(*, due_at: datetime, now: datetime, late_limit_hours: int) -> bool:
    """Return whether a start lies further behind its schedule than its campaign allows."""
    return now > due_at + timedelta(hours=late_limit_hours)
