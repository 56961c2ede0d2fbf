"""When a campaign runs again: dates by the calendar, holidays, and what was missed.

Times are wall-clock times in the company's zone. One that a change of the clock skips is moved
forward by the change, one that it repeats is taken once, the first time. A day that a month has not
got (the 31st, 29 February) is its last one before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, assert_never
from zoneinfo import ZoneInfo

from dateutil import rrule

MOST_INTERVAL = 366
# Longer than any public holiday with its bridge days; a calendar without workdays ends the search.
_LONGEST_HOLIDAY = 60


class Every(StrEnum):
    """How often."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class HolidayPolicy(StrEnum):
    """What becomes of a date that is a public holiday."""

    KEEP = "keep"
    SKIP = "skip"
    NEXT_WORKDAY = "next_workday"


class CatchUp(StrEnum):
    """What becomes of dates that passed while nothing could run: paused, or the system was down."""

    SKIP = "skip"
    LATEST = "latest"
    ALL = "all"


class Again(StrEnum):
    """Whether somebody who was in an earlier run is in a later one."""

    EVERY_RUN = "every_run"
    NOT_WITHIN_DAYS = "not_within_days"
    NEVER_TWICE = "never_twice"


class WorkCalendar(Protocol):
    """Public holidays and make-up days."""

    def is_holiday(self, day: date) -> bool:
        """Return whether a day is a public holiday."""

    def is_workday(self, day: date) -> bool:
        """Return whether people work on a day, weekends and make-up days considered."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A campaign's calendar.

    Attributes:
        interval: Every so many days, weeks, months or years.
        weekdays: Of a weekly one: 0 is Monday; empty for the weekday of the start.
        until: Last local date, included.
        again_after_days: Of `Again.NOT_WITHIN_DAYS`.
    """

    every: Every
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    until: date | None = None
    holidays: HolidayPolicy = HolidayPolicy.KEEP
    catch_up: CatchUp = CatchUp.LATEST
    again: Again = Again.EVERY_RUN
    again_after_days: int = 30


@dataclass(frozen=True, slots=True)
class NextRun:
    """What to do now.

    Attributes:
        due_at: When the run that begins now was due; None when nothing begins.
        next_at: When to look again; None when the calendar is over.
    """

    due_at: datetime | None
    next_at: datetime | None


def occurrences(
    recurrence: Recurrence, *, start: datetime, zone: ZoneInfo, calendar: WorkCalendar
) -> Iterator[datetime]:
    """Yield the moments (UTC) of all runs, each later than the one before.

    Args:
        start: The first possible moment; gives the time of day, and the day of week, month or year.
    """
    last: date | None = None
    for local in _dates(recurrence, start.astimezone(zone).replace(tzinfo=None)):
        day = _shifted(local.date(), recurrence.holidays, calendar)
        if day is None or (last is not None and day <= last):
            continue
        if recurrence.until is not None and day > recurrence.until:
            return
        last = day
        # A time that does not exist is read with the offset before the change, and so moves on.
        moment = datetime.combine(day, local.time(), tzinfo=zone).astimezone(UTC)
        # A start in the second pass of a repeated hour is not put before itself.
        yield max(moment, start.astimezone(UTC))


def next_run(
    recurrence: Recurrence,
    *,
    start: datetime,
    last: datetime,
    now: datetime,
    late_limit_hours: int,
    zone: ZoneInfo,
    calendar: WorkCalendar,
) -> NextRun:
    """Return which run begins now, and when the one after it is due.

    Args:
        last: When the last run was due; nothing at or before it ever runs again, whatever became of
            the holidays since.
        late_limit_hours: With `CatchUp.SKIP` a run that is later than this does not take place.
    """
    missed: list[datetime] = []
    following: datetime | None = None
    for moment in occurrences(recurrence, start=start, zone=zone, calendar=calendar):
        if moment <= last:
            continue
        if moment > now:
            following = moment
            break
        missed.append(moment)
        if recurrence.catch_up is CatchUp.ALL and len(missed) > 1:
            # The oldest runs now, the next one at the next look.
            return NextRun(missed[0], missed[1])
    if not missed:
        return NextRun(None, following)
    latest = missed[0] if recurrence.catch_up is CatchUp.ALL else missed[-1]
    is_late = now - latest > timedelta(hours=late_limit_hours)
    if recurrence.catch_up is CatchUp.SKIP and is_late:
        return NextRun(None, following)
    return NextRun(latest, following)


def _dates(recurrence: Recurrence, start: datetime) -> Iterator[datetime]:
    """Yield the local moments by the calendar alone; the library is dateutil (RFC 5545)."""
    rule: Iterable[datetime]
    match recurrence.every:
        case Every.DAY:
            rule = rrule.rrule(rrule.DAILY, dtstart=start, interval=recurrence.interval)
        case Every.WEEK:
            weekdays = recurrence.weekdays or (start.weekday(),)
            rule = rrule.rrule(
                rrule.WEEKLY, dtstart=start, interval=recurrence.interval, byweekday=weekdays
            )
        case Every.MONTH:
            rule = rrule.rrule(
                rrule.MONTHLY,
                dtstart=start,
                interval=recurrence.interval,
                bymonthday=_days_of_month(start.day),
                bysetpos=-1,
            )
        case Every.YEAR:
            rule = rrule.rrule(
                rrule.YEARLY,
                dtstart=start,
                interval=recurrence.interval,
                bymonth=start.month,
                bymonthday=_days_of_month(start.day),
                bysetpos=-1,
            )
        case _:
            assert_never(recurrence.every)
    yield from rule


def _days_of_month(day: int) -> tuple[int, ...]:
    return tuple(range(28, day + 1)) if day > 28 else (day,)


def _shifted(day: date, policy: HolidayPolicy, calendar: WorkCalendar) -> date | None:
    match policy:
        case HolidayPolicy.KEEP:
            return day
        case HolidayPolicy.SKIP:
            return None if calendar.is_holiday(day) else day
        case HolidayPolicy.NEXT_WORKDAY:
            later = (day + timedelta(days=offset) for offset in range(_LONGEST_HOLIDAY))
            return next((found for found in later if calendar.is_workday(found)), None)
