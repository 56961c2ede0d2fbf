"""Income, obligations and the ratios between them."""

from datetime import date
from decimal import Decimal

import pytest

from customers.domain.credit.affordability import (
    Affordability,
    FlowKind,
    MonthlyFlow,
    affordability,
)

DAY = date(2026, 6, 30)


def income(amount, **fields):
    return MonthlyFlow(FlowKind.INCOME, Decimal(amount), **fields)


def owed(amount, **fields):
    return MonthlyFlow(FlowKind.OBLIGATION, Decimal(amount), **fields)


def test_the_ratios_are_of_all_that_is_owed_and_of_the_new_instalment():
    found = affordability(
        [income("10000"), owed("2500"), owed("500")],
        on=DAY,
        instalment_amount=Decimal(1000),
        living_amount=Decimal(2000),
    )
    assert found == Affordability(
        income_amount=Decimal("10000.00"),
        obligation_amount=Decimal("3000.00"),
        disposable_amount=Decimal("4000.00"),
        dti=Decimal("0.400000"),
        pti=Decimal("0.100000"),
        is_known=True,
    )


@pytest.mark.parametrize(
    ("flows", "is_known"),
    [
        ([], False),
        ([owed("100")], False),
        ([income("0")], True),
        ([income("-250"), owed("1")], True),
    ],
    ids=["nothing known", "only debts known", "no income", "a trader's loss"],
)
def test_an_income_of_nothing_or_a_loss_has_no_ratio(flows, is_known):
    found = affordability(flows, on=DAY, instalment_amount=Decimal(100))
    assert (found.dti, found.pti, found.is_known) == (None, None, is_known)


def test_a_loss_lowers_what_other_incomes_bring():
    found = affordability([income("8000"), income("-3000"), owed("1000")], on=DAY)
    assert (found.income_amount, found.dti) == (Decimal("5000.00"), Decimal("0.200000"))


def test_a_joint_item_counts_by_share_alone_and_once_together():
    rent = {"share": Decimal("0.5"), "joint_reference": "flat"}
    one = [income("6000"), owed("3000", **rent)]
    other = [income("4000"), owed("3000", **rent)]
    assert affordability(one, on=DAY).obligation_amount == Decimal("1500.00")
    together = affordability(one, other, on=DAY)
    assert (together.income_amount, together.obligation_amount) == (10000, 3000)
    assert together.dti == Decimal("0.300000")


@pytest.mark.parametrize(
    ("begins", "ends", "counts"),
    [
        (DAY, DAY, True),
        (date(2026, 7, 1), None, False),
        (date(2020, 1, 1), date(2026, 6, 29), False),
        (date(2020, 1, 1), None, True),
    ],
)
def test_only_what_holds_on_the_day_counts(begins, ends, counts):
    found = affordability([income("1", valid_from=begins, valid_until=ends)], on=DAY)
    assert found.income_amount == int(counts)
