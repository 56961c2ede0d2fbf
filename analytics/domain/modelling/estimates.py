"""A figure and how sure it is."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
CONFIDENCE = 0.95


class OneOutcomeError(ValueError):
    """All rows have the same outcome, or there are none: nothing can be told apart."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval at 95 % unless another confidence was asked for."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Return `{"value", "low", "high"}`."""
        return {"value": self.value, "low": self.low, "high": self.high}


def bootstrap(
    count: int,
    statistic: Callable[[npt.NDArray[np.int64]], float],
    *,
    seed: int,
    rounds: int = 500,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Return a statistic of rows with the percentile interval of resampled rows.

    Args:
        count: Rows that there are.
        statistic: Of an array of row positions, some of them several times; a draw for which it
            raises `OneOutcomeError` is left out.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    """
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    for _round in range(rounds):
        try:
            drawn.append(statistic(rng.integers(0, count, count)))
        except OneOutcomeError:
            continue
    value = statistic(np.arange(count))
    if not drawn:
        return Estimate(value, value, value)
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.array(drawn), [tail, 1 - tail])
    return Estimate(value, float(low), float(high))


def normal_interval(value: float, error: float) -> Estimate:
    """Return a figure with the interval that its standard error makes."""
    half = z_of(CONFIDENCE) * error
    return Estimate(value, value - half, value + half)


def mean_interval(values: Floats, confidence: float) -> Estimate:
    """Return a mean with its normal interval, not below 0."""
    value = float(values.mean())
    error = float(values.std(ddof=1)) / sqrt(len(values)) if len(values) > 1 else 0.0
    half = z_of(confidence) * error
    return Estimate(value, max(0.0, value - half), value + half)


def z_of(confidence: float) -> float:
    """Return how many standard errors an interval reaches to each side."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
