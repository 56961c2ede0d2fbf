"""Intervals of chances of default: Jeffreys' for one step, narrower with more loans."""

from decimal import Decimal

import pytest
from scipy.stats import beta

from analytics.domain.credit.default_ranges import default_ranges
from analytics.domain.credit.month_ends import END_STATES, OPEN_STATES, BookState
from analytics.domain.credit.rolling import RollCell, default_within

WAYS = OPEN_STATES[:-1]


def cells(scale=1, **moved):
    """Return a matrix; what is not said stays in its bucket."""
    found = {}
    for opening in OPEN_STATES:
        out = dict.fromkeys(END_STATES, 0)
        out |= {BookState(k): v * scale for k, v in moved.get(opening.value, {}).items()}
        total = sum(out.values())
        for closing, count in out.items():
            found[opening, closing] = RollCell(
                opening, closing, count, total, Decimal(count), Decimal(total)
            )
    return found


def matrix(scale=1):
    m0, m1, m2, m3 = WAYS
    bad, paid = BookState.M3_PLUS, BookState.SETTLED
    return cells(
        scale,
        **{
            m0.value: {m0.value: 900, m1.value: 60, paid.value: 40},
            m1.value: {m0.value: 40, m1.value: 25, m2.value: 35},
            m2.value: {m1.value: 10, m2.value: 20, m3.value: 70},
            m3.value: {m2.value: 20, bad.value: 80},
        },
    )


def test_one_month_from_the_last_bucket_is_the_jeffreys_interval_of_a_proportion():
    """80 of 100 and half a loan for each of the seven ways out; scipy's beta distribution."""
    found, _all = default_ranges(matrix(), months=1, standing={})
    low, high = found[BookState.M3]
    # Of the seven ways out two are bad.
    exact = beta(80 + 2 * 0.5, 20 + 5 * 0.5)
    assert (low, high) == pytest.approx((exact.ppf(0.025), exact.ppf(0.975)), abs=0.01)


def test_the_interval_holds_the_estimate_and_shrinks_with_the_root_of_the_loans():
    widths = []
    for scale in (1, 100):
        given = matrix(scale)
        found, of_all = default_ranges(
            given, months=12, standing={BookState.M0: 9, BookState.M1: 1}
        )
        chances = default_within(given, months=12, least_loans=1)
        for way in WAYS:
            assert found[way][0] < chances[way] < found[way][1]
        mean = 0.9 * chances[BookState.M0] + 0.1 * chances[BookState.M1]
        assert of_all[0] < mean < of_all[1]
        widths.append(found[BookState.M0][1] - found[BookState.M0][0])
    assert widths[1] == pytest.approx(widths[0] / 10, rel=0.2)


def test_the_same_book_has_the_same_interval_and_nobody_standing_none():
    one, of_nobody = default_ranges(matrix(), months=12, standing={})
    again, _none = default_ranges(matrix(), months=12, standing={})
    assert one == again
    assert of_nobody is None
