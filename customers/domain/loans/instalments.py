"""Repayment plans and month arithmetic, from values only."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

_CENT = Decimal("0.01")
_ZERO = Decimal(0)


class Component(StrEnum):
    """The parts of an instalment that a payment is allocated to."""

    FEE = "fee"
    INTEREST = "interest"
    PRINCIPAL = "principal"


class MonthRule(StrEnum):
    """How months on book are counted; the two differ by up to one month."""

    ANNIVERSARY = "anniversary"
    MONTH_END = "month_end"


@dataclass(frozen=True, slots=True)
class ScheduledInstalment:
    """One line of the repayment plan; amounts in the loan's currency."""

    number: int
    due_date: date
    principal_amount: Decimal
    interest_amount: Decimal = _ZERO
    fee_amount: Decimal = _ZERO

    @property
    def total_amount(self) -> Decimal:
        """Return everything due on this line."""
        return self.principal_amount + self.interest_amount + self.fee_amount

    def part(self, component: Component) -> Decimal:
        """Return the amount due of one component."""
        match component:
            case Component.FEE:
                return self.fee_amount
            case Component.INTEREST:
                return self.interest_amount
            case Component.PRINCIPAL:
                return self.principal_amount


def add_months(day: date, months: int) -> date:
    """Return the same day of a later (or earlier) month, or its last day where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def months_between(start: date, end: date, rule: MonthRule = MonthRule.ANNIVERSARY) -> int:
    """Return the completed months from `start` to `end`, never negative.

    ANNIVERSARY counts a month when its day of the month is reached (31 January + 1 month is the
    last day of February); MONTH_END counts calendar months crossed, as reports by month-end do.
    """
    months = (end.year - start.year) * 12 + end.month - start.month
    if rule is MonthRule.ANNIVERSARY and add_months(start, months) > end:
        months -= 1
    return max(months, 0)


def equal_instalment_schedule(
    *,
    principal_amount: Decimal,
    annual_rate: Decimal,
    months: int,
    disbursed_date: date,
    fee_amount: Decimal = _ZERO,
) -> tuple[ScheduledInstalment, ...]:
    """Return the plan of equal monthly instalments; the last line takes the rounding.

    Args:
        principal_amount: Amount lent, more than zero.
        annual_rate: Nominal yearly rate as a fraction; a month bears one twelfth. Zero is allowed.
        months: Number of instalments, at least one; the first is due one month after disbursement.
        disbursed_date: Day the money was paid out; due dates keep its day of the month.
        fee_amount: Fee added to every instalment.

    Raises:
        ValueError: An argument is outside its range.

    Source: annuity formula P*i/(1-(1+i)^-n); the instalment is rounded to the cent.
    """
    if principal_amount <= 0 or annual_rate < 0 or months < 1 or fee_amount < 0:
        msg = "principal and months must be positive, rate and fee must not be negative"
        raise ValueError(msg)
    rate = annual_rate / 12
    level = (
        principal_amount * rate / (1 - (1 + rate) ** -months) if rate else principal_amount / months
    )
    instalment = level.quantize(_CENT, ROUND_HALF_UP)
    balance, lines = principal_amount, []
    for number in range(1, months + 1):
        interest = (balance * rate).quantize(_CENT, ROUND_HALF_UP)
        principal = balance if number == months else min(max(instalment - interest, _ZERO), balance)
        balance -= principal
        due = add_months(disbursed_date, number)
        lines.append(ScheduledInstalment(number, due, principal, interest, fee_amount))
    return tuple(lines)
