"""Retention by months since conversion; a cell that time has not reached is blank, never zero."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from customers.domain.loans.instalments import months_between


@dataclass(frozen=True, slots=True)
class Member:
    """One converted customer.

    Attributes:
        converted_date: Day of the conversion; month k runs from k to k+1 months after it.
        active_months: The months in which the customer had a balance, drew or paid.
    """

    converted_date: date
    active_months: Collection[int]


@dataclass(frozen=True, slots=True)
class RetentionCell:
    """Active of those whose month has ended; the rate is None when it has ended for nobody.

    Attributes:
        immature_count: Members left out because their month had not ended.
    """

    month: int
    active_count: int
    mature_count: int
    immature_count: int

    @property
    def rate(self) -> float | None:
        """Return the share of the mature who were active."""
        return self.active_count / self.mature_count if self.mature_count else None


@dataclass(frozen=True, slots=True)
class Cohort:
    """One row of a retention triangle: None where the month has not ended for every member."""

    label: str
    size: int
    active: tuple[int | None, ...]


def active_months(
    *, converted_date: date, spans: Iterable[tuple[date, date | None]], horizon: int
) -> frozenset[int]:
    """Return the months since conversion, below `horizon`, that a span of activity touches.

    Args:
        converted_date: Start of month 0.
        spans: (first day, last day) of having a balance, or a single day of a draw or payment; None
            as last day is still open.
        horizon: Months are 0 to horizon − 1.
    """
    months: set[int] = set()
    for start, end in spans:
        if end is not None and end < converted_date:
            continue
        first = months_between(converted_date, max(start, converted_date))
        last = horizon - 1 if end is None else min(months_between(converted_date, end), horizon - 1)
        months.update(range(first, last + 1))
    return frozenset(months)


def reached_months(converted_date: date, as_of: date) -> int:
    """Return how many months since conversion have ended by the end of `as_of`."""
    return months_between(converted_date, as_of) if as_of >= converted_date else 0


def classic(members: Sequence[Member], *, as_of: date, horizon: int) -> tuple[RetentionCell, ...]:
    """Return, for each month, the members active in it ÷ the members whose month has ended.

    Source: docs/metrics.md, "Retention classic" and "Pooled cohort rate": sums over the members who
    reached the month, never an average of rates.
    """
    reached = [reached_months(member.converted_date, as_of) for member in members]
    return tuple(
        _cell(
            month,
            [month in m.active_months for m, r in zip(members, reached, strict=True) if r > month],
            len(members),
        )
        for month in range(horizon)
    )


def rolling(members: Sequence[Member], *, as_of: date, horizon: int) -> tuple[RetentionCell, ...]:
    """Return, for each month, the members active in it or later ÷ the cohort.

    The cohort is those who have reached every month that anyone is measured on, so the row never
    rises. Activity after the last full month counts for no month.

    Source: docs/metrics.md, "Retention rolling".
    """
    reached = [reached_months(member.converted_date, as_of) for member in members]
    full = min([*reached, horizon], default=0)
    cells = []
    for month in range(horizon):
        flags = (
            [any(month <= k < full for k in member.active_months) for member in members]
            if month < full
            else []
        )
        cells.append(_cell(month, flags, len(members)))
    return tuple(cells)


def bracket(members: Sequence[Member], *, first: int, last: int, as_of: date) -> RetentionCell:
    """Return the members active at least once in months `first` to `last` ÷ those who reached it.

    Source: docs/metrics.md, "Retention bracket".
    """
    flags = [
        any(first <= k <= last for k in member.active_months)
        for member in members
        if reached_months(member.converted_date, as_of) > last
    ]
    return _cell(first, flags, len(members))


def triangle(members: Sequence[Member], *, as_of: date, horizon: int) -> tuple[Cohort, ...]:
    """Return one row for each calendar month of conversion, blank where a member is immature."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(f"{member.converted_date:%Y-%m}", []).append(member)
    return tuple(
        Cohort(label, len(group), _triangle_row(group, as_of, horizon))
        for label, group in sorted(groups.items())
    )


def pooled(cohorts: Sequence[Cohort]) -> tuple[float | None, ...]:
    """Return for each month Σ active ÷ Σ size over the cohorts that reached it, None for none.

    Source: docs/metrics.md, "Pooled cohort rate".
    """
    width = max((len(cohort.active) for cohort in cohorts), default=0)
    rates: list[float | None] = []
    for month in range(width):
        cells = [
            (cohort.active[month], cohort.size)
            for cohort in cohorts
            if month < len(cohort.active) and cohort.active[month] is not None
        ]
        size = sum(size for _, size in cells)
        rates.append(sum(active or 0 for active, _ in cells) / size if size else None)
    return tuple(rates)


def _triangle_row(group: Sequence[Member], as_of: date, horizon: int) -> tuple[int | None, ...]:
    full = min(reached_months(member.converted_date, as_of) for member in group)
    return tuple(
        sum(month in member.active_months for member in group) if month < full else None
        for month in range(horizon)
    )


def _cell(month: int, flags: Sequence[bool], size: int) -> RetentionCell:
    return RetentionCell(
        month=month,
        active_count=sum(flags),
        mature_count=len(flags),
        immature_count=size - len(flags),
    )
