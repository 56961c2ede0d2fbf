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
