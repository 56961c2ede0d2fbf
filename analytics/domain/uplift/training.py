"""Train a model of uplift from a trial: choose a learner, set it right, measure it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import rows_of
from analytics.domain.modelling import splits
from analytics.domain.modelling.bands import RiskBands
from analytics.domain.modelling.binning import BinningRules
from analytics.domain.modelling.learners import LearningRows, bin_all
from analytics.domain.modelling.preprocessing import fit_preparation
from analytics.domain.modelling.selection import SelectionEntry, SelectionReason
from analytics.domain.modelling.stability import freeze
from analytics.domain.modelling.trained import stability_of
from analytics.domain.modelling.training import snapshot_digest
from analytics.domain.uplift.calibration import best_linear_predictor
from analytics.domain.uplift.evaluation import evaluate
from analytics.domain.uplift.learners import UpliftModel, learn
from analytics.domain.uplift.ranking import difference, rank, worth
from analytics.domain.uplift.surfaces import UpliftBase
from analytics.domain.uplift.trained import (
    TrainedUplift,
    TriedLearner,
    UpliftGroup,
    UpliftLine,
    UpliftResult,
)
from analytics.domain.uplift.trial import Trial, TrialTooSmallError, split_rows, unbalanced
from analytics.domain.uplift.vocabulary import Learner

Floats = npt.NDArray[np.float64]
_FOLDS = 5
_BANDS = 5
# Bins that only show and watch: about so many, equally full.
_WATCHED_BINS = 10
_CELLS = 4
# On fewer rows trees find no uplift that the others do not, and take ten times as long.
_ENOUGH_FOR_TREES = 10_000


@dataclass(frozen=True, slots=True)
class UpliftSpec:
    """What is asked for.

    Attributes:
        test_share: Share of the people to measure on; the last in time where they differ in it.
        seed: Of every draw; the same trial and seed give the same model.
        draws: How often people are resampled for the intervals of the result.
        draws_of_tried: The same for the learners that are chosen from.
    """

    test_share: float = 0.3
    seed: int = 0
    draws: int = 1000
    draws_of_tried: int = 200


@dataclass(frozen=True, slots=True)
class _TriedOnOthers:
    """What a learner says of everybody in the training part by others that it learned from."""

    tried: TriedLearner
    said: Floats
    untreated: Floats


def fit_uplift(
    trial: Trial,
    spec: UpliftSpec,
    *,
    times: npt.NDArray[Any] | None = None,
    groups: npt.NDArray[Any] | None = None,
) -> TrainedUplift:
    """Return the model of a trial, measured on people whom nothing was learned from.

    The learner is chosen by the Qini area on the training part, of people not learned from in their
    turn: choosing by the part that it is measured on would flatter the best of six. A column that
    differs between the groups more than chance allows was shaped by the treatment and is left out.

    Args:
        times: When each row was; where they differ enough the model is measured out of time.
        groups: A name for each row; the measured people are looked at group by group too.

    Raises:
        TrialTooSmallError: A group has too few people with or without the outcome.
        NoUsableFeatureError: No column differs between people.
    """
    shaped = set(unbalanced(trial))
    whole, trial = trial, trial.without(shaped)
    learned_at, tested_at, is_out_of_time = _split(trial, spec, times)
    learned, tested = trial.rows(learned_at), trial.rows(tested_at)
    if np.bincount(learned.cells, minlength=_CELLS).min() < _FOLDS:
        raise TrialTooSmallError
    bases = list(UpliftBase) if len(learned_at) >= _ENOUGH_FOR_TREES else [UpliftBase.LOGISTIC]
    every = [_cross_fitted(learned, learner, base, spec) for base in bases for learner in Learner]
    every.sort(key=lambda each: -(each.tried.qini.value or 0.0))
    best = every[0]
    line = _line(learned, best)
    model = learn(learned, best.tried.learner, base=best.tried.base, seed=spec.seed)
    found = _watched(model, learned, line.apply(best.said), line)
    found = replace(
        found,
        facts={
            "rows": len(learned_at),
            "treated": int(learned.treated.sum()),
            "events": int(learned.outcome.sum()),
            "seed": spec.seed,
            "test_share": spec.test_share,
            "is_out_of_time": is_out_of_time,
            "snapshot": snapshot_digest(whole.table, whole.cells),
        },
        selection=tuple(_entry(name, shaped, found.features) for name in whole.table.names),
        tried=tuple(each.tried for each in every),
    )
    of_tested = None if groups is None else groups[tested_at]
    return replace(found, result=_measured(found, tested, spec, of_tested))


def _split(
    trial: Trial, spec: UpliftSpec, times: npt.NDArray[Any] | None
) -> tuple[splits.Rows, splits.Rows, bool]:
    """Return positions to learn from and to measure on, and whether those are the later ones."""
    if times is not None:
        try:
            learned, tested = splits.time_split(times, share=spec.test_share)
        except splits.TooFewRowsError:
            pass
        else:
            counts = [
                np.bincount(trial.cells[part], minlength=_CELLS).min() for part in (learned, tested)
            ]
            if min(counts) >= _FOLDS:
                return learned, tested, True
    return *split_rows(trial, test_share=spec.test_share, seed=spec.seed), False


def _cross_fitted(
    trial: Trial, learner: Learner, base: UpliftBase, spec: UpliftSpec
) -> _TriedOnOthers:
    said, untreated = np.empty(len(trial.treated)), np.empty(len(trial.treated))
    for learned, rest in splits.folds(trial.cells, count=_FOLDS, seed=spec.seed):
        model = learn(trial.rows(learned), learner, base=base, seed=spec.seed)
        table = rows_of(trial.table, rest)
        said[rest], untreated[rest] = model.uplift(table), model.untreated(table)
    people = rank(said, treated=trial.treated, outcome=trial.outcome, ids=trial.table.customer_ids)
    found = worth(people, seed=spec.seed, draws=spec.draws_of_tried)
    return _TriedOnOthers(TriedLearner(learner, base, found.qini_per_thousand), said, untreated)


def _line(trial: Trial, best: _TriedOnOthers) -> UpliftLine:
    """Return what sets a learner right; a slope that is not told apart from 0 stays 1.

    A ranking of which nothing is known is not made certain by making all people equal: that it is
    of no use is what the result says.
    """
    found = best_linear_predictor(
        outcome=trial.outcome, treated=trial.treated, scores=best.said, untreated=best.untreated
    )
    slope = found.heterogeneity
    is_there = slope is not None and slope.low > 0
    return UpliftLine(
        slope=slope.value if slope is not None and is_there else 1.0,
        centre=float(best.said.mean()),
        average=found.average.value,
    )


def _watched(model: UpliftModel, trial: Trial, uplift: Floats, line: UpliftLine) -> TrainedUplift:
    """Return the model with the bins that its drift is held against, of its training part."""
    preparation = fit_preparation(trial.table, {}).only(model.scaling.names)
    rows = LearningRows(
        preparation=preparation,
        values=preparation.apply(trial.table).values,
        outcome=trial.outcome.astype(np.float64),
    )
    edges = np.unique(np.quantile(uplift, np.linspace(0, 1, _BANDS + 1)[1:-1]))
    return TrainedUplift(
        model=model,
        line=line,
        preparation=preparation,
        bins=tuple(bin_all(rows, BinningRules(pre_bins=_WATCHED_BINS))),
        bands=RiskBands(tuple(map(float, edges)), ()),
        score_bins=freeze(uplift),
    )


def _entry(name: str, shaped: set[str], features: Sequence[str]) -> SelectionEntry:
    if name in shaped:
        return SelectionEntry(name, SelectionReason.UNBALANCED)
    is_in = name in features
    return SelectionEntry(name, SelectionReason.KEPT if is_in else SelectionReason.CONSTANT)


def _measured(
    model: TrainedUplift, trial: Trial, spec: UpliftSpec, groups: npt.NDArray[Any] | None
) -> UpliftResult:
    uplift = model.uplift(trial.table)
    is_better = uplift >= np.median(uplift)
    found = []
    for name in np.unique(groups) if groups is not None else ():
        chosen = groups == name
        found.append(
            UpliftGroup(
                name=str(name),
                people=int(chosen.sum()),
                predicted=float(uplift[chosen].mean()),
                observed=difference(trial.treated[chosen], trial.outcome[chosen]),
                better_half=int(is_better[chosen].sum()),
            )
        )
    low = model.tried[0].qini.low
    return UpliftResult(
        is_confirmed=low is not None and low > 0,
        evaluation=evaluate(model, trial, seed=spec.seed, draws=spec.draws),
        groups=tuple(found),
        score_stability=model.score_bins.index(uplift),
        feature_stability=stability_of(model.bins, model.preparation.apply(trial.table).values),
    )
