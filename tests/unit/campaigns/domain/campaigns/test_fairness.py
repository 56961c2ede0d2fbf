"""Impact ratios and standardised differences: published numbers, findings, coverage."""

import numpy as np
import pytest

from campaigns.domain.campaigns.fairness import (
    GroupFinding,
    Moments,
    age_band,
    impact_ratios,
    parity_ratio,
    standardised_differences,
)


def of(groups, **choices):
    return {one.group: one for one in impact_ratios(groups, **choices)}


def test_golden_impact_ratio_of_one_half():
    """48 of 80 against 12 of 40: 4/5 rule, 29 CFR 1607.4(D)."""
    found = of({"a": (48, 80), "b": (12, 40)})
    assert found["b"].ratio == pytest.approx(0.5)
    assert found["b"].finding is GroupFinding.UNFAIR
    assert found["a"].finding is GroupFinding.REFERENCE
    # Katz: log ratio -0.6931, error sqrt(1/12 - 1/40 + 1/48 - 1/80) = 0.2582.
    assert (found["b"].low, found["b"].high) == pytest.approx((0.3014, 0.8294), abs=1e-3)


def test_golden_standardised_difference():
    found = standardised_differences(
        {"a": Moments(300, 630, 50), "b": Moments(200, 612, 45)}, reference="a"
    )
    assert found[0].value == pytest.approx(-0.3784, abs=5e-5)
    assert found[0].low < found[0].value < found[0].high < 0


def test_parity_ratio_is_fairlearns():
    """`demographic_parity_ratio` of selection rates .6 and .4 is .6667."""
    assert parity_ratio([0.6, 0.4]) == pytest.approx(0.6667, abs=5e-5)
    assert parity_ratio([0.0, 0.0]) is None


@pytest.mark.parametrize(
    ("groups", "finding"),
    [
        ({"a": (500, 1000), "b": (350, 1000)}, GroupFinding.UNFAIR),
        ({"a": (500, 1000), "b": (400, 1000)}, GroupFinding.FAIR),
        ({"a": (20, 40), "b": (14, 40)}, GroupFinding.DOUBTFUL),
        ({"a": (500, 1000), "b": (0, 29)}, GroupFinding.TOO_SMALL),
        ({"a": (500, 1000), "b": (0, 30)}, GroupFinding.UNFAIR),
        ({"a": (0, 1000), "b": (0, 1000)}, GroupFinding.REFERENCE),
    ],
)
def test_d20_what_is_found_of_the_second_group(groups, finding):
    assert of(groups)["b"].finding is finding


def test_unknown_groups_and_minors_are_shown_and_not_judged():
    found = of({"a": (50, 100), "unknown": (0, 100), "0-17": (0, 100)})
    assert found["unknown"].finding is found["0-17"].finding is GroupFinding.NOT_JUDGED
    assert found["a"].finding is GroupFinding.REFERENCE


def test_more_chosen_than_there_are_is_refused():
    with pytest.raises(ValueError, match="chosen"):
        impact_ratios({"a": (2, 1)})


@pytest.mark.parametrize(
    ("age", "band"), [(17, "0-17"), (18, "18-24"), (24, "18-24"), (25, "25-34"), (90, "55+")]
)
def test_age_bands(age, band):
    assert age_band(age) == band


def test_the_interval_covers_the_true_ratio_in_95_of_100_cases():
    rng = np.random.default_rng(20240601)
    covered = 0
    for _turn in range(4_000):
        chosen = rng.binomial([800, 600], [0.5, 0.3])
        one = of({"a": (int(chosen[0]), 800), "b": (int(chosen[1]), 600)})["b"]
        covered += one.low <= 0.6 <= one.high
    assert 0.93 <= covered / 4_000 <= 0.97


def test_thirty_regions_that_are_treated_alike_block_in_at_most_five_of_a_hundred_cases():
    rng = np.random.default_rng(7)
    blocked = 0
    for _turn in range(400):
        chosen = rng.binomial(300, 0.2, 30)
        found = impact_ratios({f"r{at}": (int(c), 300) for at, c in enumerate(chosen)})
        blocked += any(one.finding is GroupFinding.UNFAIR for one in found)
    assert blocked / 400 <= 0.05


def test_small_groups_and_scores_that_do_not_differ_have_no_difference():
    found = standardised_differences(
        {"a": Moments(300, 1, 0.0), "b": Moments(200, 1, 0.0), "c": Moments(10, 2, 1.0)}
    )
    assert [one.value for one in found] == [None, None]
