"""Yearly rates against the vectors and the numbers of the People's Bank of China."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.credit import annual_cost
from customers.domain.loans.instalments import ScheduledInstalment, add_months
from tests.golden.credit import ALL_IN_COST


@pytest.mark.parametrize(("proceeds", "payment", "count", "simple", "compound"), ALL_IN_COST)
def test_all_in_cost_equals_the_vectors(proceeds, payment, count, simple, compound):
    rate = annual_cost.periodic_rate(proceeds, [payment] * count)

    assert annual_cost.simple_annual_rate(rate) == pytest.approx(simple, abs=1e-6)
    assert annual_cost.compound_annual_rate(rate) == pytest.approx(compound, abs=1e-6)


def test_an_upfront_fee_by_the_example_of_the_central_bank():
    # 公告〔2021〕第3号: 100,000 with 1,000 at once and twelve times 8,833.3.
    rate = annual_cost.periodic_rate(99_000, [100_000 / 12 + 500] * 12)

    assert annual_cost.simple_annual_rate(rate) == pytest.approx(0.1280, abs=5e-5)
    assert annual_cost.compound_annual_rate(rate) == pytest.approx(0.1358, abs=5e-5)


def test_a_daily_rate_by_the_example_of_the_central_bank():
    days = 365

    assert annual_cost.simple_annual_rate(0.0005, days) == pytest.approx(0.1825)
    assert annual_cost.compound_annual_rate(0.0005, days) == pytest.approx(0.200159, abs=1e-6)


def plan(*days, principal=1000, interest=0, fee=0):
    return [
        ScheduledInstalment(at, day, Decimal(principal), Decimal(interest), Decimal(fee))
        for at, day in enumerate(days, start=1)
    ]


def months(count, first=date(2026, 2, 10)):
    return [add_months(first, at) for at in range(count)]


def test_a_plan_costs_its_interest_and_its_fees():
    """100,000 in twelve parts, 500 of interest a month; and 200 of fees a month more."""
    given = {"principal_amount": Decimal(100_000), "disbursed_on": date(2026, 1, 10)}
    lines = plan(*months(12), principal="8333.33", interest=500)
    found = annual_cost.cost_of_plan(**given, plan=lines)
    assert found.simple_rate == pytest.approx(0.1090, abs=5e-4)
    with_fee = plan(*months(12), principal="8333.33", interest=500, fee=200)
    dearer = annual_cost.cost_of_plan(**given, plan=with_fee)
    assert dearer.simple_rate == pytest.approx(0.1512, abs=5e-4)
    assert dearer.compound_rate > dearer.simple_rate


@pytest.mark.parametrize(
    "lines",
    [
        [],
        plan(date(2026, 2, 10), date(2026, 5, 10)),
        plan(date(2026, 1, 17), date(2026, 1, 24)),
        plan(date(2026, 6, 10)),
        plan(*months(3), principal=0),
    ],
)
def test_a_plan_that_is_not_monthly_has_no_rate_a_month(lines):
    found = annual_cost.cost_of_plan(
        principal_amount=Decimal(1000), disbursed_on=date(2026, 1, 10), plan=lines
    )
    assert found is None


@given(st.floats(0.0, 0.5), st.integers(1, 48))
def test_the_rate_of_an_annuity_is_found_again(rate, count):
    payment = 1000 * rate / (1 - (1 + rate) ** -count) if rate > 1e-9 else 1000 / count

    assert annual_cost.periodic_rate(1000, [payment] * count) == pytest.approx(rate, abs=1e-8)


@pytest.mark.parametrize(("proceeds", "payments"), [(0, [1]), (1, []), (1, [0]), (1, [2, -1])])
def test_without_money_both_ways_there_is_no_rate(proceeds, payments):
    with pytest.raises(ValueError, match="proceeds"):
        annual_cost.periodic_rate(proceeds, payments)
