"""Hours and rates that few events move, by their properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.lifetime.contact_habits import (
    best_hour,
    group_hours,
    group_rate,
    smoothed_hours,
    smoothed_rate,
)

COUNTS = st.lists(st.integers(0, 1000), min_size=24, max_size=24)


@given(COUNTS, COUNTS)
def test_s79_shares_of_hours_add_up_and_lie_between_person_and_group(own, group):
    usual = group_hours(group)
    found = smoothed_hours(own, usual)
    assert found.sum() == pytest.approx(1.0)
    assert (found > 0).all()
    total = sum(own)
    if total:
        raw = np.array(own) / total
        low, high = np.minimum(raw, usual), np.maximum(raw, usual)
        assert ((found >= low - 1e-12) & (found <= high + 1e-12)).all()


@given(COUNTS)
def test_who_did_nothing_is_as_the_group_is(group):
    usual = group_hours(group)
    assert smoothed_hours([0] * 24, usual) == pytest.approx(usual)


@given(COUNTS, st.integers(0, 23))
def test_a_habit_of_many_events_outweighs_any_group(group, hour):
    own = [0] * 24
    own[hour] = 500
    assert best_hour(smoothed_hours(own, group_hours(group))) == hour


def test_one_event_does_not_outweigh_a_clear_group():
    group = [0] * 24
    group[20] = 5_000
    own = [0] * 24
    own[3] = 1
    assert best_hour(smoothed_hours(own, group_hours(group))) == 20


@pytest.mark.parametrize(("opens", "closes", "hour"), [(0, 24, 3), (8, 21, 9), (4, 9, 4)])
def test_the_best_hour_is_the_earliest_of_equals_in_the_window(opens, closes, hour):
    shares = np.zeros(24)
    shares[[3, 9, 12]] = 0.3, 0.2, 0.2
    assert best_hour(shares, opens=opens, closes=closes) == hour


@pytest.mark.parametrize(("opens", "closes"), [(8, 8), (-1, 5), (5, 25)])
def test_a_window_without_an_hour_is_refused(opens, closes):
    with pytest.raises(ValueError, match="hour"):
        best_hour(np.ones(24), opens=opens, closes=closes)


@pytest.mark.parametrize("counts", [[1] * 23, [-1] + [0] * 23])
def test_other_than_24_counts_are_refused(counts):
    with pytest.raises(ValueError, match="24"):
        group_hours(counts)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_s79_rates_lie_between_person_and_group(responses, messages, in_group, of_group):
    usual = group_rate(in_group, of_group)
    assert 0 < usual < 1
    found = smoothed_rate(responses, messages, usual)
    raw = min(responses, messages) / messages if messages else usual
    assert min(raw, usual) - 1e-12 <= found <= max(raw, usual) + 1e-12


def test_a_response_more_raises_the_rate_and_a_message_more_lowers_it():
    assert smoothed_rate(3, 10, 0.1) > smoothed_rate(2, 10, 0.1) > smoothed_rate(2, 11, 0.1)
