"""Risk bands of a probability: A is the best; each differs from the next by more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from string import ascii_uppercase
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
MAX_BANDS = 5
MIN_SHARE = 0.05
# Neighbours closer than this many standard errors would change places in the next sample.
_APART = 2.5


@dataclass(frozen=True, slots=True)
class RiskBands:
    """Bands between edges of the probability of the event.

    Attributes:
        edges: A probability at an edge is in the band above, which is worse.
        rates: Share of events in each band where the bands were made.
    """

    edges: tuple[float, ...]
    rates: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return A, B, … from the best to the worst."""
        return tuple(ascii_uppercase[: len(self.edges) + 1])

    def positions(self, probability: Floats) -> npt.NDArray[np.intp]:
        """Return the position of the band of each probability."""
        return np.searchsorted(np.array(self.edges), probability, side="right")

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "RiskBands":
        """Return the bands that wrote this."""
        return cls(tuple(map(float, content["edges"])), tuple(map(float, content["rates"])))


@dataclass(frozen=True, slots=True)
class BandResult:
    """What came of the rows of one band."""

    name: str
    rows: int
    events: int
    rate: float | None


class BandProblem(StrEnum):
    """What is wrong with a band on rows that nothing was learned from."""

    TOO_SMALL = "too_small"
    NOT_RISING = "not_rising"


def band_problems(results: Sequence[BandResult]) -> tuple[tuple[BandProblem, ...], ...]:
    """Return what is wrong with each band out of time; nothing where all is well.

    A band has to hold 5 % of the rows, and more events than the band before, there too.
    """
    total = sum(band.rows for band in results)
    found = []
    before: float | None = None
    for band in results:
        problems = []
        if band.rows < MIN_SHARE * total:
            problems.append(BandProblem.TOO_SMALL)
        if band.rate is not None:
            if before is not None and band.rate <= before:
                problems.append(BandProblem.NOT_RISING)
            before = band.rate
        found.append(tuple(problems))
    return tuple(found)


def fit_bands(probability: Floats, outcome: npt.NDArray[Any]) -> RiskBands:
    """Return at most five bands of at least 5 % of the rows, event rates rising clearly."""
    edges = list(np.unique(np.quantile(probability, np.linspace(0, 1, 2 * MAX_BANDS + 1)[1:-1])))
    while edges:
        rows, events = _count(np.array(edges), probability, outcome)
        apart = _apart(rows, events)
        is_small = rows.min() < MIN_SHARE * len(probability)
        if apart.min() >= _APART and len(edges) < MAX_BANDS and not is_small:
            break
        at = int(apart.argmin())
        if is_small:
            at = min(int(rows.argmin()), len(edges) - 1)
        del edges[at]
    rows, events = _count(np.array(edges), probability, outcome)
    return RiskBands(tuple(map(float, edges)), tuple(map(float, events / np.maximum(rows, 1))))


def band_results(
    bands: RiskBands, probability: Floats, outcome: npt.NDArray[Any]
) -> list[BandResult]:
    """Return what came of each band, from the best to the worst."""
    rows, events = _count(np.array(bands.edges), probability, outcome)
    return [
        BandResult(name, int(count), int(found), float(found / count) if count else None)
        for name, count, found in zip(bands.names, rows, events, strict=True)
    ]


def _count(edges: Floats, probability: Floats, outcome: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    at = np.searchsorted(edges, probability, side="right")
    rows = np.bincount(at, minlength=len(edges) + 1).astype(np.float64)
    return rows, np.bincount(at, outcome, len(edges) + 1).astype(np.float64)


def _apart(rows: Floats, events: Floats) -> Floats:
    """Return by how many standard errors each band is worse than the one before."""
    counted = np.maximum(rows, 1)
    rate = (events + 0.5) / (counted + 1)
    variance = rate * (1 - rate) / counted
    return np.asarray((rate[1:] - rate[:-1]) / np.sqrt(variance[1:] + variance[:-1]))
