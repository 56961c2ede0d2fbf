"""Columns of numbers about customers, made comparable the same way today and tomorrow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Below this share of known values a column says more about where data is missing than about people.
MIN_KNOWN_SHARE = 0.1


class NoUsableFeatureError(ValueError):
    """No column differs between customers."""


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """One row a customer, one column a feature; unknown values are NaN."""

    customer_ids: npt.NDArray[np.int64]
    names: tuple[str, ...]
    values: Floats


@dataclass(frozen=True, slots=True)
class Scaling:
    """How raw columns become comparable: unknown → median, signed logarithm, mean 0, deviation 1.

    The logarithm (of 1 + the absolute value) keeps a few large amounts from deciding everything.
    """

    names: tuple[str, ...]
    medians: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    def apply(self, table: FeatureTable) -> Floats:
        """Return the scaled columns of a table that has at least the features of this scaling."""
        positions = [table.names.index(name) for name in self.names]
        logged = _logged(table.values[:, positions], np.array(self.medians))
        return np.asarray((logged - np.array(self.means)) / np.array(self.deviations))

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "names": list(self.names),
            "medians": list(self.medians),
            "means": list(self.means),
            "deviations": list(self.deviations),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Scaling":
        """Return the scaling that wrote this."""
        return cls(
            names=tuple(content["names"]),
            medians=tuple(content["medians"]),
            means=tuple(content["means"]),
            deviations=tuple(content["deviations"]),
        )


def fit_scaling(table: FeatureTable) -> Scaling:
    """Return the scaling of the columns that are known often enough and differ.

    Raises:
        NoUsableFeatureError: None is left.
    """
    chosen: list[tuple[str, float, float, float]] = []
    for name, column in zip(table.names, table.values.T, strict=True):
        known = column[~np.isnan(column)]
        if known.size < max(2.0, MIN_KNOWN_SHARE * column.size):
            continue
        median = float(np.median(known))
        scaled = _logged(column[:, None], np.array([median]))
        deviation = float(scaled.std())
        if deviation > 1e-9:
            chosen.append((name, median, float(scaled.mean()), deviation))
    if not chosen:
        raise NoUsableFeatureError
    names, medians, means, deviations = zip(*chosen, strict=True)
    return Scaling(names, medians, means, deviations)


def rows_of(table: FeatureTable, positions: npt.NDArray[np.int64]) -> FeatureTable:
    """Return some rows of a table."""
    return FeatureTable(table.customer_ids[positions], table.names, table.values[positions])


def plain_means(table: FeatureTable, names: Sequence[str]) -> list[float]:
    """Return the mean of the known raw values of each named column; 0 where none is known."""
    columns = [table.values[:, table.names.index(name)] for name in names]
    return [float(np.nanmean(c)) if (~np.isnan(c)).any() else 0.0 for c in columns]


def _logged(values: Floats, medians: Floats) -> Floats:
    filled = np.where(np.isnan(values), medians, values)
    return np.sign(filled) * np.log1p(np.abs(filled))
