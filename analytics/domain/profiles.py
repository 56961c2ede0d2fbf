"""What sets a group of customers apart: its strongest differences from everybody."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable, Floats, plain_means, rows_of

SHOWN = 3
MIN_Z = 0.25


@dataclass(frozen=True, slots=True)
class ProfileDifference:
    """What sets a group apart: its mean against everybody's, and by how many deviations."""

    feature: str
    z: float
    mean: float
    overall_mean: float

    @property
    def lift(self) -> float | None:
        """Return how many times everybody's mean the group's is; None where that says nothing."""
        return self.mean / self.overall_mean if self.overall_mean > 0 <= self.mean else None


def differences(
    table: FeatureTable, names: Sequence[str], scaled: Floats, chosen: npt.NDArray[np.bool_]
) -> tuple[ProfileDifference, ...]:
    """Return the strongest differences of the chosen rows, at least one.

    Args:
        names: Labels of the columns of `scaled`, which has everybody's mean 0 and deviation 1.
        chosen: Which rows are the group; at least one.
    """
    inside = rows_of(table, chosen)
    z_scores = scaled[chosen].mean(axis=0)
    means, overall = plain_means(inside, names), plain_means(table, names)
    order = sorted(range(len(z_scores)), key=lambda at: -abs(z_scores[at]))
    return tuple(
        ProfileDifference(names[at], float(z_scores[at]), means[at], overall[at])
        for at in order[:SHOWN]
        if abs(z_scores[at]) >= MIN_Z or at == order[0]
    )


def standardised(table: FeatureTable) -> Floats:
    """Return complete columns with mean 0 and deviation 1; a column of one value becomes zeros."""
    deviations = table.values.std(axis=0)
    safe = np.where(deviations > 0, deviations, 1.0)
    return np.asarray((table.values - table.values.mean(axis=0)) / safe)
