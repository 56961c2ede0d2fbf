"""Turn the log odds of a model into probabilities that come true.

Learned from log odds of rows that the model did not see: a line (Platt), or a monotone curve
(isotonic) where that predicts better by more than chance. Source: Platt 1999; Zadrozny and Elkan
2002 (KDD).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.logistic import fit_logistic
from analytics.domain.modelling.splits import folds

Floats = npt.NDArray[np.float64]
# A curve has at most so many points; its rows are grouped before they are pooled.
_GROUPS = 100
_FOLDS = 5
_SMALLEST = 1e-6


class CalibrationMethod(StrEnum):
    """How log odds become probabilities."""

    SIGMOID = "sigmoid"
    ISOTONIC = "isotonic"


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Log odds → probability.

    Attributes:
        slope: Of the line; 1 where the model carries its line itself.
        intercept: Of the line.
        knots: Log odds, after the line, between which the curve runs straight; empty for a sigmoid.
        rates: Probabilities at the knots.
    """

    method: CalibrationMethod
    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[float, ...] = ()
    rates: tuple[float, ...] = ()

    def line(self, raw: Floats) -> Floats:
        """Return the log odds after the line: what points are made of."""
        return self.slope * raw + self.intercept

    def probability(self, raw: Floats) -> Floats:
        """Return the probability of the event."""
        return self.curve(self.line(raw))

    def curve(self, line: Floats) -> Floats:
        """Return the probability of log odds that the line was applied to."""
        if self.method is CalibrationMethod.ISOTONIC:
            return np.asarray(np.interp(line, self.knots, self.rates))
        return np.asarray(1 / (1 + np.exp(-np.clip(line, -700, 700))))

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            **asdict(self),
            "method": self.method.value,
            "knots": list(self.knots),
            "rates": list(self.rates),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Calibrator":
        """Return the calibrator that wrote this."""
        return cls(
            method=CalibrationMethod(content["method"]),
            slope=float(content["slope"]),
            intercept=float(content["intercept"]),
            knots=tuple(map(float, content["knots"])),
            rates=tuple(map(float, content["rates"])),
        )


def fit_calibrator(
    raw: Floats, outcome: npt.NDArray[Any], *, seed: int, learned_share: float = 1.0
) -> Calibrator:
    """Return the calibrator of log odds that were given to rows not learned from.

    A model of fewer rows is too sure by more: what its line lacks to a slope of 1 shrinks as the
    rows grow (van Houwelingen and le Cessie 1990, Statistics in Medicine 9:1303).

    Args:
        learned_share: Of the rows that the model to be calibrated learns from, the share that the
            models behind these log odds learned from.

    The curve is taken only where, fold by fold, its log loss is lower than the line's by more than
    two standard errors of the difference.
    """
    line = _sharpened(_sigmoid(raw, outcome), raw, outcome, learned_share)
    if len(raw) < 10 * _GROUPS:
        return line
    gains = np.empty(len(raw))
    for learned, rest in folds(outcome, count=_FOLDS, seed=seed):
        first = _sigmoid(raw[learned], outcome[learned])
        second = _isotonic(raw[learned], outcome[learned], first)
        gains[rest] = _losses(first, raw[rest], outcome[rest]) - _losses(
            second, raw[rest], outcome[rest]
        )
    if gains.mean() > 2 * gains.std() / np.sqrt(len(gains)):
        return _isotonic(raw, outcome, line)
    return line


def _sigmoid(raw: Floats, outcome: npt.NDArray[Any]) -> Calibrator:
    if raw.max() - raw.min() < 1e-9:
        return Calibrator(CalibrationMethod.SIGMOID)
    fit = fit_logistic(raw[:, None], outcome)
    return Calibrator(CalibrationMethod.SIGMOID, float(fit.weights[0]), fit.intercept)


def _sharpened(
    line: Calibrator, raw: Floats, outcome: npt.NDArray[Any], learned_share: float
) -> Calibrator:
    """Return the line of a model of all the rows; its intercept fits its slope."""
    slope = 1 - (1 - line.slope) * learned_share
    fit = fit_logistic(np.empty((len(raw), 0)), outcome, offset=slope * raw)
    return Calibrator(CalibrationMethod.SIGMOID, slope, fit.intercept)


def _isotonic(raw: Floats, outcome: npt.NDArray[Any], line: Calibrator) -> Calibrator:
    values = line.line(raw)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _GROUPS + 1)[1:-1]))
    at = np.searchsorted(edges, values, side="left")
    rows = np.bincount(at).astype(np.float64)
    events, sums = np.bincount(at, outcome), np.bincount(at, values)
    blocks: list[list[float]] = []
    for each in zip(rows, events, sums, strict=True):
        if not each[0]:
            continue
        blocks.append(list(each))
        while len(blocks) > 1 and blocks[-1][1] * blocks[-2][0] <= blocks[-2][1] * blocks[-1][0]:
            last = blocks.pop()
            blocks[-1] = [one + other for one, other in zip(blocks[-1], last, strict=True)]
    knots = tuple(total / count for count, _events, total in blocks)
    # Half an event more and half a non-event more: no block is sure.
    rates = tuple((found + 0.5) / (count + 1) for count, found, _total in blocks)
    rising = tuple(map(float, np.maximum.accumulate(rates)))
    return Calibrator(CalibrationMethod.ISOTONIC, line.slope, line.intercept, knots, rising)


def _losses(calibrator: Calibrator, raw: Floats, outcome: npt.NDArray[Any]) -> Floats:
    chance = np.clip(calibrator.probability(raw), _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.where(outcome > 0.5, -np.log(chance), -np.log1p(-chance)))
