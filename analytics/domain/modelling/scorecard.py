"""A scorecard: logistic regression on weights of evidence, written as points.

    score = offset + factor · ln(odds of no event),  factor = PDO ÷ ln 2,
    points of a bin = −(weight · woe + intercept ÷ n) · factor + offset ÷ n

so that PDO points more double the odds. Source: Siddiqi 2006, Credit Risk Scorecards, 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.binning import BinnedFeature, Positions

Floats = npt.NDArray[np.float64]
# More reasons are not likely to help the person. Source: 12 CFR 1002.9, comment 9(b)(2)-1.
MAX_REASONS = 4


@dataclass(frozen=True, slots=True)
class PointsScale:
    """So many points at these odds of no event, and `pdo` points more where the odds double."""

    points: float = 600.0
    odds: float = 50.0
    pdo: float = 20.0

    @property
    def factor(self) -> float:
        """Return the points of one unit of the logarithm of the odds."""
        return self.pdo / log(2)

    @property
    def offset(self) -> float:
        """Return the points at odds of one to one."""
        return self.points - self.factor * log(self.odds)

    def of_log_odds(self, raw: Floats) -> Floats:
        """Return the points of log odds of the event."""
        return self.offset - self.factor * raw


@dataclass(frozen=True, slots=True)
class PointsRow:
    """One line of the points table: bin `position` of a feature."""

    feature: str
    position: int
    woe: float
    points: float
    rounded: int


@dataclass(frozen=True, slots=True)
class PointsScorecard:
    """Binned features, the weight of each, and the scale of points.

    Attributes:
        weights: Of each feature, for log odds of the event; not above 0, since a higher weight of
            evidence is better.
        intercept: Log odds of the event where every weight of evidence is 0.
    """

    features: tuple[BinnedFeature, ...]
    weights: tuple[float, ...]
    intercept: float
    scale: PointsScale = PointsScale()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the features in the order of the columns of `values`."""
        return tuple(feature.name for feature in self.features)

    @property
    def rounding_bound(self) -> float:
        """Return by how much the sum of rounded points may be off: half a point a feature."""
        return 0.5 * len(self.features)

    def points_of(self, position: int) -> Floats:
        """Return the points of each bin of a feature, not rounded."""
        count, scale = len(self.features), self.scale
        woe = self.features[position].woe
        share = self.intercept / count
        return np.asarray(
            -(self.weights[position] * woe + share) * scale.factor + scale.offset / count
        )

    def positions(self, values: Floats) -> list[Positions]:
        """Return of each feature the bins of all rows.

        Args:
            values: One row a case, one column a feature in the order of `names`; NaN is missing.
        """
        return [feature.positions(values[:, at]) for at, feature in enumerate(self.features)]

    def raw(self, values: Floats) -> Floats:
        """Return the log odds of the event of each row."""
        return self.raw_of(self.positions(values), len(values))

    def raw_of(self, positions: Sequence[Positions], count: int) -> Floats:
        """Return the log odds of rows whose bins are known."""
        found = np.full(count, self.intercept)
        for feature, weight, at in zip(self.features, self.weights, positions, strict=True):
            found += (weight * feature.woe)[at]
        return found

    def points(self, values: Floats) -> Floats:
        """Return the points of each row, not rounded."""
        found = np.zeros(len(values))
        for position, at in enumerate(self.positions(values)):
            found += self.points_of(position)[at]
        return found

    def lost(self, positions: Sequence[Positions]) -> Floats:
        """Return the points that each row (down) lost at each feature (across) to the best bin."""
        columns = []
        for position, at in enumerate(positions):
            points = self.points_of(position)
            columns.append((points.max() - points)[at])
        return np.column_stack(columns)

    def table(self) -> list[PointsRow]:
        """Return the points of every bin; rounded ones are what a printed card shows."""
        found = []
        for position, feature in enumerate(self.features):
            points = self.points_of(position)
            for at, each in enumerate(feature.bins):
                row = PointsRow(feature.name, at, each.woe, float(points[at]), round(points[at]))
                found.append(row)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "features": [feature.to_json() for feature in self.features],
            "weights": list(self.weights),
            "intercept": self.intercept,
            "scale": asdict(self.scale),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "PointsScorecard":
        """Return the scorecard that wrote this."""
        return cls(
            features=tuple(BinnedFeature.from_json(each) for each in content["features"]),
            weights=tuple(map(float, content["weights"])),
            intercept=float(content["intercept"]),
            scale=PointsScale(**content["scale"]),
        )


def top_reasons(lost: Floats, most: int = MAX_REASONS) -> npt.NDArray[np.int16]:
    """Return of each row the features at which most was lost, first the most; -1: no further one.

    Args:
        lost: Points lost, rows down, features across; nothing lost is no reason. Equal losses stay
            in the order of the features.
    """
    width = min(most, lost.shape[1])
    order = np.argsort(-lost, axis=1, kind="stable")[:, :width]
    is_loss = np.take_along_axis(lost, order, axis=1) > 1e-9
    found = np.full((len(lost), most), -1, dtype=np.int16)
    found[:, :width] = np.where(is_loss, order, -1)
    return found
