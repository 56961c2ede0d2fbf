"""A whole training on planted data: what is learned, what leaks not, and what scoring bears."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from analytics.domain.features import FeatureTable, rows_of
from analytics.domain.modelling import splits, training
from analytics.domain.modelling.boosting import TreeEnsemble
from analytics.domain.modelling.boosting_fit import BoostingParameters, fit_ensemble
from analytics.domain.modelling.learners import LearningRules, ModelKind, NoFeatureLeftError
from analytics.domain.modelling.preprocessing import ColumnRules, ColumnsMissingError, NullPolicy
from analytics.domain.modelling.selection import SelectionReason
from analytics.domain.modelling.trained import (
    ModelChangedError,
    ModelFormatError,
    dump_model,
    load_model,
)
from analytics.domain.modelling.training import OutcomeUnknownError, TrainingSpec, fit

WORDS = ("own", "rent", "free")


def people(n=3000, seed=1):
    rng = np.random.default_rng(seed)
    income, age = rng.lognormal(9, 0.6, n), rng.integers(18, 70, n).astype(float)
    home = rng.integers(0, 3, n).astype(float)
    raw = -0.5 - 1.2 * (np.log(income) - 9) - 0.03 * (age - 40) + 0.6 * (home == 1)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-raw))).astype(float)
    income[rng.random(n) < 0.1] = np.nan
    values = np.column_stack([income, age, home, rng.normal(size=n), income * 2, np.ones(n)])
    names = ("income", "age", "home", "noise", "twice", "one")
    return FeatureTable(np.arange(n), names, values, {"home": WORDS}), outcome


@pytest.fixture(scope="module", params=list(ModelKind))
def model(request):
    table, outcome = people()
    return fit(table, outcome, TrainingSpec(kind=request.param, seed=7))


def test_s7_every_column_has_an_entry_that_says_why():
    table, outcome = people()
    spec = TrainingSpec(seed=7, excluded=("age",))
    log = {each.feature: each for each in fit(table, outcome, spec).selection}
    assert tuple(log) == table.names
    assert {name: each.reason for name, each in log.items()} == {
        "income": SelectionReason.KEPT,
        "age": SelectionReason.EXCLUDED,
        "home": SelectionReason.KEPT,
        "noise": SelectionReason.LOW_INFORMATION,
        "twice": SelectionReason.CORRELATED,
        "one": SelectionReason.CONSTANT,
    }
    assert log["twice"].other == "income"


def test_the_points_are_those_of_an_independent_scorecard():
    table, outcome = people()
    model = fit(table, outcome, TrainingSpec(seed=7))
    card = json.loads(dump_model(model))["scorecard"]
    fresh, _outcome = people(200, seed=5)
    factor = 20 / np.log(2)
    offset = 600 - factor * np.log(50)
    for row, points in zip(fresh.values, model.score(fresh).points, strict=True):
        odds = card["intercept"]
        for feature, weight in zip(card["features"], card["weights"], strict=True):
            value = row[fresh.names.index(feature["name"])]
            odds += weight * woe_by_hand(feature, value)
        assert points == pytest.approx(offset - factor * odds, abs=1e-9)
    for position, feature in enumerate(model.scorecard.features):
        table_points = [r.points for r in model.scorecard.table() if r.feature == feature.name]
        count = len(card["features"])
        by_hand = [
            -(card["weights"][position] * each["woe"] + card["intercept"] / count) * factor
            + offset / count
            for each in card["features"][position]["bins"]
        ]
        assert table_points == pytest.approx(by_hand, abs=1e-9)


def woe_by_hand(feature, value):
    for each in feature["bins"]:
        if each["kind"] == "missing" and np.isnan(value):
            return each["woe"]
        if each["kind"] == "words" and sorted(WORDS).index(WORDS[int(value)]) in each["words"]:
            return each["woe"]
        if each["kind"] == "range" and not np.isnan(value):
            low = -np.inf if each["low"] is None else each["low"]
            high = np.inf if each["high"] is None else each["high"]
            if low <= value < high:
                return each["woe"]
    raise AssertionError(feature["name"])


def test_rounded_points_stay_within_their_bound():
    table, outcome = people()
    card = fit(table, outcome, TrainingSpec(seed=7)).scorecard
    off = sum(
        max(abs(r.points - r.rounded) for r in card.table() if r.feature == n) for n in card.names
    )
    assert off <= card.rounding_bound


def test_f68_odd_rows_are_scored_by_name_and_counted(model):
    fresh, _outcome = people(50, seed=3)
    expected = model.score(fresh)
    order = [4, 2, 0, 5, 1, 3]
    shuffled = FeatureTable(
        fresh.customer_ids,
        (*(fresh.names[at] for at in order), "new"),
        np.column_stack([fresh.values[:, order], np.zeros(50)]),
        {"home": WORDS},
    )
    assert (model.score(shuffled).points == expected.points).all()
    odd = fresh.values.copy()
    odd[0, :2], odd[1, 0], odd[2, 2] = np.nan, np.inf, 3
    found = model.score(replace(fresh, values=odd, words={"home": (*WORDS, "boat")}))
    assert np.isfinite(found.points).all()
    assert ((found.probability > 0) & (found.probability < 1)).all()
    assert (found.unknown_words, found.unreadable["income"]) == ({"home": 1}, 1)
    as_text = np.where(np.isnan(fresh.values[:, 1]), np.nan, np.arange(50))
    words = {"home": WORDS, "age": tuple(f"{a:g}" for a in fresh.values[:, 1])}
    moved = fresh.values.copy()
    moved[:, 1] = as_text
    assert (model.score(replace(fresh, values=moved, words=words)).points == expected.points).all()
    with pytest.raises(ColumnsMissingError, match="age"):
        model.score(FeatureTable(fresh.customer_ids, ("income",), fresh.values[:, :1]))


def test_f67_a_swapped_model_is_refused_and_an_untouched_one_scores_the_same(model):
    text = dump_model(model)
    fresh, _outcome = people(300, seed=4)
    again = load_model(text)
    assert again.digest == model.digest
    before, after = model.score(fresh), again.score(fresh)
    assert (before.points == after.points).all()
    assert (before.reasons == after.reasons).all()
    content = json.loads(text)
    content["calibrator"]["intercept"] += 0.1
    with pytest.raises(ModelChangedError):
        load_model(json.dumps(content))
    for planted in ("", "[]", "{}", "cos\nsystem\n", json.dumps({"format": "other"})):
        with pytest.raises(ModelFormatError):
            load_model(planted)


def test_s41_reasons_are_at_most_four_of_the_features_and_the_largest_losses(model):
    fresh, _outcome = people(300, seed=4)
    reasons = model.score(fresh).reasons
    assert reasons.shape == (300, 4)
    assert reasons.max() < len(model.features)
    if model.scorecard:
        prepared = model.preparation.apply(fresh)
        lost = model.scorecard.lost(model.scorecard.positions(prepared.values))
        assert (reasons[:, 0] == np.where(lost.max(axis=1) > 1e-9, lost.argmax(axis=1), -1)).all()


def test_s3_rows_of_the_test_do_not_change_what_is_learned():
    table, outcome = people()
    rules = {"age": ColumnRules(nulls=NullPolicy.MEDIAN, codes=(99.0,), winsor=(0.01, 0.99))}
    spec = TrainingSpec(seed=7, columns=rules)
    _learned, tested = splits.stratified_split(outcome, share=0.3, seed=7)
    changed = table.values.copy()
    changed[np.ix_(tested, [0, 1, 3, 4])] *= 1000
    changed[tested, 2] = 3
    words = {"home": (*WORDS, "boat")}
    first = fit(table, outcome, spec)
    second = fit(replace(table, values=changed, words=words), outcome, spec)
    for part in ("preparation", "scorecard", "bands", "calibrator", "bins", "selection"):
        assert getattr(first, part) == getattr(second, part), part
    age = first.preparation.columns[first.features.index("age")]
    assert (age.fill is not None, age.low > 17, age.high < 70) == (True, True, True)


def test_h11_shuffling_the_future_changes_nothing_learned():
    table, outcome = people()
    times = np.random.default_rng(9).permutation(3000).astype(float)
    spec = TrainingSpec(seed=7)
    learned, tested = splits.time_split(times, share=0.3)
    assert times[learned].max() < times[tested].min()
    moved = np.random.default_rng(2).permutation(tested)
    values, later = table.values.copy(), outcome.copy()
    values[tested], later[tested] = table.values[moved], 1 - outcome[moved]
    first = fit(table, outcome, spec, times=times)
    second = fit(replace(table, values=values), later, spec, times=times)
    assert first.facts["is_out_of_time"]
    assert first.scorecard == second.scorecard
    assert first.bands == second.bands
    assert first.result != second.result


def test_a_feature_that_moves_over_time_is_left_out():
    table, outcome = people()
    values = table.values.copy()
    values[1500:, 1] += 40
    spec = TrainingSpec(seed=7)
    found = fit(replace(table, values=values), outcome, spec, times=np.arange(3000.0))
    log = {each.feature: each.reason for each in found.selection}
    assert log["age"] is SelectionReason.UNSTABLE


def test_trees_are_scored_as_scikit_learn_scores_them_with_words_and_gaps():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4000, 5))
    values[:, 2] = rng.integers(0, 30, 4000)
    values[rng.random((4000, 5)) < 0.1] = np.nan
    outcome = rng.random(4000) < 1 / (1 + np.exp(-np.nan_to_num(values[:, 0] + (values[:, 2] % 3))))
    learned = values[:2000].copy()
    learned[learned[:, 2] == 7, 2] = np.nan
    columns = {"a": 0, "b": 0, "word": 30, "c": 0, "d": 0}
    growth = BoostingParameters(rounds=40)
    found = fit_ensemble(
        learned, outcome[:2000], columns=columns, parameters=growth, seed=3, monotone={"a": 1}
    )
    order = [2, 0, 1, 3, 4]
    theirs = HistGradientBoostingClassifier(
        learning_rate=growth.learning_rate, max_iter=40, max_leaf_nodes=growth.max_leaves,
        min_samples_leaf=growth.min_leaf_rows, l2_regularization=growth.l2,
        max_features=growth.feature_share, categorical_features=[0],
        monotonic_cst=[0, 1, 0, 0, 0], early_stopping=False, random_state=3,
    ).fit(learned[:, order], outcome[:2000])  # fmt: skip
    raw = found.raw(values)
    assert np.abs(raw - theirs.decision_function(values[:, order])).max() < 1e-9
    assert (
        TreeEnsemble.from_json(json.loads(json.dumps(found.to_json()))).raw(values) == raw
    ).all()
    parts = found.contributions(values).sum(axis=1)
    start = found.baseline + sum(tree.value[0] for tree in found.trees)
    assert np.abs(parts + start - raw).max() < 1e-9
    grid = np.tile(values[:1], (50, 1))
    grid[:, 0] = np.linspace(-3, 3, 50)
    assert (np.diff(found.raw(grid)) >= 0).all()


@pytest.mark.parametrize("outcome", [np.zeros(100), np.ones(100), np.full(100, 2.0)])
def test_rows_without_two_outcomes_make_no_model(outcome):
    table, _outcome = people(100)
    with pytest.raises(OutcomeUnknownError):
        fit(table, outcome, TrainingSpec())


def test_columns_that_say_nothing_make_no_scorecard():
    rng = np.random.default_rng(1)
    table = FeatureTable(np.arange(2000), ("a", "b"), rng.normal(size=(2000, 2)))
    with pytest.raises(NoFeatureLeftError):
        fit(table, rng.integers(0, 2, 2000).astype(float), TrainingSpec())


def test_events_may_weigh_more_and_probabilities_still_come_true():
    table, outcome = people()
    spec = TrainingSpec(seed=7, learning=LearningRules(is_balanced=True))
    result = fit(table, outcome, spec).result
    assert result.bands[0].rate < result.bands[-1].rate
    assert abs(result.calibration.intercept.value) < 0.3


def test_the_digest_of_a_snapshot_is_of_its_values_names_and_outcomes():
    table, outcome = people(100)
    first = training.snapshot_digest(table, outcome)
    assert training.snapshot_digest(rows_of(table, np.arange(100)), outcome) == first
    assert training.snapshot_digest(table, 1 - outcome) != first


def test_a_split_by_missing_alone_is_stored_and_read_back():
    rng = np.random.default_rng(3)
    n = 2000
    known = rng.normal(size=n)
    is_missing = rng.random(n) < 0.4
    outcome = (rng.random(n) < np.where(is_missing, 0.7, 0.2)).astype(float)
    values = np.where(is_missing, np.nan, known)[:, None]
    ensemble = fit_ensemble(
        values, outcome, columns={"only": 0}, parameters=BoostingParameters(), seed=1
    )
    cuts = [cut for tree in ensemble.trees for cut in tree.threshold]
    assert any(np.isinf(cut) for cut in cuts)
    text = json.dumps(ensemble.to_json(), allow_nan=False)
    stored = TreeEnsemble.from_json(json.loads(text))
    assert stored.raw(values) == pytest.approx(ensemble.raw(values), abs=0)
