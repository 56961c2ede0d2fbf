"""Who gets no marketing at all for a period: by a stable hash of the period's salt and the person.

Only choices are stored: from which day on, which share, for periods of which length. The periods
follow from them and from the calendar, and who is in a period's group follows from its salt, so
that people who join within a period are assigned as everybody else, and the past stays readable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID, uuid5

from campaigns.domain.experiments import assignment

PURPOSE = "global"
LARGEST_SHARE = Decimal("0.2")
_ONE_DAY = timedelta(days=1)


class PeriodLength(StrEnum):
    """For how long a group stays the same."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"


_MONTHS = {
    PeriodLength.MONTH: 1,
    PeriodLength.QUARTER: 3,
    PeriodLength.HALF_YEAR: 6,
    PeriodLength.YEAR: 12,
}


@dataclass(frozen=True, slots=True)
class ControlChoice:
    """What was chosen to hold from a day on."""

    valid_from: date
    share: Decimal
    length: PeriodLength
    salt: UUID


@dataclass(frozen=True, slots=True)
class ControlPeriod:
    """One period of the group, both days included."""

    starts_on: date
    ends_on: date
    share: Decimal
    salt: UUID

    @property
    def prefix(self) -> str:
        """Return what stands before a person's id in the hashed text."""
        return assignment.prefix(self.salt, PURPOSE)

    @property
    def bound(self) -> str:
        """Return the bucket below which people belong to the group."""
        return assignment.threshold(self.share) or ""

    def holds(self, records: Iterable[int]) -> bool:
        """Return whether a person with these records is in the group: one of them is enough."""
        return any(assignment.bucket(self.salt, PURPOSE, pk) < self.bound for pk in records)


def calendar_period(day: date, length: PeriodLength) -> tuple[date, date]:
    """Return the first and the last day of the calendar's period around a day."""
    months = _MONTHS[length]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return first, date(year, month + 1, 1) - _ONE_DAY


def period_at(choices: Sequence[ControlChoice], day: date) -> ControlPeriod | None:
    """Return the period around a day; None before the first choice came into force.

    Args:
        choices: In the order in which they were made; of those for one day the last counts.
    """
    chosen: ControlChoice | None = None
    for choice in choices:
        if choice.valid_from <= day and (chosen is None or choice.valid_from >= chosen.valid_from):
            chosen = choice
    if chosen is None:
        return None
    first, last = calendar_period(day, chosen.length)
    later = [choice.valid_from for choice in choices if choice.valid_from > day]
    starts_on = max(first, chosen.valid_from)
    return ControlPeriod(
        starts_on=starts_on,
        ends_on=min([last, *(start - _ONE_DAY for start in later)]),
        share=chosen.share,
        salt=uuid5(chosen.salt, starts_on.isoformat()),
    )


def next_start(choices: Sequence[ControlChoice], length: PeriodLength, today: date) -> date:
    """Return the first day on which a new choice may hold: that of the next period.

    Args:
        length: What is chosen; asked where no period runs yet.
    """
    running = period_at([each for each in choices if each.valid_from <= today], today)
    last = running.ends_on if running else calendar_period(today, length)[1]
    return last + _ONE_DAY


def periods(choices: Sequence[ControlChoice], until: date) -> list[ControlPeriod]:
    """Return every period that has begun by a day, the newest first."""
    found: list[ControlPeriod] = []
    day = until
    while (period := period_at(choices, day)) is not None:
        found.append(period)
        day = period.starts_on - _ONE_DAY
    return found
