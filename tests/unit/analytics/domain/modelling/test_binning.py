import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain.modelling.binning import (
    BinKind,
    BinnedFeature,
    BinningRules,
    RateTrend,
    bin_category,
    bin_number,
)


def noisy(seed, n=4000, curve=lambda x: x):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-curve(x) + 1))).astype(float)
    return x, y


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([-1.0, 0.3, 1.5]))
def test_ranges_are_monotone_few_and_never_small(seed, slope):
    x, y = noisy(seed, curve=lambda v: slope * v + np.sin(3 * v))
    found = bin_number("x", x, y)

    ranges = [each for each in found.bins if each.kind is BinKind.RANGE]
    rates = [each.events / each.rows for each in ranges]
    assert rates == sorted(rates, reverse=found.trend is RateTrend.DESCENDING)
    assert 1 <= len(ranges) <= 8
    assert min(each.rows for each in ranges) >= 0.05 * len(x)
    assert sum(each.rows for each in found.bins) == len(x)
    assert sum(each.events for each in found.bins) == y.sum()


def test_the_direction_that_says_more_is_taken_and_one_can_be_demanded():
    x, y = noisy(1)
    assert bin_number("x", x, y).trend is RateTrend.ASCENDING
    assert bin_number("x", -x, y).trend is RateTrend.DESCENDING
    held = bin_number("x", x, y, rules=BinningRules(trend=RateTrend.DESCENDING))
    assert held.information < 0.01


def test_missing_and_special_values_have_bins_of_their_own():
    x, y = noisy(2)
    x[:400], x[400:800] = np.nan, 98
    found = bin_number("x", x, y, codes=(96.0, 98.0))

    last = found.bins[-3:]
    assert [(each.kind, each.code, each.rows) for each in last] == [
        (BinKind.SPECIAL, 96.0, 0),
        (BinKind.SPECIAL, 98.0, 400),
        (BinKind.MISSING, None, 400),
    ]
    assert last[0].is_thin
    assert last[0].woe == 0
    count = len(found.bins)
    assert found.positions(np.array([np.nan, 98.0, 96.0])).tolist() == [
        count - 1,
        count - 2,
        count - 3,
    ]


def test_words_are_joined_by_event_rate_and_one_never_seen_is_neutral():
    rng = np.random.default_rng(3)
    words = rng.integers(0, 12, 6000).astype(float)
    words[:200] = np.nan
    y = (rng.random(6000) < np.where(words % 3 == 0, 0.4, 0.1)).astype(float)
    found = bin_category("w", words, y, word_count=12)

    groups = [set(each.words) for each in found.bins if each.kind is BinKind.WORDS]
    assert set().union(*groups) == set(range(12))
    assert all({w % 3 == 0 for w in group} != {True, False} for group in groups)
    at = found.positions(np.array([12.0, -3.0, 1e9, np.nan]))
    assert [found.bins[p].kind for p in at] == [BinKind.UNSEEN] * 3 + [BinKind.MISSING]
    assert found.woe[at[0]] == 0


@pytest.mark.parametrize("column", [[np.nan] * 50, [7.0] * 50])
def test_a_column_that_says_nothing_has_no_information(column):
    y = np.array([0.0, 1.0] * 25)
    assert bin_number("x", np.array(column), y).information == pytest.approx(0)


def test_bins_come_back_from_json_as_they_were():
    x, y = noisy(4)
    for found in (
        bin_number("x", x, y, codes=(5.0,)),
        bin_category("w", np.floor(np.abs(x)), y, word_count=6),
    ):
        assert BinnedFeature.from_json(found.to_json()) == found
