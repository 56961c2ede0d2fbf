from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain import cost
from analytics.domain.cost import CostCategory, CostLine
from tests.golden import rates as golden

# 1,000 for media shared by all, 450 and 90 for messages, a bonus of 300, a commission of 200 of
# which 50 came back: 1,990 in all.
LEDGER = (
    CostLine(CostCategory.MEDIA, Decimal("1000.00"), "sms"),
    CostLine(CostCategory.MESSAGES, Decimal("450.00"), "sms"),
    CostLine(CostCategory.MESSAGES, Decimal("90.00"), "email"),
    CostLine(CostCategory.INCENTIVES, Decimal("300.00")),
    CostLine(CostCategory.COMMISSION, Decimal("200.00")),
    CostLine(CostCategory.COMMISSION, Decimal("-50.00")),
)


def test_the_ledger_example_is_exact_to_the_cent():
    assert cost.total_amount(LEDGER) == Decimal("1990.00")
    assert cost.channel_cac(LEDGER, channel="sms", new_customers=8).value == Decimal("181.25")
    assert cost.channel_cac(LEDGER, channel="email", new_customers=3).value == Decimal("30.00")
    assert cost.fully_loaded_cac(LEDGER, new_customers=10).value == Decimal("199.00")


def test_no_new_customer_leaves_the_cost_of_one_unknown():
    assert cost.fully_loaded_cac(LEDGER, new_customers=0).value is None
    assert cost.channel_cac(LEDGER, channel="sms", new_customers=0).value is None


def test_incremental_conversions_of_the_hillstrom_trial():
    x1, n1, x2, n2, *_rest = golden.HILLSTROM_CONVERSIONS
    extra = cost.incremental_conversions(treated=(x1, n1), control=(x2, n2))

    assert round(extra, 2) == golden.HILLSTROM_INCREMENTAL


def test_incremental_conversions_need_a_holdout():
    with pytest.raises(ValueError, match="holdout"):
        cost.incremental_conversions(treated=(1, 2), control=(0, 0))


def test_return_is_gain_by_cost_and_unknown_without_cost():
    worth = cost.return_on_cost(
        margin_amount=Decimal(1800), expected_loss_amount=Decimal(780), cost_amount=Decimal(500)
    )
    free = cost.return_on_cost(
        margin_amount=Decimal(1), expected_loss_amount=Decimal(0), cost_amount=Decimal(0)
    )

    assert (worth.rate, worth.gain_amount) == (1.04, Decimal(520))
    assert free.rate is None


@settings(deadline=None)
@given(st.decimals(0, 10**7, places=2), st.lists(st.integers(0, 10**6), min_size=1, max_size=6))
def test_a_split_amount_adds_up_exactly(amount, weights):
    parts = cost.spread(amount, weights)

    assert sum(parts) == amount
    assert len(parts) == len(weights)
    if sum(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - amount * weight / sum(weights)) < Decimal("0.01")


def test_nothing_is_split_over_nobody():
    assert cost.spread(Decimal(5), []) == ()
    assert cost.spread(Decimal(5), [0, 0]) == (Decimal(5), Decimal(0))
