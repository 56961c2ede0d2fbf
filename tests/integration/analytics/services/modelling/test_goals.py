"""What models reach on real data: three tenths held out, stratified, seed 20240601."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import RepeatedStratifiedKFold, train_test_split

from analytics.domain.features import rows_of
from analytics.domain.modelling import csv_tables, evaluation, splits
from analytics.domain.modelling.champion import ChampionReason, Contender, choose_champion
from analytics.domain.modelling.learners import (
    LearningRows,
    LearningRules,
    ModelKind,
    learn_scorecard,
)
from analytics.domain.modelling.preprocessing import fit_preparation
from analytics.domain.modelling.training import TrainingSpec, fit
from analytics.services.modelling import files

SEED = 20240601


@dataclass(frozen=True)
class DataSet:
    path: str
    target: str
    positive: str
    drop: tuple[str, ...] = ()


SETS = {
    "german_credit": DataSet("germancredit.csv", "creditability", "bad"),
    "hmeq": DataSet("hmeq.csv", "BAD", "1"),
    "telco_churn": DataSet("telco_churn.csv", "churn", "Yes"),
    "bank_additional": DataSet("bank-additional.csv", "y", "yes", ("duration",)),
    "gmsc_sample": DataSet("gmsc_sample.csv", "SeriousDlqin2yrs", "1"),
    "lending_club_2016q1": DataSet("lending_club.csv", "Class", "bad"),
}


@cache
def trained(folder: Path, name: str, kind: ModelKind):
    found = SETS[name]
    return files.train_file(
        path=folder / name / found.path,
        target=found.target,
        positive=found.positive,
        spec=TrainingSpec(kind=kind, excluded=found.drop, seed=SEED),
    ).model


@pytest.mark.parametrize(
    ("name", "kind", "least"),
    [
        ("german_credit", "scorecard", 0.75),
        ("german_credit", "boosting", 0.745),
        ("hmeq", "scorecard", 0.90),
        ("hmeq", "boosting", 0.95),
        ("telco_churn", "scorecard", 0.845),
        ("telco_churn", "boosting", 0.845),
        ("bank_additional", "scorecard", 0.76),
        ("bank_additional", "boosting", 0.75),
        ("gmsc_sample", "scorecard", 0.82),
        ("gmsc_sample", "boosting", 0.83),
        ("lending_club_2016q1", "scorecard", 0.73),
    ],
)
def test_h10_h11_models_separate_and_their_probabilities_come_true(shared_data, name, kind, least):
    result = trained(shared_data, name, ModelKind(kind)).result

    assert result.separation.auc.value >= least
    assert result.separation.auc.low < result.separation.auc.value < result.separation.auc.high
    if result.separation.rows + result.training.rows >= 4000:
        assert 0.9 <= result.calibration.slope.value <= 1.1
        assert all(decile.is_covered for decile in result.calibration.deciles)


def test_s39_default_rates_rise_from_band_to_band_on_rows_not_learned_from(shared_data):
    for name in ("hmeq", "gmsc_sample", "telco_churn"):
        bands = trained(shared_data, name, ModelKind.SCORECARD).result.bands
        rates = [band.rate for band in bands]
        assert rates == sorted(rates)
        assert len(bands) == 5


def test_h10_german_credit_over_two_times_five_folds(shared_data):
    found = SETS["german_credit"]
    path = shared_data / "german_credit" / found.path
    table = csv_tables.read_table(path, csv_tables.shape_of(path))
    at = table.names.index(found.target)
    outcome = (table.values[:, at] == table.words[found.target].index("bad")).astype(float)
    areas = []
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=SEED)
    for learned, rest in folds.split(outcome, outcome):
        preparation = fit_preparation(rows_of(table, learned), {})
        chosen = preparation.only([n for n in table.names if n != found.target])
        rows = LearningRows(chosen, chosen.apply(rows_of(table, learned)).values, outcome[learned])
        card, _log = learn_scorecard(rows, LearningRules())
        values = chosen.only(card.names).apply(rows_of(table, rest)).values
        areas.append(evaluation.auc(outcome[rest], card.raw(values)))

    assert np.mean(areas) >= 0.78


def test_the_split_is_that_of_scikit_learn():
    outcome = np.random.default_rng(1).integers(0, 2, 1001).astype(float)
    mine = splits.stratified_split(outcome, share=0.3, seed=SEED)
    theirs = train_test_split(np.arange(1001), test_size=0.3, stratify=outcome, random_state=SEED)
    assert [part.tolist() for part in mine] == [part.tolist() for part in theirs]


def test_s83_on_small_data_the_scorecard_stays_champion(shared_data):
    found = SETS["lending_club_2016q1"]
    path = shared_data / "lending_club_2016q1" / found.path
    table = csv_tables.read_table(path, csv_tables.shape_of(path))
    at = table.names.index(found.target)
    outcome = (table.values[:, at] == table.words[found.target].index("bad")).astype(float)
    _learned, tested = splits.stratified_split(outcome, share=0.3, seed=SEED)
    rows = rows_of(table, tested)

    def contender(kind):
        model = trained(shared_data, "lending_club_2016q1", kind)
        scored = model.score(rows)
        return Contender(scored.probability, scored.points, model.score_bins)

    choice = choose_champion(
        outcome[tested], contender(ModelKind.SCORECARD), contender(ModelKind.BOOSTING)
    )
    assert not choice.is_replaced
    assert ChampionReason.NOT_CLEARLY_BETTER in choice.reasons
    assert choice.gain.value < 0


def test_s83_where_trees_are_clearly_better_they_become_champion():
    rng = np.random.default_rng(3)
    chance = 1 / (1 + np.exp(-rng.normal(size=6000) * 1.5))
    outcome = (rng.random(6000) < chance).astype(float)
    flat = np.clip(chance + rng.normal(0, 0.25, 6000), 0.01, 0.99)
    points = -np.log(chance / (1 - chance))
    choice = choose_champion(outcome, Contender(flat, points), Contender(chance, points))
    assert choice.is_replaced
    assert choice.gain.low > 0
    too_sure = chance**3 / (chance**3 + (1 - chance) ** 3)
    held = choose_champion(outcome, Contender(flat, points), Contender(too_sure, points))
    assert held.reasons == (ChampionReason.BADLY_CALIBRATED,)


def test_s2_the_same_rows_and_seed_give_the_same_digest(shared_data):
    found = SETS["german_credit"]
    path = shared_data / "german_credit" / found.path
    table = csv_tables.read_table(path, csv_tables.shape_of(path))
    outcome = (
        table.values[:, table.names.index(found.target)] == table.words[found.target].index("bad")
    ).astype(float)
    for kind in ModelKind:
        spec = TrainingSpec(
            kind=kind, target=found.target, positive="bad", excluded=(found.target,), seed=SEED
        )
        first = trained(shared_data, "german_credit", kind).digest
        assert fit(table, outcome, spec).digest == first
    assert fit(table, outcome, TrainingSpec(seed=1, excluded=(found.target,))).digest != first
