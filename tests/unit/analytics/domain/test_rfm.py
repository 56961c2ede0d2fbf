from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.rfm import FutureDateError, Purchases, Rfm, quintiles, rfm_scores

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)


def _bought(key, days, count, total):
    return Purchases(key, AS_OF - timedelta(days=days), count, total)


def test_s17_ten_different_values_fall_two_into_each_step():
    assert quintiles([100, 1, 2, 3, 4, 5, 6, 7, 8, 9]).tolist() == [5, 1, 1, 2, 2, 3, 3, 4, 4, 5]


def test_equal_values_share_a_step_and_count_once():
    assert quintiles([1, 1, 1, 1, 1, 1, 2, 3, 4, 5]).tolist() == [1, 1, 1, 1, 1, 1, 2, 3, 4, 5]


def test_a_column_of_one_value_gets_three():
    assert quintiles([7, 7, 7]).tolist() == [3, 3, 3]


@given(st.lists(st.integers(-50, 50), min_size=1))
def test_steps_follow_the_order_of_values_and_turn_with_it(values):
    steps = quintiles(values)

    assert set(steps) <= {1, 2, 3, 4, 5}
    order = np.argsort(values, kind="stable")
    assert (np.diff(steps[order]) >= 0).all()
    assert (quintiles([-value for value in values]) == 6 - steps).all()


def test_recent_frequent_and_large_are_best():
    people = [
        _bought(n, days=n * 10, count=6 - n, total=(6 - n) * 100 * (6 - n)) for n in range(1, 6)
    ]

    assert rfm_scores(people, as_of=AS_OF) == [Rfm(n, 6 - n, 6 - n, 6 - n) for n in range(1, 6)]
    assert [found.cell for found in rfm_scores(people, as_of=AS_OF)] == [555, 444, 333, 222, 111]


def test_a_refund_lowers_the_mean_but_is_no_purchase():
    kept, refunded = _bought(1, 5, 2, 200.0), _bought(2, 5, 2, 120.0)

    first, second = rfm_scores([kept, refunded], as_of=AS_OF)

    assert (first.frequency, second.frequency) == (3, 3)
    assert first.monetary > second.monetary


def test_dates_in_the_future_are_refused():
    with pytest.raises(FutureDateError):
        rfm_scores([_bought(1, -1, 1, 1.0)], as_of=AS_OF)


def test_the_eight_groups_have_the_names_that_marketers_know():
    assert Rfm(1, 5, 5, 5).group == "important-value"
    assert Rfm(1, 1, 4, 4).group == "important-keep"
    assert Rfm(1, 5, 1, 4).group == "important-develop"
    assert Rfm(1, 1, 1, 5).group == "important-win-back"
    assert Rfm(1, 3, 3, 3).group == "general-win-back"
