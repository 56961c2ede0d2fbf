"""Train one model: split, prepare, select, learn, calibrate and measure; then it can be kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable, rows_of
from analytics.domain.modelling import learners, splits
from analytics.domain.modelling.bands import RiskBands, band_results, fit_bands
from analytics.domain.modelling.binning import BinningRules
from analytics.domain.modelling.boosting_fit import GROWTHS, BoostingParameters
from analytics.domain.modelling.calibration import fit_calibrator
from analytics.domain.modelling.evaluation import (
    calibration,
    evaluate,
    evaluate_groups,
    ks_curve,
    log_loss,
    roc_curve,
)
from analytics.domain.modelling.learners import LearningRows, LearningRules, ModelKind
from analytics.domain.modelling.preprocessing import ColumnRules, fit_preparation
from analytics.domain.modelling.selection import SelectionEntry, SelectionReason
from analytics.domain.modelling.stability import freeze
from analytics.domain.modelling.trained import ModelResult, TrainedModel

Floats = npt.NDArray[np.float64]
Outcomes = npt.NDArray[Any]
# Rows above which log odds of rows not learned from come of one part held out, not of five.
_ENOUGH_TO_HOLD_OUT = 20_000
_FOLDS = 5


class OutcomeUnknownError(ValueError):
    """A row has neither outcome, or all rows have the same one."""


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """What is asked for.

    Attributes:
        target: Name of what is predicted, for the reader.
        positive: The value of the target that is the event, for the reader.
        excluded: Columns that are no features.
        columns: What is declared of columns, by name.
        test_share: Share of the rows to measure on; the last in time where times are handed in.
        seed: Of every draw; the same rows and seed give the same model.
    """

    kind: ModelKind = ModelKind.SCORECARD
    target: str = ""
    positive: str = ""
    excluded: tuple[str, ...] = ()
    columns: Mapping[str, ColumnRules] = field(default_factory=dict)
    learning: LearningRules = field(default_factory=LearningRules)
    test_share: float = 0.3
    seed: int = 0


def fit(
    table: FeatureTable,
    outcome: Outcomes,
    spec: TrainingSpec,
    *,
    times: npt.NDArray[Any] | None = None,
    groups: npt.NDArray[Any] | None = None,
) -> TrainedModel:
    """Return the model of a table, measured on rows that nothing was learned from.

    Args:
        outcome: 1 or 0 of each row.
        times: When each row was; then the model is measured out of time.
        groups: A name for each row; the test rows are measured group by group too.

    Raises:
        OutcomeUnknownError: An outcome is neither 0 nor 1, or all are the same.
        TooFewRowsError: The rows cannot be split.
        NoFeatureLeftError: Nothing says anything about the outcome.
    """
    target = np.asarray(outcome, dtype=np.float64)
    if not np.isin(target, (0.0, 1.0)).all() or not 0 < target.sum() < len(target):
        raise OutcomeUnknownError
    learned, tested = split_rows(target, spec, times)
    log: dict[str, SelectionEntry] = {
        name: SelectionEntry(name, SelectionReason.EXCLUDED)
        for name in table.names
        if name in spec.excluded
    }
    usable = _columns(table, [name for name in table.names if name not in log])
    preparation = fit_preparation(rows_of(usable, learned), spec.columns)
    rows = LearningRows(
        preparation=preparation,
        values=preparation.apply(rows_of(usable, learned)).values,
        outcome=target[learned],
        is_late=_later_half(times[learned]) if times is not None else None,
    )
    log |= learners.screen(rows)
    names = [name for name in preparation.names if name not in log]
    if not names:
        raise learners.NoFeatureLeftError(list(log.values()))
    model, entries, seen = _learn(rows.only(names), spec)
    log |= {entry.feature: entry for entry in entries}
    model = replace(
        model,
        target=spec.target,
        positive=spec.positive,
        facts={
            "rows": len(learned),
            "events": int(target[learned].sum()),
            "seed": spec.seed,
            "test_share": spec.test_share,
            "is_out_of_time": times is not None,
            "snapshot": snapshot_digest(table, target),
        },
        selection=tuple(log[name] for name in table.names),
    )
    return _measured(model, rows_of(usable, tested), target[tested], seen, spec, groups, tested)


def snapshot_digest(table: FeatureTable, outcome: Outcomes) -> str:
    """Return the SHA-256 of the rows: two trainings with the same one saw the same data."""
    found = sha256(repr((table.names, sorted(table.words.items()))).encode())
    found.update(np.ascontiguousarray(table.values).tobytes())
    found.update(np.ascontiguousarray(outcome, dtype=np.float64).tobytes())
    return found.hexdigest()


@dataclass(frozen=True, slots=True)
class _OutOfFold:
    """Probabilities of rows of the training part that were not learned from, with what came."""

    probability: Floats
    line: Floats
    outcome: Outcomes


def split_rows(
    target: Floats, spec: TrainingSpec, times: npt.NDArray[Any] | None
) -> tuple[splits.Rows, splits.Rows]:
    """Return the positions that `fit` learns from and those that it measures on.

    Raises:
        TooFewRowsError: The rows cannot be split.
    """
    if times is None:
        return splits.stratified_split(target, share=spec.test_share, seed=spec.seed)
    learned, tested = splits.time_split(times, share=spec.test_share)
    for part in (learned, tested):
        if not 0 < target[part].sum() < len(part):
            raise splits.TooFewRowsError
    return learned, tested


def _learn(
    rows: LearningRows, spec: TrainingSpec
) -> tuple[TrainedModel, list[SelectionEntry], _OutOfFold]:
    if spec.kind is ModelKind.SCORECARD:
        return _learn_scorecard(rows, spec)
    return _learn_boosting(rows, spec)


def _learn_scorecard(
    rows: LearningRows, spec: TrainingSpec
) -> tuple[TrainedModel, list[SelectionEntry], _OutOfFold]:
    card, log = learners.learn_scorecard(rows, spec.learning)
    chosen = rows.only(card.names)
    raw = np.empty(len(rows.values))
    for learned, rest in splits.folds(rows.outcome, count=_FOLDS, seed=spec.seed):
        part = learners.relearn_scorecard(chosen.part(learned), spec.learning)
        raw[rest] = part.raw(chosen.values[rest])
    share = 1 - 1 / _FOLDS
    line = fit_calibrator(raw, rows.outcome, seed=spec.seed, learned_share=share)
    # The line goes into the weights: points stay a sum, and mean what the probability says.
    card = replace(
        card,
        weights=tuple(weight * line.slope for weight in card.weights),
        intercept=card.intercept * line.slope + line.intercept,
    )
    model = TrainedModel(
        kind=ModelKind.SCORECARD,
        preparation=chosen.preparation,
        scorecard=card,
        calibrator=replace(line, slope=1.0, intercept=0.0),
        scale=spec.learning.scale,
        bands=RiskBands((), ()),
        bins=card.features,
        # Of the card itself: those of the parts' cards are spread otherwise where rows are few.
        score_bins=freeze(card.points(chosen.values)),
    )
    return model, log, _OutOfFold(line.probability(raw), line.line(raw), rows.outcome)


def _learn_boosting(
    rows: LearningRows, spec: TrainingSpec
) -> tuple[TrainedModel, list[SelectionEntry], _OutOfFold]:
    growths = (spec.learning.boosting,) if spec.learning.boosting else GROWTHS
    if len(rows.values) >= _ENOUGH_TO_HOLD_OUT:
        learned, rest = next(splits.folds(rows.outcome, count=_FOLDS, seed=spec.seed))
        ensemble = learners.learn_boosting(
            rows.part(learned), spec.learning, growth=growths[-1], seed=spec.seed
        )
        raw, outcome = ensemble.raw(rows.values[rest]), rows.outcome[rest]
        line = fit_calibrator(raw, outcome, seed=spec.seed)
    else:
        outcome = rows.outcome
        tried = [(_cross_fitted(rows, spec, growth), growth) for growth in growths]
        raw, growth = min(tried, key=lambda each: _loss_after_line(each[0], outcome, spec.seed))
        line = fit_calibrator(raw, outcome, seed=spec.seed, learned_share=1 - 1 / _FOLDS)
        ensemble = learners.learn_boosting(rows, spec.learning, growth=growth, seed=spec.seed)
    bins = learners.bin_all(rows, _without_merging(spec.learning.binning))
    model = TrainedModel(
        kind=ModelKind.BOOSTING,
        preparation=rows.preparation,
        ensemble=ensemble,
        calibrator=line,
        scale=spec.learning.scale,
        bands=RiskBands((), ()),
        bins=tuple(bins),
    )
    log = learners.log_of_trees(ensemble, bins)
    return model, log, _OutOfFold(line.probability(raw), line.line(raw), outcome)


def _cross_fitted(rows: LearningRows, spec: TrainingSpec, growth: BoostingParameters) -> Floats:
    """Return log odds of every row by trees that did not see it."""
    raw = np.empty(len(rows.values))
    for learned, rest in splits.folds(rows.outcome, count=_FOLDS, seed=spec.seed):
        part = learners.learn_boosting(
            rows.part(learned), spec.learning, growth=growth, seed=spec.seed
        )
        raw[rest] = part.raw(rows.values[rest])
    return raw


def _loss_after_line(raw: Floats, outcome: Outcomes, seed: int) -> float:
    return log_loss(outcome, fit_calibrator(raw, outcome, seed=seed).probability(raw))


def _without_merging(rules: BinningRules) -> BinningRules:
    """Return the rules for bins that only show and watch the features of trees."""
    return replace(rules, pre_bins=10)


def _measured(
    model: TrainedModel,
    table: FeatureTable,
    outcome: Outcomes,
    seen: _OutOfFold,
    spec: TrainingSpec,
    groups: npt.NDArray[Any] | None,
    tested: splits.Rows,
) -> TrainedModel:
    """Return the model with bands and frozen bins of what it saw, and figures of the test rows."""
    bands = fit_bands(seen.probability, seen.outcome)
    # Trees know the rows that they learned from too well; what other trees said of them is fair.
    score_bins = model.score_bins or freeze(spec.learning.scale.of_log_odds(seen.line))
    model = replace(model, bands=bands, score_bins=score_bins)
    scored = model.score(table)
    of_groups = None
    if groups is not None:
        of_groups = evaluate_groups(outcome, scored.probability, groups[tested], seed=spec.seed)
    result = ModelResult(
        separation=evaluate(outcome, scored.probability, seed=spec.seed),
        training=evaluate(seen.outcome, seen.probability, seed=spec.seed),
        calibration=calibration(outcome, scored.probability),
        roc=roc_curve(outcome, scored.probability),
        ks_curve=ks_curve(outcome, scored.probability),
        bands=tuple(band_results(bands, scored.probability, outcome)),
        score_stability=model.score_bins.index(scored.points) if model.score_bins else None,
        feature_stability=model.feature_stability(table),
        groups=of_groups,
    )
    return replace(model, result=result)


def _columns(table: FeatureTable, names: list[str]) -> FeatureTable:
    at = [table.names.index(name) for name in names]
    words = {name: table.words[name] for name in names if name in table.words}
    return replace(table, names=tuple(names), values=table.values[:, at], words=words)


def _later_half(times: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | None:
    ordered = np.sort(times)
    is_late = np.asarray(times > ordered[len(ordered) // 2])
    return is_late if is_late.any() else None
