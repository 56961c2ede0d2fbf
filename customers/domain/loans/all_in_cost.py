"""What a loan costs a year with everything that has to be paid for it.

The convention is named with the figure: the internal rate of return of the monthly payments times
twelve, and the effective rate of compounding beside it.
Source: 中国人民银行公告〔2021〕第3号; 金规〔2026〕2号 (all fees, those of third parties too).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

MONTHS = 12
# Halving so often leaves less than the last bit of a float between the bounds.
_HALVINGS = 200
_MOST_A_MONTH = 10.0


class FeeTiming(StrEnum):
    """When a fee is paid.

    UPFRONT: Kept back from what is paid out.
    MONTHLY: With every instalment.
    CONTINGENT: Only if something happens, such as a late payment; shown apart, not in the cost.
    """

    UPFRONT = "upfront"
    MONTHLY = "monthly"
    CONTINGENT = "contingent"


@dataclass(frozen=True, slots=True)
class Fee:
    """One fee of a loan: an amount in CNY, and a share of the principal; either may be zero."""

    timing: FeeTiming
    amount: Decimal = Decimal(0)
    share: Decimal = Decimal(0)

    def of(self, principal: Decimal) -> Decimal:
        """Return the fee for a principal, in CNY each time that it is paid."""
        return self.amount + self.share * principal


@dataclass(frozen=True, slots=True)
class AllInCost:
    """Shares a year: `nominal` is the monthly rate of return times 12, `effective` compounds it."""

    nominal: Decimal
    effective: Decimal


def cost_of_payments(*, proceeds: Decimal, payment: Decimal, months: int) -> AllInCost:
    """Return the cost of equal monthly payments for what was paid out.

    Args:
        proceeds: What the borrower gets, in CNY, after fees that are kept back.
        payment: Paid at the end of each month, in CNY.

    Raises:
        ValueError: Nothing is paid out, no month, or less is paid back than was paid out.
    """
    if proceeds <= 0 or months < 1 or payment * months < proceeds:
        raise ValueError("A cost needs proceeds, months, and payments that cover them.")
    least, most = 0.0, _MOST_A_MONTH
    paid_out, paid = float(proceeds), float(payment)
    for _ in range(_HALVINGS):
        rate = (least + most) / 2
        worth = sum(paid / (1 + rate) ** month for month in range(1, months + 1))
        least, most = (rate, most) if worth > paid_out else (least, rate)
    return AllInCost(
        nominal=Decimal(str(round(least * MONTHS, 9))),
        effective=Decimal(str(round((1 + least) ** MONTHS - 1, 9))),
    )


def instalment(*, principal: Decimal, annual_rate: Decimal, months: int) -> Decimal:
    """Return the equal monthly instalment of an annuity loan, in CNY, not rounded."""
    rate = annual_rate / MONTHS
    if rate == 0:
        return principal / months
    return principal * rate / (1 - (1 + rate) ** -months)


def cost_of_loan(
    *, principal: Decimal, annual_rate: Decimal, months: int, fees: Sequence[Fee]
) -> AllInCost:
    """Return the cost of a loan in equal instalments with its fees; contingent ones stay out.

    Raises:
        ValueError: The fees that are kept back leave nothing, or there is no month.
    """
    if principal <= 0 or months < 1:
        raise ValueError("A cost needs a principal and months.")

    def total(timing: FeeTiming) -> Decimal:
        return sum((fee.of(principal) for fee in fees if fee.timing is timing), Decimal(0))

    regular = instalment(principal=principal, annual_rate=annual_rate, months=months)
    return cost_of_payments(
        proceeds=principal - total(FeeTiming.UPFRONT),
        payment=regular + total(FeeTiming.MONTHLY),
        months=months,
    )
