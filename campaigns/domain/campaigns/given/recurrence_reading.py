"""Reading and writing a campaign's calendar as plain values."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from campaigns.domain.campaigns.given.problems import ValueProblemCode
from campaigns.domain.campaigns.given.reader import Reader
from campaigns.domain.campaigns.recurrence import (
    MOST_INTERVAL,
    Again,
    CatchUp,
    Every,
    HolidayPolicy,
    Recurrence,
)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KEYS = {
    "every", "interval", "weekdays", "until", "holidays", "catch_up", "again", "again_after_days",
}  # fmt: skip
_Choice = TypeVar("_Choice", bound=StrEnum)


def read_recurrence(source: Any, read: Reader, path: str) -> Recurrence | None:
    """Return the calendar that a value describes, None for none; problems are noted."""
    if not source:
        return None
    values = read.mapping(source, path)
    for key in sorted(set(values) - _KEYS):
        read.wrong(f"{path}.{key}", ValueProblemCode.UNKNOWN_KEY)
    every = _choice(Every, values, "every", None, read, path)
    interval = read.whole(values, "interval", f"{path}.interval", 1)
    if not 1 <= interval <= MOST_INTERVAL:
        code = ValueProblemCode.AT_LEAST if interval < 1 else ValueProblemCode.AT_MOST
        read.wrong(f"{path}.interval", code, "1" if interval < 1 else str(MOST_INTERVAL))
    again_after = read.whole(values, "again_after_days", f"{path}.again_after_days", 30)
    if every is None:
        return None
    return Recurrence(
        every=every,
        interval=max(1, interval),
        weekdays=_weekdays(values, every, read, path),
        until=_day(values, read, f"{path}.until"),
        holidays=_choice(HolidayPolicy, values, "holidays", HolidayPolicy.KEEP, read, path)
        or HolidayPolicy.KEEP,
        catch_up=_choice(CatchUp, values, "catch_up", CatchUp.LATEST, read, path) or CatchUp.LATEST,
        again=_choice(Again, values, "again", Again.EVERY_RUN, read, path) or Again.EVERY_RUN,
        again_after_days=again_after,
    )


def stored(recurrence: Recurrence | None) -> dict[str, Any] | None:
    """Return a calendar as plain values that `read_recurrence` reads back."""
    if recurrence is None:
        return None
    return {
        "every": recurrence.every.value,
        "interval": recurrence.interval,
        "weekdays": [WEEKDAYS[number] for number in recurrence.weekdays],
        "until": recurrence.until.isoformat() if recurrence.until else "",
        "holidays": recurrence.holidays.value,
        "catch_up": recurrence.catch_up.value,
        "again": recurrence.again.value,
        "again_after_days": recurrence.again_after_days,
    }


def of_stored(value: Mapping[str, Any] | None) -> Recurrence | None:
    """Return a stored calendar."""
    return read_recurrence(value, Reader(), "")


def _choice(
    kind: type[_Choice],
    values: Mapping[str, Any],
    key: str,
    default: _Choice | None,
    read: Reader,
    path: str,
) -> _Choice | None:
    value = values.get(key) or default
    if value in set(kind):
        return kind(value)
    read.wrong(f"{path}.{key}", ValueProblemCode.ONE_OF, ", ".join(kind))
    return None


def _weekdays(values: Mapping[str, Any], every: Every, read: Reader, path: str) -> tuple[int, ...]:
    given = values.get("weekdays") or []
    if not isinstance(given, list) or any(day not in WEEKDAYS for day in given):
        read.wrong(f"{path}.weekdays", ValueProblemCode.ONE_OF, ", ".join(WEEKDAYS))
        return ()
    return tuple(sorted({WEEKDAYS.index(day) for day in given})) if every is Every.WEEK else ()


def _day(values: Mapping[str, Any], read: Reader, path: str) -> date | None:
    value = values.get("until")
    if not value:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        read.wrong(path, ValueProblemCode.TIME_EXPECTED)
        return None
