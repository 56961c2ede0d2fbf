"""Whether today's people are spread over bins as those were that a model was learned from.

PSI = Σ (actual − expected)·ln(actual ÷ expected) over bins frozen at the training; of a score it is
the population stability index, of a feature the characteristic stability index.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Source: Siddiqi 2006, Credit Risk Scorecards, 8.
WATCHED_FROM = 0.10
ACTED_ON_FROM = 0.25
# An empty bin is taken for this share of the rows, and the result says so.
EMPTY_SHARE = 1e-4


class StabilityBand(StrEnum):
    """What a PSI asks for."""

    STABLE = "stable"
    WATCH = "watch"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class StabilityIndex:
    """A PSI.

    Attributes:
        empty_bins: Bins that were empty on one side only and counted with a share of 0.0001.
        by_chance: The 95 % bound of a PSI between two samples of these sizes from one population:
            what a value below it shows may be nothing.
    """

    value: float
    band: StabilityBand
    empty_bins: tuple[int, ...]
    by_chance: float

    def to_json(self) -> dict[str, Any]:
        """Return all of it."""
        return {**asdict(self), "band": self.band.value, "empty_bins": list(self.empty_bins)}


@dataclass(frozen=True, slots=True)
class FrozenBins:
    """Bins of a score and how many rows of the training part were in each."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def index(self, values: Floats) -> StabilityIndex:
        """Return how far these values moved."""
        at = np.searchsorted(np.array(self.edges), values, side="right")
        actual = np.bincount(at, minlength=len(self.counts)).astype(np.float64)
        return psi_of_counts(np.array(self.counts, dtype=np.float64), actual)


def freeze(values: Floats, *, count: int = 10) -> FrozenBins:
    """Return about equally full bins of values."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, count + 1)[1:-1]))
    at = np.searchsorted(edges, values, side="right")
    counts = np.bincount(at, minlength=len(edges) + 1)
    return FrozenBins(tuple(map(float, edges)), tuple(map(int, counts)))


def psi_of_counts(expected: Floats, actual: Floats) -> StabilityIndex:
    """Return the PSI of two columns of counts over the same bins.

    Raises:
        ValueError: One of them is empty.
    """
    if not expected.sum() or not actual.sum():
        msg = "a PSI needs rows on both sides"
        raise ValueError(msg)
    found = psi(expected / expected.sum(), actual / actual.sum())
    present = int(((expected + actual) > 0).sum())
    return StabilityIndex(
        value=found,
        band=band_of(found),
        empty_bins=tuple(map(int, np.flatnonzero((expected == 0) != (actual == 0)))),
        by_chance=_by_chance(present, float(expected.sum()), float(actual.sum())),
    )


def psi(expected: Sequence[float] | Floats, actual: Sequence[float] | Floats) -> float:
    """Return the PSI of two columns of shares; an empty bin counts with a share of 0.0001."""
    before, after = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    is_there = (before > 0) | (after > 0)
    before, after = (np.where(part > 0, part, EMPTY_SHARE)[is_there] for part in (before, after))
    return float(np.sum((after - before) * np.log(after / before)))


def band_of(value: float) -> StabilityBand:
    """Return what a PSI asks for: below .10 nothing, from .25 on an act."""
    if value < WATCHED_FROM:
        return StabilityBand.STABLE
    return StabilityBand.WATCH if value < ACTED_ON_FROM else StabilityBand.ACT


def _by_chance(bins: int, before: float, after: float) -> float:
    """Return the 95 % bound: (1/n + 1/m) times that of chi-square with bins − 1 degrees.

    Source: Yurdakul and Naranjo 2020, Statistical properties of the population stability index.
    """
    free = max(bins - 1, 1)
    spread = 2 / (9 * free)
    return float(free * (1 - spread + 1.645 * spread**0.5) ** 3 * (1 / before + 1 / after))
