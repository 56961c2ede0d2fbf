"""Logistic regression by Newton's method, with or without penalties."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_ROUNDS = 60
_SWEEPS = 200
_CLOSE = 1e-10
# No odds are taken for surer than this while learning; complete separation ends there.
_FURTHEST = 30.0


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """Log odds of the event = intercept + rows · weights.

    Attributes:
        errors: Standard errors: of the intercept, then of each weight (without a penalty).
    """

    intercept: float
    weights: Floats
    errors: Floats

    def raw(self, rows: Floats) -> Floats:
        """Return the log odds of each row."""
        return np.asarray(rows @ self.weights + self.intercept)


def fit_logistic(
    rows: Floats,
    outcome: npt.NDArray[Any],
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    weight: Floats | None = None,
    offset: Floats | None = None,
) -> LogisticFit:
    """Return the likeliest weights less penalties l1·Σ|w| and l2·Σw²/2, the intercept spared.

    Newton's method; with l1 each step is a quadratic problem that is solved one weight at a time.

    Args:
        weight: How much each row counts; 1 when None.
        offset: Log odds that each row starts with; 0 when None.

    Source: Friedman, Hastie and Tibshirani 2010, Journal of Statistical Software 33(1).
    """
    design = np.column_stack([np.ones(len(rows)), rows])
    counted = np.ones(len(rows)) if weight is None else weight
    start = np.zeros(len(rows)) if offset is None else offset
    target = np.asarray(outcome, dtype=np.float64)
    ridge = np.full(design.shape[1], l2)
    ridge[0] = 0.0
    found = np.zeros(design.shape[1])
    hessian = np.eye(design.shape[1])
    for _round in range(_ROUNDS):
        raw = np.clip(design @ found + start, -_FURTHEST, _FURTHEST)
        chance = 1 / (1 + np.exp(-raw))
        gradient = design.T @ (counted * (target - chance)) - ridge * found
        spread = counted * np.maximum(chance * (1 - chance), 1e-10)
        hessian = (design.T * spread) @ design + np.diag(ridge + 1e-9)
        if l1:
            following = _one_by_one(hessian, gradient + hessian @ found, found, l1)
        else:
            following = found + np.linalg.solve(hessian, gradient)
        step = np.clip(following - found, -4.0, 4.0)
        found = found + step
        if np.abs(step).max() < _CLOSE:
            break
    errors = np.sqrt(np.maximum(np.diag(np.linalg.inv(hessian)), 0.0))
    return LogisticFit(float(found[0]), found[1:], errors)


def _one_by_one(hessian: Floats, target: Floats, start: Floats, l1: float) -> Floats:
    """Return the minimum of w'Hw/2 − target'w + l1·Σ|w|, the first weight spared."""
    found = start.copy()
    for _sweep in range(_SWEEPS):
        before = found.copy()
        for at in range(len(found)):
            pull = target[at] - hessian[at] @ found + hessian[at, at] * found[at]
            bound = l1 if at else 0.0
            found[at] = np.sign(pull) * max(abs(pull) - bound, 0.0) / hessian[at, at]
        if np.abs(found - before).max() < _CLOSE:
            break
    return found
