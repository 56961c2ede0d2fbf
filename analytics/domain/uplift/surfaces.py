"""What learners are put together from: expected values as functions of scaled columns."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.boosting import TreeEnsemble
from analytics.domain.modelling.boosting_fit import BoostingParameters, fit_ensemble
from analytics.domain.modelling.logistic import fit_logistic

Floats = npt.NDArray[np.float64]
_PENALTY = 1.0
_FURTHEST = 40.0
# Few and small: the difference of two outcomes is far noisier than either.
_BOOSTING = BoostingParameters(rounds=60, learning_rate=0.05, max_leaves=6, min_leaf_rows=50)


class SurfaceKind(StrEnum):
    """How an expected value follows from the columns."""

    LOGISTIC = "logistic"
    LINEAR = "linear"
    TREES = "trees"


class UpliftBase(StrEnum):
    """What chances are learned with."""

    LOGISTIC = "logistic"
    BOOSTING = "boosting"


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """A weighted sum of columns: the expected value, or its log odds."""

    kind: SurfaceKind
    weights: tuple[float, ...]
    intercept: float

    def value(self, rows: Floats) -> Floats:
        """Return the expected value of every row."""
        raw = rows @ np.array(self.weights, dtype=np.float64) + self.intercept
        return _sigmoid(raw) if self.kind is SurfaceKind.LOGISTIC else np.asarray(raw)

    def to_json(self) -> dict[str, Any]:
        """Return what `surface_from_json` reads."""
        return {**asdict(self), "kind": self.kind.value, "weights": list(self.weights)}


@dataclass(frozen=True, slots=True)
class TreeSurface:
    """The chance by a sum of trees."""

    trees: TreeEnsemble

    def value(self, rows: Floats) -> Floats:
        """Return the expected value of every row."""
        return _sigmoid(self.trees.raw(rows))

    def to_json(self) -> dict[str, Any]:
        """Return what `surface_from_json` reads."""
        return {"kind": SurfaceKind.TREES.value, "trees": self.trees.to_json()}


Surface = WeightedSum | TreeSurface


def surface_from_json(content: Mapping[str, Any]) -> Surface:
    """Return the surface that wrote this."""
    kind = SurfaceKind(content["kind"])
    if kind is SurfaceKind.TREES:
        return TreeSurface(TreeEnsemble.from_json(content["trees"]))
    return WeightedSum(kind, tuple(map(float, content["weights"])), float(content["intercept"]))


def fit_chance(
    rows: Floats,
    labels: npt.NDArray[Any],
    *,
    base: UpliftBase,
    seed: int,
    weights: Floats | None = None,
) -> Surface:
    """Return the chance of a label of 1.

    Logistic with a penalty of |coefficients|² / 2, or trees; columns are named by their places.

    Args:
        seed: Of the trees.
        weights: Of the rows.
    """
    if base is UpliftBase.BOOSTING:
        return TreeSurface(
            fit_ensemble(
                rows,
                labels,
                columns={str(at): 0 for at in range(rows.shape[1])},
                parameters=_BOOSTING,
                seed=seed,
                weight=weights,
            )
        )
    found = fit_logistic(rows, labels, l2=_PENALTY, weight=weights)
    return WeightedSum(SurfaceKind.LOGISTIC, tuple(map(float, found.weights)), found.intercept)


def fit_linear(rows: Floats, values: Floats) -> Surface:
    """Return the linear regression with a penalty of |coefficients|² / 2 (ridge).

    Source: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 3.4.1.
    """
    means, mean = rows.mean(axis=0), float(values.mean())
    centred = rows - means
    gram = centred.T @ centred + _PENALTY * np.eye(rows.shape[1])
    found = np.linalg.solve(gram, centred.T @ (values - mean))
    intercept = mean - float(means @ found)
    return WeightedSum(SurfaceKind.LINEAR, tuple(map(float, found)), intercept)


def _sigmoid(raw: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(raw, -_FURTHEST, _FURTHEST))))
