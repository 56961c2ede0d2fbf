from math import isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2, chisquare

from analytics.domain import rates
from tests.golden import rates as golden

counts = st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda x: (min(x), max(x)))


@pytest.mark.parametrize(("successes", "trials", "low", "high"), golden.WILSON)
def test_wilson_gives_the_published_limits(successes, trials, low, high):
    share = rates.wilson(successes, trials)

    assert (round(share.low, 4), round(share.high, 4)) == (low, high)
    assert share.rate == successes / trials


@settings(deadline=None)
@given(counts)
def test_wilson_equals_scipy(parts):
    successes, trials = parts
    share = rates.wilson(successes, trials)
    if trials == 0:
        assert (share.rate, share.low, share.high) == (None, None, None)
        return
    other = binomtest(successes, trials).proportion_ci(method="wilson")

    assert share.low == pytest.approx(other.low, abs=1e-12)
    assert share.high == pytest.approx(other.high, abs=1e-12)
    assert 0 <= share.low <= share.rate <= share.high <= 1


def test_nothing_of_nothing_is_unknown_and_not_zero():
    assert rates.wilson(0, 0).rate is None
    assert rates.newcombe_difference((0, 0), (1, 2)).value is None
    assert not rates.newcombe_difference((0, 0), (1, 2)).is_identified


@pytest.mark.parametrize(("successes", "trials"), [(-1, 3), (4, 3), (1, -1)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(ValueError, match="between 0 and trials"):
        rates.wilson(successes, trials)


@pytest.mark.parametrize(("x1", "n1", "x2", "n2", "low", "high"), golden.NEWCOMBE)
def test_newcombe_gives_the_published_limits(x1, n1, x2, n2, low, high):
    difference = rates.newcombe_difference((x1, n1), (x2, n2))

    assert (round(difference.low, 4), round(difference.high, 4)) == (low, high)
    assert difference.is_identified is not (low <= 0 <= high)


def test_the_second_published_source_agrees_to_two_digits():
    difference = rates.newcombe_difference((7, 34), (1, 34))

    assert (round(difference.low, 3), round(difference.high, 2)) == (0.019, 0.34)


@settings(deadline=None)
@given(counts, counts)
def test_swapping_the_groups_mirrors_the_interval(first, second):
    one = rates.newcombe_difference(first, second)
    other = rates.newcombe_difference(second, first)

    if one.value is None:
        assert other.value is None
        return
    assert isclose(one.low, -other.high, abs_tol=1e-12)
    assert isclose(one.high, -other.low, abs_tol=1e-12)
    assert -1 <= one.low <= one.value + 1e-12
    assert one.value - 1e-12 <= one.high <= 1


@pytest.mark.parametrize("row", [golden.HILLSTROM_VISITS, golden.HILLSTROM_CONVERSIONS])
def test_the_hillstrom_trial_gives_its_known_lift(row):
    x1, n1, x2, n2, value, low, high = row
    difference = rates.newcombe_difference((x1, n1), (x2, n2))

    assert difference.value * 100 == pytest.approx(value, abs=5e-4)
    assert difference.low * 100 == pytest.approx(low, abs=1e-4)
    assert difference.high * 100 == pytest.approx(high, abs=1e-4)
    assert difference.is_identified


def test_relative_lift_of_the_hillstrom_trial():
    x1, n1, x2, n2, *_rest = golden.HILLSTROM_CONVERSIONS
    lift = rates.relative_lift((x1, n1), (x2, n2))
    value, low, high = golden.HILLSTROM_RELATIVE

    assert lift.value == pytest.approx(value, abs=5e-5)
    assert (lift.low + 1, lift.high + 1) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize(
    ("_case", "treated", "control", "value"),
    [
        ("control never converts", (5, 10), (0, 10), None),
        ("no control", (5, 10), (0, 0), None),
        ("treated never convert", (0, 10), (5, 10), -1.0),
    ],
)
def test_relative_lift_has_no_interval_where_the_ratio_has_none(_case, treated, control, value):
    lift = rates.relative_lift(treated, control)

    assert (lift.value, lift.low, lift.high, lift.is_identified) == (value, None, None, False)


def test_allocation_of_the_hillstrom_arms_is_not_off():
    observed, statistic, p_value = golden.HILLSTROM_ARMS
    check = rates.check_allocation(observed, [1, 1, 1])

    assert round(check.statistic, 4) == statistic
    assert round(check.p_value, 4) == p_value
    assert not check.is_off


def test_a_planted_mismatch_is_found():
    check = rates.check_allocation([9000, 1200], [0.9, 0.1])

    assert check.is_off
    assert check.p_value == pytest.approx(chisquare([9000, 1200], [9180, 1020]).pvalue, rel=1e-9)


def test_one_group_or_nobody_cannot_be_checked():
    assert rates.check_allocation([10], [1]).p_value is None
    assert rates.check_allocation([0, 0], [1, 1]).p_value is None


@pytest.mark.parametrize(("observed", "weights"), [([1, 2], [1]), ([1, 2], [1, 0])])
def test_weights_must_fit_the_groups(observed, weights):
    with pytest.raises(ValueError, match="positive weight"):
        rates.check_allocation(observed, weights)


@settings(deadline=None)
@given(st.floats(0, 200), st.integers(1, 12))
def test_the_tail_of_chi_square_equals_scipy(statistic, degrees):
    assert rates.chi_square_tail(statistic, degrees) == pytest.approx(
        chi2.sf(statistic, degrees), rel=1e-9, abs=1e-12
    )


def test_confidence_must_be_a_share():
    with pytest.raises(ValueError, match="confidence"):
        rates.wilson(1, 2, confidence=1.0)


@pytest.mark.parametrize(
    ("treated", "control"), [((0.10, 900), (0.10, 100)), ((0.05, 2000), (0.03, 300))]
)
def test_the_interval_of_the_lift_covers_the_truth_in_93_to_97_of_100_trials(treated, control):
    rng = np.random.default_rng(11)
    (p1, n1), (p2, n2) = treated, control
    draws = zip(rng.binomial(n1, p1, 4000), rng.binomial(n2, p2, 4000), strict=True)
    found = [rates.newcombe_difference((int(x1), n1), (int(x2), n2)) for x1, x2 in draws]
    covered = sum(x.low <= p1 - p2 <= x.high for x in found) / len(found)

    assert 0.93 <= covered <= 0.97
    if p1 == p2:
        assert sum(x.is_identified for x in found) / len(found) <= 0.06
