"""Loss given default: worked by hand, unbiased by open cases, covered by its interval."""

from datetime import date

import numpy as np
import pytest

from analytics.domain.credit import recoveries
from analytics.domain.credit.recoveries import DefaultCase
from customers.domain.loans.instalments import add_months

START = date(2024, 1, 10)
LATER = date(2030, 1, 1)


def case(*paid, start=START, rate=0.0, resolved=None, exposure=100.0):
    return DefaultCase(start, exposure, rate, [(day, float(x)) for day, x in paid], resolved)


def test_recoveries_are_shares_of_what_was_left():
    # 30 of 100 in the first month, 35 of the remaining 70 in the second; then nothing.
    one = case((date(2024, 1, 20), 30), (date(2024, 2, 15), 35), resolved=date(2024, 3, 1))

    found = recoveries.loss_given_default([one] * 30, as_of=LATER, horizon_months=12)

    assert found.curve[:3] == pytest.approx((0.7, 0.35, 0.35))
    assert (found.value, found.low, found.high) == pytest.approx((0.35, 0.35, 0.35))
    assert (found.case_count, found.open_count, found.months) == (30, 0, 12)


def test_late_money_is_discounted_to_the_day_of_default():
    one = case((date(2025, 1, 9), 50), rate=0.25, resolved=date(2025, 6, 1))

    found = recoveries.loss_given_default([one] * 30, as_of=LATER, horizon_months=24)

    assert found.value == pytest.approx(1 - 0.5 / 1.25 ** (365 / 365), abs=1e-3)


def test_an_open_case_counts_for_the_months_it_was_seen():
    # Half of the cases are old: 50 came in after a year. The young have had no time for it.
    old = case((date(2025, 2, 1), 50), resolved=date(2026, 1, 1))
    young = case(start=date(2029, 6, 1))

    found = recoveries.loss_given_default([old, young] * 40, as_of=LATER, horizon_months=24)

    assert found.value == pytest.approx(0.5)
    assert found.open_count == 40


@pytest.mark.parametrize("count", [0, 29])
def test_few_cases_are_no_estimate(count):
    assert recoveries.loss_given_default([case(resolved=START)] * count, as_of=LATER) is None


def test_cases_seen_for_few_months_are_no_estimate():
    assert recoveries.loss_given_default([case()] * 50, as_of=add_months(START, 5)) is None


def test_the_same_seed_gives_the_same_interval():
    cases = _simulated(np.random.default_rng(3), 60)

    first = recoveries.loss_given_default(cases, as_of=LATER, seed=1)

    assert first == recoveries.loss_given_default(cases, as_of=LATER, seed=1)
    assert first.low < first.value < first.high


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    # Each month 5 % of what is left comes in, or nothing, with equal chances: 0.975 ** 12 is lost.
    covered, values = 0, []
    generator = np.random.default_rng(20240601)
    for _draw in range(200):
        found = recoveries.loss_given_default(
            _simulated(generator, 120), as_of=LATER, horizon_months=12, seed=7
        )
        covered += found.low <= 0.975**12 <= found.high
        values.append(found.value)

    assert 0.90 <= covered / 200 <= 0.99
    assert np.mean(values) == pytest.approx(0.975**12, abs=0.003)


def _simulated(generator, number):
    """Return cases of different ages as of `LATER`, a part of them seen for less than a year."""
    cases = []
    for _case in range(number):
        age = int(generator.integers(4, 40))
        start, left, paid = add_months(LATER, -age), 100.0, []
        for month in range(min(age, 12)):
            if generator.random() < 0.5:
                paid.append((add_months(start, month), left * 0.05))
                left *= 0.95
        cases.append(case(*paid, start=start))
    return cases
