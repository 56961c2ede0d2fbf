"""Risk bands of calibrated chances of default: monotone in time and out of it, none too small.

Fine bands are cut at equal shares of the development sample, and neighbours are merged until every
band is large enough and the observed default rate rises from band to band in both samples (pooling
adjacent violators, Ayer et al. 1955); then the most alike neighbours, until few enough are left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log

import numpy as np
import numpy.typing as npt

_FINE = 50
_HALF = 0.5
Values = npt.ArrayLike


@dataclass(frozen=True, slots=True)
class RiskBand:
    """One band: from `low` up to, but without, `high`; counts of both samples.

    Attributes:
        name: A for the least risk, then B and so on.
    """

    name: str
    low: float
    high: float
    count: int
    bad_count: int
    later_count: int
    later_bad_count: int

    @property
    def rate(self) -> float:
        """Return the default rate of the development sample."""
        return self.bad_count / self.count

    @property
    def later_rate(self) -> float:
        """Return the default rate out of time."""
        return self.later_bad_count / self.later_count


@dataclass(frozen=True, slots=True)
class BandScale:
    """Bands in order of risk; they cover 0 to 1 without a gap."""

    bands: tuple[RiskBand, ...]


def risk_bands(
    *,
    chances: Values,
    bad: Values,
    later_chances: Values,
    later_bad: Values,
    most_bands: int = 6,
    least_share: float = 0.05,
) -> BandScale:
    """Return bands whose observed default rate rises strictly in both samples.

    Args:
        chances: Calibrated chance of default of each loan of the development sample.
        bad: 1 where it defaulted, else 0.
        later_chances: Likewise of the loans out of time.
        most_bands: At most so many bands, 1 to 26.
        least_share: Every band holds at least this share of either sample.

    Raises:
        ValueError: A sample is empty, or lengths or values are not as said.
    """
    samples = (_sample(chances, bad), _sample(later_chances, later_bad))
    if not 1 <= most_bands <= _LETTERS:
        raise ValueError("there are 1 to 26 bands")
    points = np.quantile(samples[0][0], np.linspace(0, 1, _FINE + 1)[1:-1])
    edges = [0.0, *(float(x) for x in np.unique(points) if 0 < x < 1), 1.0]
    bands = [
        RiskBand("", low, high, *_counted(samples[0], low, high), *_counted(samples[1], low, high))
        for low, high in pairwise(edges)
    ]
    least = [max(least_share * len(sample[0]), 1) for sample in samples]
    while len(bands) > 1 and (at := _first_to_merge(bands, least)) is not None:
        bands[at : at + 2] = [_merged(bands[at], bands[at + 1])]
    while len(bands) > most_bands:
        gaps = [_distance(a, b) for a, b in pairwise(bands)]
        at = gaps.index(min(gaps))
        bands[at : at + 2] = [_merged(bands[at], bands[at + 1])]
    return BandScale(tuple(replace(band, name=chr(ord("A") + at)) for at, band in enumerate(bands)))


_LETTERS = 26


def _sample(
    chances: Values, bad: Values
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    values, outcomes = np.asarray(chances, float), np.asarray(bad, float)
    if not len(values) or len(values) != len(outcomes):
        raise ValueError("a sample has loans, and an outcome for each")
    # A missing value is in no range.
    if not ((values >= 0) & (values <= 1)).all() or not np.isin(outcomes, (0, 1)).all():
        raise ValueError("chances lie between 0 and 1, outcomes are 0 or 1")
    return values, outcomes


def _counted(
    sample: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], low: float, high: float
) -> tuple[int, int]:
    chances, bad = sample
    inside = (chances >= low) & ((chances < high) | (high >= 1))
    return int(inside.sum()), int(bad[inside].sum())


def _first_to_merge(bands: Sequence[RiskBand], least: Sequence[float]) -> int | None:
    """Return the left one of the first two bands to be merged, or None where all is well."""
    for at, band in enumerate(bands):
        if band.count < least[0] or band.later_count < least[1]:
            return min(at, len(bands) - 2)
    for at, (left, right) in enumerate(pairwise(bands)):
        if left.rate >= right.rate or left.later_rate >= right.later_rate:
            return at
    return None


def _merged(left: RiskBand, right: RiskBand) -> RiskBand:
    return RiskBand(
        "",
        left.low,
        right.high,
        left.count + right.count,
        left.bad_count + right.bad_count,
        left.later_count + right.later_count,
        left.later_bad_count + right.later_bad_count,
    )


def _distance(left: RiskBand, right: RiskBand) -> float:
    return _odds(right) - _odds(left)


def _odds(band: RiskBand) -> float:
    return log((band.bad_count + _HALF) / (band.count - band.bad_count + _HALF))
