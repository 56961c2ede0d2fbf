"""The days that a calendar shows: whole weeks from Monday on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_WEEK = timedelta(days=7)


class CalendarView(StrEnum):
    """How much of it is shown."""

    MONTH = "month"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class CalendarSpan:
    """What is shown around one day.

    Attributes:
        weeks: Whole weeks, Monday first; those of a month begin and end in its neighbours.
        before: A day of what is shown one step back; `after` one step on.
    """

    view: CalendarView
    day: date
    weeks: Sequence[Sequence[date]]
    before: date
    after: date

    @property
    def first(self) -> date:
        """Return the first day shown."""
        return self.weeks[0][0]

    @property
    def last(self) -> date:
        """Return the last day shown."""
        return self.weeks[-1][-1]


def span_of(view: CalendarView, day: date) -> CalendarSpan:
    """Return the week, or the weeks of the month, that a day lies in."""
    if view is CalendarView.WEEK:
        begins = _monday(day)
        return CalendarSpan(view, day, [_week(begins)], day - _WEEK, day + _WEEK)
    first = day.replace(day=1)
    next_first = (first + timedelta(days=32)).replace(day=1)
    begins = _monday(first)
    count = -(-(next_first - begins).days // 7)
    return CalendarSpan(
        view=view,
        day=day,
        weeks=[_week(begins + at * _WEEK) for at in range(count)],
        before=(first - timedelta(days=1)).replace(day=1),
        after=next_first,
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _week(begins: date) -> list[date]:
    return [begins + timedelta(days=at) for at in range(7)]
