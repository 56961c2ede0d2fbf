import numpy as np
import pytest

from analytics.domain.modelling.stability import StabilityBand, band_of, freeze, psi, psi_of_counts


def test_published_sums():
    assert psi([0.4, 0.3, 0.3], [0.35, 0.25, 0.4]) == pytest.approx(0.04456085, abs=1e-8)
    shares = np.array([5, 6, 8, 9, 10, 11, 12, 12, 13, 14]) / 100
    assert psi([0.1] * 10, shares) == pytest.approx(0.09018264, abs=1e-8)


@pytest.mark.parametrize(
    ("value", "band"),
    [(0.0999, "stable"), (0.1, "watch"), (0.2499, "watch"), (0.25, "act"), (3, "act")],
)
def test_bands(value, band):
    assert band_of(value) is StabilityBand(band)


def test_an_empty_bin_counts_as_one_in_ten_thousand_and_is_named():
    found = psi_of_counts(np.array([50.0, 50.0, 0.0]), np.array([50.0, 0.0, 50.0]))
    expected = psi([0.5, 0.5, 1e-4], [0.5, 1e-4, 0.5])
    assert (found.value, found.empty_bins) == (pytest.approx(expected), (1, 2))


def test_income_in_fen_instead_of_yuan_is_caught_and_the_same_people_are_not():
    rng = np.random.default_rng(1)
    income = rng.lognormal(9, 0.5, 5000)
    bins = freeze(income)
    assert bins.index(rng.lognormal(9, 0.5, 5000)).band is StabilityBand.STABLE
    assert bins.index(income * 100).band is StabilityBand.ACT


def test_two_samples_of_one_population_stay_below_the_bound_in_95_of_100():
    rng = np.random.default_rng(2)
    below = 0
    for _round in range(1000):
        found = psi_of_counts(rng.multinomial(2000, [0.1] * 10), rng.multinomial(800, [0.1] * 10))
        below += found.value <= found.by_chance
    assert 0.93 <= below / 1000 <= 0.97


def test_nobody_has_no_index():
    with pytest.raises(ValueError, match="both sides"):
        psi_of_counts(np.zeros(3), np.ones(3))
