"""Risk bands: planted ones are recovered; monotone in both samples and never too small."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain.credit import bands


def sample(generator, size, rates=(0.01, 0.03, 0.08, 0.20)):
    """Return chances around planted rates, with the outcomes that these bring."""
    chances = np.repeat(rates, size // len(rates))
    outcomes = generator.random(len(chances)) < chances
    return chances * (1 + generator.uniform(-0.1, 0.1, len(chances))), outcomes.astype(int)


def test_planted_bands_are_found_again():
    generator = np.random.default_rng(20240601)
    chances, bad = sample(generator, 40_000)
    later, later_bad = sample(generator, 20_000)

    scale = bands.risk_bands(
        chances=chances, bad=bad, later_chances=later, later_bad=later_bad, most_bands=4
    )

    assert [band.name for band in scale.bands] == ["A", "B", "C", "D"]
    for band, rate in zip(scale.bands, (0.01, 0.03, 0.08, 0.20), strict=True):
        assert band.rate == pytest.approx(rate, rel=0.15)
        assert band.later_rate == pytest.approx(rate, rel=0.2)


def test_a_band_that_turns_out_of_time_is_merged_with_its_neighbour():
    chances = np.repeat([0.1, 0.2, 0.3], 100)
    bad = np.concatenate([np.arange(100) < share for share in (10, 20, 30)]).astype(int)
    later_bad = np.concatenate([np.arange(100) < share for share in (10, 30, 20)]).astype(int)

    scale = bands.risk_bands(chances=chances, bad=bad, later_chances=chances, later_bad=later_bad)

    assert [(band.count, band.bad_count, band.later_bad_count) for band in scale.bands] == [
        (100, 10, 10),
        (200, 50, 50),
    ]


probabilities = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=200)


@given(probabilities, probabilities, st.integers(1, 6), st.sampled_from([0.05, 0.2, 0.5]))
@settings(max_examples=150)
def test_rates_rise_in_both_samples_sizes_hold_and_nothing_is_uncovered(first, second, most, share):
    scale = bands.risk_bands(
        chances=[chance for chance, _bad in first],
        bad=[bad for _chance, bad in first],
        later_chances=[chance for chance, _bad in second],
        later_bad=[bad for _chance, bad in second],
        most_bands=most,
        least_share=share,
    )

    found = scale.bands
    assert 1 <= len(found) <= most
    assert (found[0].low, found[-1].high) == (0.0, 1.0)
    assert sum(band.count for band in found) == len(first)
    assert sum(band.later_count for band in found) == len(second)
    for left, right in pairwise(found):
        assert left.high == right.low
        assert left.rate < right.rate
        assert left.later_rate < right.later_rate
    if len(found) > 1:
        assert min(band.count for band in found) >= share * len(first)
        assert min(band.later_count for band in found) >= share * len(second)
    low, high = found[0].low, found[0].high
    inside = [chance for chance, _bad in first if low <= chance < high or high >= 1]
    assert len(inside) == found[0].count


@pytest.mark.parametrize(
    "wrong",
    [
        {"chances": []},
        {"chances": [1.5]},
        {"chances": [float("nan")]},
        {"bad": [2]},
        {"bad": [0, 1]},
        {"later_chances": []},
        {"most_bands": 0},
        {"most_bands": 27},
    ],
)
def test_wrong_samples_are_refused(wrong):
    good = {"chances": [0.1], "bad": [0], "later_chances": [0.1], "later_bad": [0]}
    with pytest.raises(ValueError, match=r"."):
        bands.risk_bands(**{**good, **wrong})
