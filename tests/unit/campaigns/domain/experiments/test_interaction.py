"""Two experiments on the same people: whether one changes the other's effect."""

import pytest

from campaigns.domain.experiments.arms import ArmSums
from campaigns.domain.experiments.interaction import interactions


def sums(yes, people=10_000):
    return ArmSums.of_yes(yes, people)


def test_effects_that_add_up_do_not_interact():
    cells = {
        ("A", "A"): sums(500),
        ("B", "A"): sums(700),
        ("A", "B"): sums(800),
        ("B", "B"): sums(1_000),
    }

    (found,) = interactions(cells)

    assert found.value == pytest.approx(0)
    assert found.p_value == pytest.approx(1)
    assert not found.is_shown


def test_an_effect_that_the_other_experiment_takes_away_is_shown_as_a_linear_model_has_it():
    linear = pytest.importorskip("statsmodels.api")
    yes = {("A", "A"): 500, ("B", "A"): 800, ("A", "B"): 500, ("B", "B"): 500}

    (found,) = interactions({pair: sums(count) for pair, count in yes.items()})

    rows, outcome, weight = [], [], []
    for (arm, other), count in yes.items():
        here, there = float(arm == "B"), float(other == "B")
        for value, people in ((1.0, count), (0.0, 10_000 - count)):
            rows.append([1.0, here, there, here * there])
            outcome.append(value)
            weight.append(people)
    fitted = linear.WLS(outcome, rows, weights=weight).fit()
    assert found.value == pytest.approx(float(fitted.params[3]))
    assert found.value == pytest.approx(-0.03)
    assert found.is_shown
    assert found.low < -0.03 < found.high < 0


def test_f76_a_pair_without_people_is_left_out():
    assert interactions({("A", "A"): sums(5), ("B", "B"): sums(5)}) == []
    assert interactions({}) == []


def test_among_several_pairs_the_p_values_are_adjusted():
    cells = {(arm, other): sums(500) for arm in "ABC" for other in "AB"}
    cells["B", "B"] = sums(570)

    found = {one.arm: one.p_value for one in interactions(cells)}

    alone = interactions({pair: cells[pair] for pair in cells if pair[0] in "AB"})[0].p_value
    assert found["B"] == pytest.approx(2 * alone)
