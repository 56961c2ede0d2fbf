"""Default rates by months on book; a cell that no loan has reached is blank, never zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from customers.domain.loans.instalments import MonthRule, add_months, months_between

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class LoanRecord:
    """One loan that was paid out; loans cancelled before that are not handed in.

    Attributes:
        booked_date: Day of the disbursement.
        principal_amount: Amount lent, for rates by amount.
        reached: First day on which days past due reached a threshold; absent if it never did.
    """

    booked_date: date
    principal_amount: Decimal
    reached: Mapping[int, date]


@dataclass(frozen=True, slots=True)
class DefaultCell:
    """Loans that were ever `threshold_days` past due by month `month` ÷ loans that reached it."""

    month: int
    threshold_days: int
    bad_count: int
    loan_count: int
    immature_count: int
    bad_amount: Decimal
    booked_amount: Decimal

    @property
    def rate(self) -> float | None:
        """Return the rate by count; None where no loan has reached the month."""
        return self.bad_count / self.loan_count if self.loan_count else None

    @property
    def amount_rate(self) -> float | None:
        """Return the rate by amount lent; None where no loan has reached the month."""
        return float(self.bad_amount / self.booked_amount) if self.booked_amount else None


def ever_past_due(
    loans: Sequence[LoanRecord],
    *,
    threshold_days: int,
    months: Sequence[int],
    as_of: date,
    month_rule: MonthRule = MonthRule.ANNIVERSARY,
) -> tuple[DefaultCell, ...]:
    """Return the ever-X+ rate at each number of months on book.

    Only loans that have reached the month count, on both sides of the division, so a young vintage
    is blank and not zero.

    Source: docs/metrics.md, "ever-X+ by months on book"; OCC Comptroller's Handbook, Retail Lending
    (vintage analysis).
    """
    return tuple(_cell(loans, threshold_days, month, as_of, month_rule) for month in months)


def _cell(
    loans: Sequence[LoanRecord], threshold: int, month: int, as_of: date, rule: MonthRule
) -> DefaultCell:
    mature = [
        x
        for x in loans
        if x.booked_date <= as_of and months_between(x.booked_date, as_of, rule) >= month
    ]
    bad = [x for x in mature if _is_bad_by(x, threshold, month, rule)]
    return DefaultCell(
        month=month,
        threshold_days=threshold,
        bad_count=len(bad),
        loan_count=len(mature),
        immature_count=len(loans) - len(mature),
        bad_amount=sum((x.principal_amount for x in bad), _ZERO),
        booked_amount=sum((x.principal_amount for x in mature), _ZERO),
    )


def _is_bad_by(loan: LoanRecord, threshold: int, month: int, rule: MonthRule) -> bool:
    reached = loan.reached.get(threshold)
    if reached is None:
        return False
    if rule is MonthRule.MONTH_END:
        return months_between(loan.booked_date, reached, rule) <= month
    return reached <= add_months(loan.booked_date, month)


@dataclass(frozen=True, slots=True)
class CohortCount:
    """Loans of one month of disbursement that reached a threshold in one month on book.

    Attributes:
        cohort: First day of the month of disbursement.
        month: Months on book by which days past due reached the threshold; None for loans that
            never did. The whole cohort is counted once, by its several months.
        loan_count: How many loans.
        amount: What was lent to them, in CNY.
        last_booked_date: The latest day of disbursement among them.
    """

    cohort: date
    month: int | None
    loan_count: int
    amount: Decimal
    last_booked_date: date


@dataclass(frozen=True, slots=True)
class VintageRow:
    """One line of a triangle: a cohort, its size, and a cell for each month it has reached whole.

    Attributes:
        cells: By months on book, beginning with 1.
    """

    cohort: date
    loan_count: int
    amount: Decimal
    cells: tuple[DefaultCell, ...]


def triangle(
    counts: Sequence[CohortCount], *, threshold_days: int, as_of: date, months: int
) -> tuple[VintageRow, ...]:
    """Return the triangle of vintages: ever-X+ by month of disbursement and months on book.

    A cell that only part of the cohort has reached is blank: it holds no loans, and all of them
    are immature. What was reached after the last month that is ripe is not shown yet.

    Source: OCC Comptroller's Handbook, Retail Lending (vintage analysis).
    """
    by_cohort: dict[date, list[CohortCount]] = {}
    for count in counts:
        by_cohort.setdefault(count.cohort, []).append(count)
    rows = []
    for cohort, parts in sorted(by_cohort.items()):
        size = sum(part.loan_count for part in parts)
        amount = sum((part.amount for part in parts), _ZERO)
        ripe = months_between(max(part.last_booked_date for part in parts), as_of)
        cells = tuple(
            _triangle_cell(parts, month, threshold_days, is_ripe=month <= ripe)
            for month in range(1, months + 1)
        )
        rows.append(VintageRow(cohort, size, amount, cells))
    return tuple(rows)


def _triangle_cell(
    parts: Sequence[CohortCount], month: int, threshold: int, *, is_ripe: bool
) -> DefaultCell:
    size = sum(part.loan_count for part in parts)
    if not is_ripe:
        return DefaultCell(month, threshold, 0, 0, size, _ZERO, _ZERO)
    bad = [part for part in parts if part.month is not None and part.month <= month]
    return DefaultCell(
        month=month,
        threshold_days=threshold,
        bad_count=sum(part.loan_count for part in bad),
        loan_count=size,
        immature_count=0,
        bad_amount=sum((part.amount for part in bad), _ZERO),
        booked_amount=sum((part.amount for part in parts), _ZERO),
    )


def month_of_reaching(booked: date, reached: date) -> int:
    """Return the first month on book by whose end, its anniversary, a day has come; at least 1."""
    whole = months_between(booked, reached)
    return max(whole if add_months(booked, whole) == reached else whole + 1, 1)
