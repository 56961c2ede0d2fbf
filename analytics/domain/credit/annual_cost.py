"""What a loan costs its borrower in all, as a yearly rate.

Source: People's Bank of China, announcement 2021 no. 3: the yearly rate counts all that is directly
related to the loan, and may be told by compound or by simple interest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from customers.domain.loans.instalments import ScheduledInstalment

_LOW, _HIGH = -0.99, 100.0
_STEPS = 200
MONTHS_A_YEAR = 12
# Days between payments that are still a month apart.
_SHORTEST, _LONGEST, _LONGEST_FIRST = 25, 35, 62


@dataclass(frozen=True, slots=True)
class AnnualCost:
    """Yearly rates as fractions, by simple and by compound interest."""

    simple_rate: float
    compound_rate: float


def periodic_rate(proceeds: float, payments: Sequence[float]) -> float:
    """Return the rate a period at which the payments are worth what the borrower received.

    Args:
        proceeds: What was paid out less what was taken off at once; more than zero.
        payments: What is paid at the end of each period, fees and guarantees included.

    Raises:
        ValueError: Nothing was received, nothing is paid, or a payment is negative: then there is
            no rate, or no single one.
    """
    if proceeds <= 0 or not payments or sum(payments) <= 0 or min(payments) < 0:
        raise ValueError("a rate needs proceeds and payments that are not negative")
    low, high = _LOW, _HIGH
    # The present value falls as the rate rises, so halving finds the only root.
    for _step in range(_STEPS):
        middle = (low + high) / 2
        worth = sum(paid / (1 + middle) ** at for at, paid in enumerate(payments, start=1))
        low, high = (middle, high) if worth > proceeds else (low, middle)
    return (low + high) / 2


def simple_annual_rate(periodic: float, periods: int = MONTHS_A_YEAR) -> float:
    """Return the yearly rate by simple interest: as many periods as a year has."""
    return periodic * periods


def compound_annual_rate(periodic: float, periods: int = MONTHS_A_YEAR) -> float:
    """Return the yearly rate by compound interest (IRR)."""
    return float((1 + periodic) ** periods - 1)


def cost_of_plan(
    *, principal_amount: Decimal, disbursed_on: date, plan: Sequence[ScheduledInstalment]
) -> AnnualCost | None:
    """Return what a loan costs by its plan, interest and fees together; None for other plans.

    Only a plan of one payment about every month has a rate a month; whatever is taken off at once
    and in no instalment is not known here.
    """
    days = sorted(line.due_date for line in plan)
    gaps = [(day - before).days for before, day in pairwise([disbursed_on, *days])]
    # The first payment may wait a little longer.
    if not gaps or gaps[0] > _LONGEST_FIRST or min(gaps) < _SHORTEST:
        return None
    if max(gaps[1:], default=0) > _LONGEST or principal_amount <= 0:
        return None
    lines = sorted(plan, key=lambda line: line.due_date)
    payments = [float(line.total_amount) for line in lines]
    if sum(payments) <= 0 or min(payments) < 0:
        return None
    rate = periodic_rate(float(principal_amount), payments)
    return AnnualCost(simple_annual_rate(rate), compound_annual_rate(rate))
