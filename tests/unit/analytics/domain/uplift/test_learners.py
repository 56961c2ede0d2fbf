"""Planted uplift is found by every learner, and none is found where there is none."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from analytics.domain.features import FeatureTable
from analytics.domain.uplift.calibration import best_linear_predictor
from analytics.domain.uplift.evaluation import evaluate, sleeping_dogs
from analytics.domain.uplift.learners import UpliftArtefactError, UpliftModel, learn
from analytics.domain.uplift.surfaces import UpliftBase
from analytics.domain.uplift.trial import Trial, TrialTooSmallError, split, unbalanced
from analytics.domain.uplift.vocabulary import Learner, RankingVerdict
from tests.unit.analytics.domain.uplift.planted import planted

EVERY = [
    *((learner, UpliftBase.LOGISTIC, share) for learner in Learner for share in (0.5, 0.8)),
    *((learner, UpliftBase.BOOSTING, 0.5) for learner in Learner),
]


@pytest.mark.parametrize(("learner", "base", "share"), EVERY)
def test_h9_planted_uplift_beats_a_random_ranking(learner, base, share):
    trial, truth = planted(16_000, seed=11, treated_share=share)
    learned, measured = split(trial, test_share=0.3, seed=1)
    model = learn(learned, learner, base=base, seed=1)
    found = evaluate(model, measured, seed=1, draws=200)
    assert found.verdict is RankingVerdict.USABLE
    assert found.worth.qini.low > 0
    known = truth[measured.table.customer_ids]
    scores = model.uplift(measured.table)
    assert np.corrcoef(scores, known)[0, 1] > 0.85
    assert scores.mean() == pytest.approx(known.mean(), abs=0.02)
    # The heterogeneity coefficient of a right score is 1.
    slope = found.predictor.heterogeneity
    assert slope.low < 1 < slope.high
    assert slope.low > 0
    covered = [band.is_covered for band in found.bands]
    assert sum(covered) >= 8
    dogs = sleeping_dogs(scores)
    assert found.dogs.people == dogs.sum() > 0
    assert known[dogs].mean() < 0 < known[~dogs].mean()


@pytest.mark.parametrize("learner", Learner)
def test_h9_no_usable_ranking_where_everybody_is_moved_alike(learner):
    usable = 0
    for seed in range(20):
        trial, _ = planted(3_000, seed=seed, is_null=True)
        learned, measured = split(trial, test_share=0.3, seed=seed)
        found = evaluate(learn(learned, learner), measured, seed=seed, draws=200)
        usable += found.verdict is RankingVerdict.USABLE
    # One end of a 95 % interval: one in forty by chance.
    assert usable <= 2


def test_the_artefact_is_plain_json_that_scores_alike():
    trial, _ = planted(2_000, seed=4)
    for base in UpliftBase:
        model = learn(trial, Learner.X, base=base, seed=3)
        read = UpliftModel.from_json(json.loads(json.dumps(model.to_json())))
        assert np.array_equal(read.uplift(trial.table), model.uplift(trial.table))
        assert read.digest == model.digest == learn(trial, Learner.X, base=base, seed=3).digest


@pytest.mark.parametrize(
    "change", [{"format": "uplift-0"}, {"learner": "z"}, {"surfaces": [{}]}, {"scaling": [{}]}]
)
def test_another_artefact_is_refused(change):
    trial, _ = planted(400, seed=4)
    content = learn(trial, Learner.T).to_json() | change
    with pytest.raises(UpliftArtefactError):
        UpliftModel.from_json(content)


def test_a_logistic_learner_equals_scikit_learn():
    trial, _ = planted(3_000, seed=9)
    model = learn(trial, Learner.T)
    rows = model.scaling.apply(trial.table)
    chances = []
    for group in (trial.treated, ~trial.treated):
        fitted = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000).fit(
            rows[group], trial.outcome[group]
        )
        chances.append(fitted.predict_proba(rows)[:, 1])
    assert model.uplift(trial.table) == pytest.approx(chances[0] - chances[1], abs=1e-6)


def test_nothing_of_the_measured_part_reaches_the_scaling():
    trial, _ = planted(1_000, seed=2)
    learned, measured = split(trial, test_share=0.3, seed=1)
    before = learn(learned, Learner.T).digest
    measured.table.values[:] = 1e6
    assert learn(learned, Learner.T).digest == before


def test_the_split_is_alike_in_treatment_and_outcome():
    trial, _ = planted(1_001, seed=2, treated_share=0.7)
    learned, measured = split(trial, test_share=0.3, seed=1)
    ids = [*learned.table.customer_ids, *measured.table.customer_ids]
    assert sorted(ids) == list(range(1_001))
    for treated in (False, True):
        for outcome in (False, True):
            counts = [
                int(((part.treated == treated) & (part.outcome == outcome)).sum())
                for part in (learned, measured)
            ]
            assert counts[1] == round(0.3 * sum(counts))


def test_a_group_without_outcomes_is_too_small():
    trial, _ = planted(100, seed=2)
    with pytest.raises(TrialTooSmallError):
        split(
            Trial(trial.table, trial.treated, trial.outcome & trial.treated), test_share=0.3, seed=1
        )


def test_what_the_treatment_shaped_is_found_and_nothing_else():
    trial, _ = planted(4_000, seed=6)
    after = trial.treated * 0.3 + trial.table.values[:, 0]
    unknown = np.where(trial.treated & (trial.table.values[:, 1] > 0), np.nan, 1.0)
    table = FeatureTable(
        trial.table.customer_ids,
        ("x", "after", "unknown", "word"),
        np.column_stack([trial.table.values[:, 0], after, unknown, (after > 0.5).astype(float)]),
        {"word": ("low", "high")},
    )
    found = unbalanced(Trial(table, trial.treated, trial.outcome))
    assert set(found) == {"after", "unknown", "word"}


def test_chance_seldom_looks_like_a_shaped_column():
    wrong = sum(bool(unbalanced(planted(300, seed=seed)[0])) for seed in range(500))
    assert wrong <= 4


def test_h9_the_linear_predictor_covers_average_and_slope_in_93_to_97_of_100_trials():
    hits = np.zeros(2)
    rounds = 600
    for seed in range(rounds):
        trial, truth = planted(1_500, seed=seed)
        found = best_linear_predictor(
            outcome=trial.outcome,
            treated=trial.treated,
            scores=truth / 2,
            untreated=trial.table.values[:, 1],
        )
        slope = found.heterogeneity
        # The average over all people is 0.05; half the true uplift needs the slope 2.
        hits += [found.average.low <= 0.05 <= found.average.high, slope.low <= 2 <= slope.high]
    assert (hits / rounds >= 0.93).all()
    assert (hits / rounds <= 0.97).all()


def test_a_score_that_is_the_same_for_all_has_no_slope():
    trial, _ = planted(500, seed=1)
    found = best_linear_predictor(
        outcome=trial.outcome,
        treated=trial.treated,
        scores=np.full(500, 0.1),
        untreated=np.full(500, 0.3),
    )
    difference = trial.outcome[trial.treated].mean() - trial.outcome[~trial.treated].mean()
    assert found.heterogeneity is None
    assert found.average.value == pytest.approx(difference)
