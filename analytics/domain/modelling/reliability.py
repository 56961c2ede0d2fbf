"""Whether probabilities mean what they say: the line of log odds, and ten groups of rows."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.estimates import (
    CONFIDENCE,
    Estimate,
    Floats,
    OneOutcomeError,
    normal_interval,
)
from analytics.domain.modelling.logistic import fit_logistic
from analytics.domain.rates import wilson

DECILES = 10
# A probability of exactly 0 or 1 has no logarithm of its odds.
_SMALLEST = 1e-12
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Decile:
    """About a tenth of the rows, by probability: what was predicted and what came.

    Attributes:
        predicted: Mean probability.
        rate: Share of events, with its Wilson interval from `low` to `high`.
        is_covered: Whether the interval holds the prediction.
    """

    rows: int
    events: int
    predicted: float
    rate: float
    low: float
    high: float
    is_covered: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether probabilities mean what they say.

    Attributes:
        slope: Of the log odds of what came on the log odds predicted; below 1: too extreme.
        intercept: Of the same line; 0 is right.
        deciles: From the lowest probabilities to the highest; equal ones stay together. Their
            intervals hold all ten at once with the confidence of one (Šidák).
    """

    slope: Estimate
    intercept: Estimate
    deciles: tuple[Decile, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the line's two figures with intervals, and the deciles."""
        return {
            "slope": self.slope.to_json(),
            "intercept": self.intercept.to_json(),
            "deciles": [asdict(each) for each in self.deciles],
        }


def calibration(
    outcome: npt.NDArray[Any], probability: Floats, *, count: int = DECILES
) -> Calibration:
    """Return how well probabilities are calibrated.

    Raises:
        OneOutcomeError: There are no events or no non-events.

    Source: Cox 1958, Biometrika 45:562; Steyerberg 2009, Clinical Prediction Models, 15.
    """
    happened = np.asarray(outcome, dtype=np.float64)
    if not 0 < happened.sum() < len(happened):
        raise OneOutcomeError
    held = np.clip(probability, _SMALLEST, 1 - _SMALLEST)
    raw = np.log(held / (1 - held))
    if raw.max() - raw.min() < _SAME:
        # One probability for all has no slope; it is taken as it is.
        fit = fit_logistic(np.empty((len(raw), 0)), happened, offset=raw)
        slope = Estimate(1.0, 1.0, 1.0)
    else:
        fit = fit_logistic(raw[:, None], happened)
        slope = normal_interval(float(fit.weights[0]), float(fit.errors[1]))
    return Calibration(
        slope=slope,
        intercept=normal_interval(fit.intercept, float(fit.errors[0])),
        deciles=tuple(_deciles(happened, probability, count)),
    )


def _deciles(outcome: Floats, probability: Floats, count: int) -> Iterator[Decile]:
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, count + 1)[1:-1]))
    at = np.searchsorted(edges, probability, side="left")
    present = [position for position in range(len(edges) + 1) if (at == position).any()]
    confidence = CONFIDENCE ** (1 / len(present))
    for position in present:
        chosen = at == position
        rows, events = int(chosen.sum()), int(outcome[chosen].sum())
        found = wilson(events, rows, confidence=confidence)
        low, high = found.low or 0.0, 1.0 if found.high is None else found.high
        predicted = float(probability[chosen].mean())
        is_covered = bool(low <= predicted <= high)
        yield Decile(rows, events, predicted, events / rows, low, high, is_covered)
