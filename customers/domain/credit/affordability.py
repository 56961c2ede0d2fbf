"""What a person can pay back: income, obligations, and the ratios between them.

Definitions (per month, CNY):

    DTI = all obligations, the new instalment among them / income       debt to income
    PTI = the new instalment / income                                   payment to income
    disposable income = income − all obligations − the new instalment − cost of living

An income of nothing, or a loss, has no ratio: dividing by it says nothing, and a policy that asks
for the ratio leaves such a person to a human. A joint item belongs to several borrowers: alone,
each counts the own share of it; together, it counts once and whole.
Source: docs/credit_facts.md, "Affordability".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

_ZERO = Decimal(0)
_CENT = Decimal("0.01")
_PLACES = Decimal("0.000001")


class FlowKind(StrEnum):
    """Whether money comes in or goes out every month."""

    INCOME = "income"
    OBLIGATION = "obligation"


@dataclass(frozen=True, slots=True)
class MonthlyFlow:
    """One income or obligation.

    Attributes:
        amount: CNY a month; the income of a trader may be below zero, an obligation is not.
        share: Part of it that is the person's own, above 0 and at most 1.
        joint_reference: The same for all borrowers whom a joint item belongs to; empty otherwise.
        valid_from: First day on which it holds.
        valid_until: Last day, None for no end.
    """

    kind: FlowKind
    amount: Decimal
    share: Decimal = Decimal(1)
    joint_reference: str = ""
    valid_from: date = date.min
    valid_until: date | None = None

    def is_valid(self, on: date) -> bool:
        """Return whether it holds on a day."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Affordability:
    """What one borrower, or several together, have a month, in CNY.

    Attributes:
        dti: None where the income is nothing or a loss.
        pti: Likewise.
        is_known: Some income is on record; without one nothing is known of the ratio, which is
            something else than an income of nothing.
    """

    income_amount: Decimal
    obligation_amount: Decimal
    disposable_amount: Decimal
    dti: Decimal | None
    pti: Decimal | None
    is_known: bool


def affordability(
    *borrowers: Sequence[MonthlyFlow],
    on: date,
    instalment_amount: Decimal = _ZERO,
    living_amount: Decimal = _ZERO,
) -> Affordability:
    """Return what one borrower can afford, or several together.

    Args:
        borrowers: The items of each.
        on: Items that do not hold on this day are left out.
        instalment_amount: What a new loan would cost a month.
        living_amount: Cost of living a month of all of them, by the lender's rule.
    """
    flows = [flow for own in borrowers for flow in own if flow.is_valid(on)]
    income = _total(flows, FlowKind.INCOME, is_joint=len(borrowers) > 1)
    owed = _total(flows, FlowKind.OBLIGATION, is_joint=len(borrowers) > 1)
    all_owed = owed + instalment_amount
    return Affordability(
        income_amount=income,
        obligation_amount=owed,
        disposable_amount=income - all_owed - living_amount,
        dti=_ratio(all_owed, income),
        pti=_ratio(instalment_amount, income),
        is_known=any(flow.kind is FlowKind.INCOME for flow in flows),
    )


def _total(flows: Sequence[MonthlyFlow], kind: FlowKind, *, is_joint: bool) -> Decimal:
    total = _ZERO
    counted: set[str] = set()
    for flow in flows:
        if flow.kind is not kind:
            continue
        if is_joint and flow.joint_reference:
            if flow.joint_reference not in counted:
                counted.add(flow.joint_reference)
                total += flow.amount
            continue
        total += flow.amount * flow.share
    return total.quantize(_CENT, ROUND_HALF_UP)


def _ratio(part: Decimal, income: Decimal) -> Decimal | None:
    return (part / income).quantize(_PLACES, ROUND_HALF_UP) if income > 0 else None
