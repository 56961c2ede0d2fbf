"""Qini and AUUC against published and independent numbers, and the coverage of their intervals."""

import csv
import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain.uplift import ranking
from tests.conftest import SHARED_DATA
from tests.unit.analytics.domain.uplift.planted import planted


def _ranked(scores, treated, outcome, ids=None):
    scores = np.asarray(scores, dtype=float)
    return ranking.rank(
        scores,
        treated=np.asarray(treated, dtype=bool),
        outcome=np.asarray(outcome, dtype=bool),
        ids=np.arange(len(scores)) if ids is None else ids,
    )


@pytest.fixture(scope="module")
def hillstrom():
    path = SHARED_DATA / "hillstrom_mens" / "hillstrom_mens.csv.gz"
    if not path.is_file():
        pytest.skip("the folder ../shared/data with the real data sets is not here")
    with gzip.open(path, "rt") as stream:
        return list(csv.DictReader(stream))


# scikit-uplift 0.5.1 on this file (31,960 people): the area of qini_curve above the line to its
# end, qini_auc_score, uplift_auc_score, uplift_at_k(k=0.3) overall and by group.
GOLDEN = [
    ("visit", "history", 1, 1177221.015648, 0.013164393, 0.008461125, 0.090961322, 0.090226486),
    ("visit", "recency", -1, 1189624.749901, 0.013303099, 0.008163510, 0.085748030, 0.085062216),
    ("visit", "womens", 1, 703135.747241, 0.007862887, 0.004510466, 0.075355507, 0.075997579),
    ("conversion", "history", 1, 489789.507242, 0.078085771, 0.004282292, 0.011155046, 0.011261828),
    ("conversion", "recency", -1, 7796.887595, 0.001243036, 0.000074157, 0.006184519, 0.006098047),
    ("conversion", "womens", 1, 385461.745479, 0.061453088, 0.003287672, 0.009925592, 0.010011243),
]


@pytest.mark.parametrize(("target", "column", "sign", *"abcde"), GOLDEN)
def test_h9_areas_of_hillstrom_equal_scikit_uplift(hillstrom, target, column, sign, a, b, c, d, e):
    scores = [sign * float(row[column]) for row in hillstrom]
    treated = [row["segment"] == "Mens E-Mail" for row in hillstrom]
    outcome = [row[target] == "1" for row in hillstrom]
    # scikit-uplift takes the last row of a tie first.
    people = _ranked(scores, treated, outcome, ids=-np.arange(len(scores)))
    found = ranking.areas(people)
    assert found.qini == pytest.approx(a, abs=1e-5)
    assert found.qini_normalised == pytest.approx(b, abs=1e-9)
    assert found.auuc_normalised == pytest.approx(c, abs=1e-9)
    assert ranking.uplift_at(people, 0.3).value == pytest.approx(d, abs=1e-9)
    assert ranking.uplift_at_by_group(people, 0.3) == pytest.approx(e, abs=1e-9)
    count, treated_count = len(scores), sum(treated)
    assert found.qini_per_thousand == pytest.approx(1000 * a / count / treated_count, rel=1e-9)


# scikit-uplift, sklift/tests/test_metrics.py.
@pytest.mark.parametrize(("treated", "auuc", "qini"), [([0, 1], 1.0, 1.0), ([1, 0], -1.0, 0.0)])
def test_the_smallest_trials(treated, auuc, qini):
    found = ranking.areas(_ranked([0.1, 0.3], treated, [1, 1]))
    assert (found.auuc_normalised, found.qini_normalised) == (auuc, qini)


def test_the_curve_by_hand():
    # Best first: treated hit, control miss | tie of treated miss and control hit.
    n, qini, uplift = ranking.curves(_ranked([3, 2, 1, 1], [1, 0, 1, 0], [1, 0, 0, 1]))
    assert n.tolist() == [0, 1, 2, 4]
    assert qini.tolist() == [0, 1, 1, 0]
    assert uplift.tolist() == [0, 1, 2, 0]


def test_ties_are_broken_by_id_whatever_the_order_of_the_rows():
    scores = np.array([1.0, 1.0, 1.0, 1.0])
    people = _ranked(scores, [1, 0, 1, 0], [1, 0, 0, 1], ids=np.array([9, 3, 5, 1]))
    assert people.order.tolist() == [3, 1, 2, 0]
    assert ranking.uplift_at(people, 0.75).value == pytest.approx(0 - 0.5)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), min_size=4, max_size=40),
    st.randoms(use_true_random=False),
)
def test_areas_depend_on_nothing_but_the_ranking(rows, shuffler):
    scores, treated, outcome = zip(*rows, strict=True)
    found = ranking.areas(_ranked(scores, treated, outcome))
    stretched = ranking.areas(_ranked([np.exp(s) for s in scores], treated, outcome))
    assert stretched == found
    mixed = list(rows)
    shuffler.shuffle(mixed)
    scores, treated, outcome = zip(*mixed, strict=True)
    assert ranking.areas(_ranked(scores, treated, outcome)).qini == pytest.approx(found.qini)


def test_equal_scores_are_a_random_ranking():
    trial, _ = planted(500, seed=1)
    people = _ranked(np.zeros(500), trial.treated, trial.outcome)
    found = ranking.worth(people, seed=1, draws=100)
    assert found.qini.value == pytest.approx(0.0, abs=1e-6)
    assert found.qini.low == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("is_null", [False, True])
def test_h9_intervals_hold_the_true_area_in_93_to_97_of_100_trials(is_null):
    if is_null:
        truth = 0.0
    else:
        large = [planted(400_000, seed=seed)[0] for seed in range(3)]
        areas = [
            ranking.areas(_ranked(trial.table.values[:, 0], trial.treated, trial.outcome))
            for trial in large
        ]
        truth = np.mean([found.qini_per_thousand for found in areas])
    rounds, hits = 400, 0
    for number in range(rounds):
        trial, _ = planted(1200, seed=1000 + number, is_null=is_null)
        people = _ranked(trial.table.values[:, 0], trial.treated, trial.outcome)
        found = ranking.worth(people, seed=number, draws=300).qini_per_thousand
        hits += found.low <= truth <= found.high
    assert 0.93 <= hits / rounds <= 0.97


def test_the_same_seed_gives_the_same_interval():
    trial, _ = planted(400, seed=3)
    people = _ranked(trial.table.values[:, 0], trial.treated, trial.outcome)
    assert ranking.worth(people, seed=5, draws=60) == ranking.worth(people, seed=5, draws=60)
    assert ranking.worth(people, seed=5, draws=60) != ranking.worth(people, seed=6, draws=60)


def test_a_share_must_be_one():
    with pytest.raises(ValueError, match="share"):
        ranking.uplift_at(_ranked([1, 2], [1, 0], [1, 0]), 0.0)
