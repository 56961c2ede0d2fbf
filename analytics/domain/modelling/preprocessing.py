"""What is done to columns before a model sees them, as declared and as the training part says.

A table may have its columns in any order and hold anything: a word never learned, text where
numbers stood, infinity. Each becomes something that every model has a place for, and is counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable

Floats = npt.NDArray[np.float64]


class ColumnsMissingError(ValueError):
    """A table lacks columns that a model needs; their names are the arguments."""


class ColumnKind(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    CATEGORY = "category"


class NullPolicy(StrEnum):
    """What becomes of a missing value: a value of its own, or the median of the known ones."""

    OWN = "own"
    MEDIAN = "median"


@dataclass(frozen=True, slots=True)
class ColumnRules:
    """What is declared of a column.

    Attributes:
        codes: Numbers that stand for something else than an amount (96: refused to say).
        winsor: Shares of the known values below and above which values are pulled in, such as
            (0.01, 0.99); None: none.
    """

    nulls: NullPolicy = NullPolicy.OWN
    codes: tuple[float, ...] = ()
    winsor: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class PreparedColumn:
    """A column as it was learned.

    Attributes:
        words: Of a category, its words by position.
        low: Values below it are raised to it; None: no bound.
        high: Values above it are lowered to it; None: no bound.
        fill: What stands for a missing value; None: it stays missing.
    """

    name: str
    kind: ColumnKind
    words: tuple[str, ...] = ()
    codes: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    fill: float | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows ready for a model, with what was odd about them.

    Attributes:
        values: One row a case, one column for each of the preparation's; NaN is missing, a word
            never learned is the number of known words.
        unknown_words: Of each column that had any, rows with a word never learned.
        unreadable: Of each column that had any, rows with infinity, or text instead of a number.
    """

    values: Floats
    unknown_words: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preparation:
    """How tables become rows of numbers, column by column."""

    columns: tuple[PreparedColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns in the order of the values."""
        return tuple(column.name for column in self.columns)

    @property
    def word_counts(self) -> tuple[int, ...]:
        """Return of each column how many words it has; 0 for a number."""
        return tuple(len(column.words) for column in self.columns)

    def only(self, names: Sequence[str]) -> "Preparation":
        """Return the preparation of some columns, in the order of the names."""
        known = {column.name: column for column in self.columns}
        return Preparation(tuple(known[name] for name in names))

    def apply(self, table: FeatureTable) -> Prepared:
        """Return the rows of a table.

        Raises:
            ColumnsMissingError: The table lacks a column.
        """
        if lacking := [name for name in self.names if name not in table.names]:
            raise ColumnsMissingError(*lacking)
        values = np.empty((len(table.values), len(self.columns)), order="F")
        unknown: dict[str, int] = {}
        unreadable: dict[str, int] = {}
        for at, column in enumerate(self.columns):
            if column.kind is ColumnKind.CATEGORY:
                values[:, at], count = _as_positions(table, column)
                counts = unknown
            else:
                values[:, at], count = _as_numbers(table, column)
                counts = unreadable
            if count:
                counts[column.name] = count
        return Prepared(values, unknown, unreadable)

    def to_json(self) -> list[dict[str, Any]]:
        """Return what `from_json` reads."""
        return [
            {**asdict(each), "words": list(each.words), "codes": list(each.codes)}
            for each in self.columns
        ]

    @classmethod
    def from_json(cls, content: Sequence[Mapping[str, Any]]) -> "Preparation":
        """Return the preparation that wrote this."""
        return cls(
            tuple(
                PreparedColumn(
                    **{
                        **each,
                        "kind": ColumnKind(each["kind"]),
                        "words": tuple(each["words"]),
                        "codes": tuple(each["codes"]),
                    }
                )
                for each in content
            )
        )


def fit_preparation(table: FeatureTable, rules: Mapping[str, ColumnRules]) -> Preparation:
    """Return the preparation that the rows of a table make: hand in the training part alone."""
    return Preparation(
        tuple(_learned(table, name, rules.get(name, ColumnRules())) for name in table.names)
    )


def _learned(table: FeatureTable, name: str, rules: ColumnRules) -> PreparedColumn:
    column = table.values[:, table.names.index(name)]
    if name in table.words:
        present = np.unique(column[~np.isnan(column)]).astype(np.intp)
        words = tuple(sorted(table.words[name][at] for at in present))
        return PreparedColumn(name, ColumnKind.CATEGORY, words=words)
    known = column[np.isfinite(column) & ~np.isin(column, rules.codes)]
    low = high = fill = None
    if rules.winsor and len(known):
        low, high = map(float, np.quantile(known, rules.winsor))
    if rules.nulls is NullPolicy.MEDIAN and len(known):
        fill = float(np.median(known))
    codes = tuple(map(float, rules.codes))
    return PreparedColumn(name, ColumnKind.NUMBER, codes=codes, low=low, high=high, fill=fill)


def _as_positions(table: FeatureTable, column: PreparedColumn) -> tuple[Floats, int]:
    """Return positions of known words, and how many rows have others."""
    found = table.values[:, table.names.index(column.name)]
    words = table.words.get(column.name)
    if words is None:
        # The table took the words for numbers, as those of a code 1, 2, 3 look.
        distinct, found = _distinct(found)
        words = tuple(f"{value:.15g}" for value in distinct)
    known = {word: at for at, word in enumerate(column.words)}
    unseen = len(column.words)
    moved = np.array([*(known.get(word, unseen) for word in words), np.nan])
    is_missing = np.isnan(found)
    positions = moved[np.where(is_missing, len(words), found).astype(np.intp)]
    return positions, int((positions == unseen).sum())


def _as_numbers(table: FeatureTable, column: PreparedColumn) -> tuple[Floats, int]:
    """Return numbers within their bounds, and how many rows had something else."""
    found = table.values[:, table.names.index(column.name)]
    if column.name in table.words:
        read = np.array([*map(_number, table.words[column.name]), np.nan])
        is_missing = np.isnan(found)
        found = read[np.where(is_missing, len(read) - 1, found).astype(np.intp)]
        is_odd = ~np.isfinite(found) & ~is_missing
    else:
        is_odd = np.isinf(found)
    found = np.where(np.isfinite(found), found, np.nan)
    if column.low is not None and column.high is not None:
        is_code = np.isin(found, column.codes)
        found = np.where(is_code, found, np.clip(found, column.low, column.high))
    if column.fill is not None:
        found = np.where(np.isnan(found), column.fill, found)
    return found, int(is_odd.sum())


def _distinct(column: Floats) -> tuple[Floats, Floats]:
    is_known = ~np.isnan(column)
    distinct, at = np.unique(column[is_known], return_inverse=True)
    positions = np.full(len(column), np.nan)
    positions[is_known] = at
    return distinct, positions


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return float("nan")
