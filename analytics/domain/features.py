"""Columns of numbers about customers, made comparable the same way today and tomorrow."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Below this share of known values a column says more about where data is missing than about people.
MIN_KNOWN_SHARE = 0.1
# A word of fewer people than this share is no column of its own.
MIN_WORD_SHARE = 0.02
MAX_WORDS = 10


class NoUsableFeatureError(ValueError):
    """No column differs between customers."""


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """One row a customer, one column a feature; unknown values are NaN.

    Attributes:
        words: Of each category column, its words; the column holds positions in them.
    """

    customer_ids: npt.NDArray[np.int64]
    names: tuple[str, ...]
    values: Floats
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def has_word(self, name: str, word: str) -> npt.NDArray[np.bool_]:
        """Return which rows have this word; none where the table never saw it."""
        known = self.words[name]
        if word not in known:
            return np.zeros(len(self.customer_ids), dtype=bool)
        return np.asarray(self.values[:, self.names.index(name)] == known.index(word))


@dataclass(frozen=True, slots=True)
class ScaledColumn:
    """One column of a scaling.

    Attributes:
        word: Of a category, the word whose presence is the column; empty for a number.
        median: What stands for an unknown number; 0 for a word.
    """

    name: str
    word: str
    median: float
    mean: float
    deviation: float

    @property
    def label(self) -> str:
        """Return `name`, or `name=word` for a word of a category."""
        return f"{self.name}={self.word}" if self.word else self.name

    def raw(self, table: FeatureTable) -> Floats:
        """Return the column before it is centred.

        The signed logarithm of a number, 0 or 1 for a word. A word that was not there when the
        scaling was made is none of its columns: such a customer has 0 in each of them.
        """
        if self.word:
            return table.has_word(self.name, self.word).astype(np.float64)
        return _logged(table.values[:, table.names.index(self.name)], self.median)


@dataclass(frozen=True, slots=True)
class Scaling:
    """How raw columns become comparable: unknown → median, signed logarithm, mean 0, deviation 1.

    The logarithm (of 1 + the absolute value) keeps a few large amounts from deciding everything.
    Everything it knows comes from the table that it was made of.
    """

    columns: tuple[ScaledColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the features that a table needs, each once."""
        return tuple(dict.fromkeys(column.name for column in self.columns))

    @property
    def labels(self) -> tuple[str, ...]:
        """Return how each scaled column is called."""
        return tuple(column.label for column in self.columns)

    def apply(self, table: FeatureTable) -> Floats:
        """Return the scaled columns of a table that has at least the features of this scaling."""
        return np.column_stack(
            [(column.raw(table) - column.mean) / column.deviation for column in self.columns]
        )

    def to_json(self) -> list[dict[str, Any]]:
        """Return what `from_json` reads."""
        return [asdict(column) for column in self.columns]

    @classmethod
    def from_json(cls, content: Sequence[Mapping[str, Any]]) -> "Scaling":
        """Return the scaling that wrote this."""
        return cls(tuple(ScaledColumn(**column) for column in content))


def fit_scaling(table: FeatureTable) -> Scaling:
    """Return the scaling of the columns that are known often enough and differ.

    Raises:
        NoUsableFeatureError: None is left.
    """
    chosen: list[ScaledColumn] = []
    for name in table.names:
        for word, median in _candidates(table, name):
            # Mean and deviation are not known yet: 0 and 1 leave the column as it is.
            raw = ScaledColumn(name, word, median, 0.0, 1.0).raw(table)
            if (deviation := float(raw.std())) > 1e-9:
                mean = float(raw.mean())
                chosen.append(ScaledColumn(name, word, median, mean, deviation))
    if not chosen:
        raise NoUsableFeatureError
    return Scaling(tuple(chosen))


def _candidates(table: FeatureTable, name: str) -> list[tuple[str, float]]:
    """Return (word, median) of every scaled column that a feature may become."""
    column = table.values[:, table.names.index(name)]
    known = column[~np.isnan(column)]
    if known.size < max(2.0, MIN_KNOWN_SHARE * column.size):
        return []
    if name not in table.words:
        return [("", float(np.median(known)))]
    words = table.words[name]
    counts = np.bincount(known.astype(np.int64), minlength=len(words))
    order = sorted(range(len(words)), key=lambda at: (-counts[at], words[at]))
    frequent = [at for at in order if counts[at] >= MIN_WORD_SHARE * column.size]
    return [(words[at], 0.0) for at in frequent[:MAX_WORDS]]


def rows_of(table: FeatureTable, chosen: npt.NDArray[Any]) -> FeatureTable:
    """Return some rows of a table, by their positions or by a mask."""
    return replace(table, customer_ids=table.customer_ids[chosen], values=table.values[chosen])


def plain_means(table: FeatureTable, labels: Sequence[str]) -> list[float]:
    """Return what is usual in each scaled column, in plain terms.

    The mean of the known values of a number, 0 where none is known; of a word, the share of rows
    that have it.
    """
    found = []
    for label in labels:
        name, _, word = label.partition("=")
        if word:
            found.append(float(table.has_word(name, word).mean()))
            continue
        column = table.values[:, table.names.index(name)]
        found.append(float(np.nanmean(column)) if (~np.isnan(column)).any() else 0.0)
    return found


def _logged(values: Floats, median: float) -> Floats:
    filled = np.where(np.isnan(values), median, values)
    return np.asarray(np.sign(filled) * np.log1p(np.abs(filled)))
