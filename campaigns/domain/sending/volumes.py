"""How many messages may go out in all and a day, and which of them still fit."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

# Of a cap in all, which knows no days.
ALL_DAYS = date(1970, 1, 1)


class VolumePeriod(StrEnum):
    """Over what a cap counts."""

    IN_ALL = "in_all"
    DAY = "day"


def period_start(period: str, at: datetime, zone: ZoneInfo) -> date:
    """Return the day by which the use of a cap is counted."""
    return ALL_DAYS if period == VolumePeriod.IN_ALL else at.astimezone(zone).date()


def next_day(at: datetime, zone: ZoneInfo) -> datetime:
    """Return when the next day begins."""
    return datetime.combine(at.astimezone(zone).date() + timedelta(days=1), time(), zone)


def stopped_by(units: Sequence[int], rooms: Mapping[str, int]) -> list[str]:
    """Return for each message in its order the period whose cap stops it; empty where none does.

    Args:
        units: 1 for a message that counts, 0 for one that was counted before.
        rooms: How many more each period's cap leaves room for; without a cap it is not there.
    """
    left = dict(rooms)
    found: list[str] = []
    for unit in units:
        # What has its place goes on, also where a cap is overdrawn.
        full = [one for one in VolumePeriod if unit and one in left and left[one] < unit]
        found.append(str(full[0]) if full else "")
        if not full:
            left = {period: room - unit for period, room in left.items()}
    return found


def settled(reserved: Mapping[date, int], used: Mapping[date, int]) -> dict[date, int]:
    """Return how much of each day's reservation stays.

    A message that was let through before midnight and went out after it counts for the day that let
    it through: what a day has used beyond its own reservation is taken from the day before.
    """
    days = sorted(reserved)
    kept: dict[date, int] = {}
    carried = sum(count for day, count in used.items() if day not in reserved)
    for day in reversed(days):
        wanted = used.get(day, 0) + carried
        kept[day] = wanted if day == days[0] else min(wanted, reserved[day])
        carried = wanted - kept[day]
    return kept
