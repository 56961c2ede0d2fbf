"""The two kinds of models: learned from prepared rows, and learned again on parts of them.

A learner gets rows of numbers and gives the features it takes and the log odds of other rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.binning import (
    BinnedFeature,
    BinningRules,
    bin_category,
    bin_number,
)
from analytics.domain.modelling.boosting import TreeEnsemble
from analytics.domain.modelling.boosting_fit import MAX_WORDS, BoostingParameters, fit_ensemble
from analytics.domain.modelling.logistic import fit_logistic
from analytics.domain.modelling.preprocessing import ColumnKind, Preparation, PreparedColumn
from analytics.domain.modelling.scorecard import PointsScale, PointsScorecard
from analytics.domain.modelling.selection import (
    SelectionEntry,
    SelectionReason,
    SelectionRules,
    select,
)

Floats = npt.NDArray[np.float64]
Outcomes = npt.NDArray[Any]


class NoFeatureLeftError(ValueError):
    """No feature says anything about the outcome; the log of the selection is the argument."""


class ModelKind(StrEnum):
    """What a model is made of."""

    SCORECARD = "scorecard"
    BOOSTING = "boosting"


@dataclass(frozen=True, slots=True)
class LearningRules:
    """How a model is learned.

    Attributes:
        boosting: How trees are grown; None: the better of `GROWTHS`, where rows are few.
        monotone: Of features by name: 1 where a higher number must not lower the score of boosted
            trees, -1 where it must not raise it.
        is_balanced: Events weigh as much as non-events while learning; probabilities are set right
            afterwards by the calibration.
    """

    scale: PointsScale = field(default_factory=PointsScale)
    binning: BinningRules = field(default_factory=BinningRules)
    selection: SelectionRules = field(default_factory=SelectionRules)
    boosting: BoostingParameters | None = None
    monotone: Mapping[str, int] = field(default_factory=dict)
    is_balanced: bool = False


@dataclass(frozen=True, slots=True)
class LearningRows:
    """Prepared rows of the training part.

    Attributes:
        values: In the order of the preparation's columns.
        is_late: Which rows are in the second half of the time; None where time is not known.
    """

    preparation: Preparation
    values: Floats
    outcome: Outcomes
    is_late: npt.NDArray[np.bool_] | None = field(default=None)

    def part(self, chosen: npt.NDArray[np.intp]) -> "LearningRows":
        """Return some of the rows; halves of the time are not looked at again."""
        return replace(self, values=self.values[chosen], outcome=self.outcome[chosen], is_late=None)

    def only(self, names: Sequence[str]) -> "LearningRows":
        """Return the rows with some of the columns, in the order of the names."""
        at = [self.preparation.names.index(name) for name in names]
        return replace(self, preparation=self.preparation.only(names), values=self.values[:, at])


def bin_all(rows: LearningRows, rules: BinningRules) -> list[BinnedFeature]:
    """Return every column in bins."""
    found = []
    for at, column in enumerate(rows.preparation.columns):
        values = rows.values[:, at]
        if column.kind is ColumnKind.CATEGORY:
            count = len(column.words)
            found.append(
                bin_category(column.name, values, rows.outcome, word_count=count, rules=rules)
            )
        else:
            found.append(
                bin_number(column.name, values, rows.outcome, codes=column.codes, rules=rules)
            )
    return found


def screen(rows: LearningRows) -> dict[str, SelectionEntry]:
    """Return the columns that no model can use, with the reason."""
    found = {}
    for at, column in enumerate(rows.preparation.columns):
        if reason := _unusable(column, rows.values[:, at]):
            found[column.name] = SelectionEntry(column.name, reason)
    return found


def learn_scorecard(
    rows: LearningRows, rules: LearningRules
) -> tuple[PointsScorecard, list[SelectionEntry]]:
    """Return a scorecard of the features that pass the selection, and its log.

    Raises:
        NoFeatureLeftError: None does.
    """
    binned = bin_all(rows, rules.binning)
    positions = {each.name: each.positions(rows.values[:, at]) for at, each in enumerate(binned)}
    weight = weights_of(rows.outcome, rules)
    log = select(
        binned, positions, rows.outcome, rules=rules.selection, is_late=rows.is_late, weight=weight
    )
    chosen = [each for each, entry in zip(binned, log, strict=True) if entry.is_chosen]
    if not chosen:
        raise NoFeatureLeftError(log)
    return _weighed(chosen, positions, rows.outcome, rules), log


def relearn_scorecard(rows: LearningRows, rules: LearningRules) -> PointsScorecard:
    """Return a scorecard of all the columns that are handed in: on a part of the rows."""
    binned = bin_all(rows, rules.binning)
    positions = {each.name: each.positions(rows.values[:, at]) for at, each in enumerate(binned)}
    return _weighed(binned, positions, rows.outcome, rules)


def learn_boosting(
    rows: LearningRows, rules: LearningRules, *, growth: BoostingParameters, seed: int
) -> TreeEnsemble:
    """Return boosted trees of all the columns that are handed in."""
    return fit_ensemble(
        rows.values,
        rows.outcome,
        columns=dict(zip(rows.preparation.names, rows.preparation.word_counts, strict=True)),
        parameters=growth,
        monotone=rules.monotone,
        seed=seed,
        weight=weights_of(rows.outcome, rules),
    )


def log_of_trees(ensemble: TreeEnsemble, binned: Sequence[BinnedFeature]) -> list[SelectionEntry]:
    """Return which features trees split by; the others have no part in the score."""
    used = {at for tree in ensemble.trees for at in tree.feature if at >= 0}
    information: Mapping[str, float] = {each.name: each.information for each in binned}
    return [
        SelectionEntry(
            name,
            SelectionReason.KEPT if at in used else SelectionReason.NO_SPLIT,
            information=information[name],
        )
        for at, name in enumerate(ensemble.features)
    ]


def weights_of(outcome: Outcomes, rules: LearningRules) -> Floats | None:
    """Return what each row weighs; None: all the same."""
    if not rules.is_balanced:
        return None
    rate = float(np.mean(outcome))
    return np.where(outcome > 0.5, 0.5 / rate, 0.5 / (1 - rate))


def _weighed(
    binned: Sequence[BinnedFeature],
    positions: Mapping[str, npt.NDArray[np.intp]],
    outcome: Outcomes,
    rules: LearningRules,
) -> PointsScorecard:
    evidence = np.column_stack([each.woe[positions[each.name]] for each in binned])
    fit = fit_logistic(evidence, outcome, weight=weights_of(outcome, rules))
    return PointsScorecard(
        tuple(binned), tuple(map(float, fit.weights)), fit.intercept, rules.scale
    )


def _unusable(column: PreparedColumn, values: Floats) -> SelectionReason | None:
    known = values[~np.isnan(values)]
    distinct = len(column.words) if column.kind is ColumnKind.CATEGORY else len(np.unique(known))
    if distinct == 0 or (distinct == 1 and len(known) == len(values)):
        return SelectionReason.CONSTANT
    if column.kind is ColumnKind.CATEGORY and (distinct > MAX_WORDS or distinct > 0.5 * len(known)):
        return SelectionReason.IDENTIFIER
    return None
