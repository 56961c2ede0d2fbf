from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.lifetime_value import (
    LifetimeAssumptions,
    LoanWorth,
    falling_balances,
    lifetime_value,
)
from customers.domain.loans.loan import Bucket

SAFE = LifetimeAssumptions(
    funding_rate=0.04,
    discount_rate=0.10,
    loss_given_default=0.6,
    cost_a_month=0.0,
    yearly_default=dict.fromkeys(Bucket, 0.0),
)


def _value(*loans, cost=0.0, given=SAFE):
    return lifetime_value(loans, message_cost=cost, assumptions=given)


def test_b5_clv_of_two_months_to_come_equals_the_hand_calculation():
    loan = LoanWorth(annual_rate=0.24, balances=(1200.0, 600.0))

    # 1200 × 0.20 / 12 = 20 after one month, 600 × 0.20 / 12 = 10 after two; 1.1^(1/12) = 1.00797414
    assert _value(loan).to_come == pytest.approx(20 / 1.00797414 + 10 / 1.01601187, abs=1e-4)
    assert _value(loan).so_far == 0


def test_b5_clv_so_far_is_margin_less_losses_and_costs():
    settled = LoanWorth(annual_rate=0.24, interest_received=120.0, fees_received=15.0)
    lost = LoanWorth(annual_rate=0.24, interest_received=12.0, lost_amount=500.0)

    # Funding takes 0.04 / 0.24 of the interest: 100 and 10 are left.
    found = _value(settled, lost, cost=0.75)

    assert found.so_far == pytest.approx(100 + 15 + 10 - 500 - 0.75)
    assert found.total == found.so_far + found.to_come


def test_expected_loss_and_cost_equal_the_hand_calculation():
    given = replace(
        SAFE, discount_rate=0.0, cost_a_month=1.0, yearly_default={Bucket.M0: 1 - 0.9**12}
    )
    loan = LoanWorth(annual_rate=0.24, balances=(1000.0,))

    # Survives the month with 0.9: 0.9 × (1000 × 0.2 / 12 − 1) − 0.1 × 0.6 × 1000
    assert _value(loan, given=given).to_come == pytest.approx(0.9 * (1000 * 0.2 / 12 - 1) - 60)


def test_without_a_rate_only_fees_count():
    loan = LoanWorth(annual_rate=0.0, interest_received=10.0, fees_received=3.0)

    assert _value(loan).so_far == 3.0


def test_nobody_without_loans_has_a_value_but_the_cost():
    assert _value(cost=0.12).total == -0.12


@given(
    st.floats(0.05, 0.36),
    st.lists(st.floats(1, 50_000), min_size=1, max_size=36),
    st.sampled_from([(Bucket.M0, Bucket.M1), (Bucket.M1, Bucket.M3), (Bucket.M3, Bucket.M3_PLUS)]),
)
def test_a_worse_bucket_is_never_worth_more(rate, parts, buckets):
    balances = falling_balances(sum(parts), parts)
    better, worse = (
        lifetime_value(
            [LoanWorth(annual_rate=rate, balances=balances, bucket=bucket)], message_cost=0.0
        ).total
        for bucket in buckets
    )

    assert worse <= better + 1e-6 or better < 0


def test_balances_fall_by_the_plan_and_stop_at_nothing():
    assert falling_balances(1000.0, [400.0, 600.0]) == (1000.0, 600.0)
    assert falling_balances(1000.0, [1000.0, 100.0]) == (1000.0,)
    assert falling_balances(0.0, [10.0]) == ()
