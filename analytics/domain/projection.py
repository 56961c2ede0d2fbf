"""Fewer columns that keep most of what sets customers apart: principal components.

Source: Jolliffe, Principal Component Analysis, 2nd ed. (2002), chapters 2 and 6.1.1 (cumulative
share of the variance as the rule for how many to keep).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.domain.features import Floats


@dataclass(frozen=True, slots=True)
class Projection:
    """The components that were kept, the strongest first.

    Attributes:
        components: Of each, the weight of every scaled column; length 1.
        explained: Of each, its share of the variance of all columns, 0 to 1.
    """

    components: tuple[tuple[float, ...], ...]
    explained: tuple[float, ...]

    @property
    def explained_sum(self) -> float:
        """Return the share of the variance that the kept components explain together."""
        return float(sum(self.explained))

    def apply(self, rows: Floats) -> Floats:
        """Return the rows in the components."""
        return np.asarray(rows @ np.array(self.components).T)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "components": [list(row) for row in self.components],
            "explained": list(self.explained),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Projection":
        """Return the projection that wrote this."""
        return cls(
            components=tuple(tuple(row) for row in content["components"]),
            explained=tuple(content["explained"]),
        )


def fit_projection(rows: Floats, share: float) -> Projection:
    """Return the fewest components that explain at least this share of the variance.

    The same rows always give the same components with the same signs.

    Args:
        rows: Scaled columns, mean 0. Shape (n, columns), n at least 2, some column not constant.
        share: Of the variance, above 0 and at most 1.
    """
    variances, vectors = np.linalg.eigh(np.cov(rows, rowvar=False).reshape(rows.shape[1], -1))
    # eigh sorts upwards; what is below zero is rounding.
    variances, vectors = np.clip(variances[::-1], 0.0, None), vectors[:, ::-1].T
    explained = variances / variances.sum()
    # A sum of all shares may end a rounding error below 1.
    count = int(np.searchsorted(np.cumsum(explained), share - 1e-9)) + 1
    kept = vectors[:count]
    # A component and its opposite are the same; the largest weight is made the positive one.
    largest = np.abs(kept).argmax(axis=1)
    kept = kept * np.sign(kept[np.arange(len(kept)), largest])[:, None]
    return Projection(
        components=tuple(tuple(map(float, row)) for row in kept),
        explained=tuple(map(float, explained[:count])),
    )
