"""Figures against scikit-learn and by hand; intervals by how often they hold the truth."""

from statistics import NormalDist

import numpy as np
import pytest
from sklearn import metrics

from analytics.domain.modelling import evaluation
from analytics.domain.modelling.evaluation import OneOutcomeError

NORMAL = NormalDist()
Y = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
P = np.array([0.9, 0.8, 0.35, 0.3, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05])


def test_ten_rows_worked_by_hand_with_one_tie():
    assert evaluation.auc(Y, P) == 0.8125
    assert evaluation.gini(Y, P) == 0.625
    assert evaluation.ks(Y, P) == 0.5
    assert evaluation.brier(Y, P) == pytest.approx(0.1625)
    assert evaluation.log_loss(Y, P) == pytest.approx(0.4745888, abs=1e-7)


@pytest.mark.parametrize("digits", [1, 6])
def test_figures_are_those_of_scikit_learn(digits):
    rng = np.random.default_rng(1)
    p = np.clip(rng.beta(1, 4, 3000).round(digits), 0.01, 0.99)
    y = (rng.random(3000) < p).astype(int)
    fpr, tpr, _cuts = metrics.roc_curve(y, p)

    assert evaluation.auc(y, p) == pytest.approx(metrics.roc_auc_score(y, p), abs=1e-12)
    assert evaluation.ks(y, p) == pytest.approx((tpr - fpr).max(), abs=1e-12)
    assert evaluation.brier(y, p) == pytest.approx(metrics.brier_score_loss(y, p), abs=1e-12)
    assert evaluation.log_loss(y, p) == pytest.approx(metrics.log_loss(y, p), abs=1e-12)


def test_perfect_separation_is_one_with_an_interval_below_it():
    y = np.array([0, 0, 0, 1, 1, 1])
    found = evaluation.auc_interval(y, y.astype(float))
    assert (found.value, found.high, evaluation.ks(y, y.astype(float))) == (1, 1, 1)
    assert found.low < 1


@pytest.mark.parametrize("y", [[0, 0, 0], [1, 1], []])
def test_one_outcome_cannot_be_told_apart(y):
    with pytest.raises(OneOutcomeError):
        evaluation.evaluate(np.array(y), np.linspace(0, 1, len(y)), seed=1)
    assert evaluation.evaluate_groups(
        np.array(y), np.zeros(len(y)), np.array(["a"] * len(y)), seed=1
    ) == ({"a": None} if y else {})


def test_intervals_hold_the_truth_in_93_to_97_of_100_samples():
    # Scores of events and non-events are normal, one standard deviation apart.
    rounds, n, rate = 500, 1000, 0.2
    area, gap = NORMAL.cdf(1 / 2**0.5), 2 * NORMAL.cdf(0.5) - 1
    rng = np.random.default_rng(20240601)
    start = np.log(rate / (1 - rate)) - 0.5

    def sample(size):
        y = (rng.random(size) < rate).astype(float)
        x = rng.normal(size=size) + y
        return y, x, 1 / (1 + np.exp(-(start + x)))

    big_y, _x, big_p = sample(1_000_000)
    error, loss = evaluation.brier(big_y, big_p), evaluation.log_loss(big_y, big_p)
    held = dict.fromkeys(("auc", "ks", "brier", "log_loss", "slope", "intercept"), 0)
    for number in range(rounds):
        y, x, p = sample(n)
        line = evaluation.calibration(y, p)
        for name, truth, found in (
            ("auc", area, evaluation.auc_interval(y, x)),
            ("ks", gap, evaluation.ks_interval(y, x, seed=number)),
            ("brier", error, evaluation.brier_interval(y, p)),
            ("log_loss", loss, evaluation.log_loss_interval(y, p)),
            ("slope", 1.0, line.slope),
            ("intercept", 0.0, line.intercept),
        ):
            held[name] += found.low <= truth <= found.high
    assert {name: count for name, count in held.items() if not 0.93 <= count / rounds <= 0.97} == {}


def test_the_bootstrap_of_a_mean_is_about_its_normal_interval():
    values = np.random.default_rng(2).normal(size=400)
    found = evaluation.bootstrap(400, lambda at: float(values[at].mean()), seed=1, rounds=800)
    error = values.std(ddof=1) / 20
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert found == evaluation.bootstrap(
        400, lambda at: float(values[at].mean()), seed=1, rounds=800
    )


def test_a_difference_of_auc_is_paired():
    rng = np.random.default_rng(4)
    y = (rng.random(2000) < 0.3).astype(float)
    x = rng.normal(size=2000) + y
    same = evaluation.auc_difference(y, x + rng.normal(0, 0.05, 2000), x)
    worse = evaluation.auc_difference(y, rng.normal(size=2000) + 0.2 * y, x)
    assert same.low <= 0 <= same.high
    assert same.high - same.low < 0.02, "unpaired it would be five times as wide"
    assert worse.high < 0


def test_deciles_keep_equal_probabilities_together_and_hold_what_is_true():
    rng = np.random.default_rng(5)
    p = rng.choice([0.05, 0.1, 0.3, 0.7], 8000)
    y = (rng.random(8000) < p).astype(float)
    found = evaluation.calibration(y, p)
    assert [round(each.predicted, 6) for each in found.deciles] == [0.05, 0.1, 0.3, 0.7]
    assert sum(each.rows for each in found.deciles) == 8000
    assert all(each.is_covered for each in found.deciles)
    too_extreme = evaluation.calibration(y, p**2 / (p**2 + (1 - p) ** 2))
    assert too_extreme.slope.value == pytest.approx(0.5, abs=0.03)
    assert not all(each.is_covered for each in too_extreme.deciles)
