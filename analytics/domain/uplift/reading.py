"""Make a trial of the rows of a file: which cell is a treatment, an outcome, a number or a word."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.domain.features import FeatureTable
from analytics.domain.uplift.trial import Flags, Trial
from analytics.domain.uplift.vocabulary import TrialProblem

# A column of more different words says who somebody is, not what they are like.
MOST_WORDS = 50
_YES = frozenset({"1", "1.0", "true", "yes", "y", "t", "treated", "treatment", "是"})
_NO = frozenset({"0", "0.0", "false", "no", "n", "f", "none", "control", "holdout", "否", "对照"})
_CONTROL_STARTS = ("no ", "no-", "control", "holdout", "hold-out", "对照", "留出")


class TrialFileError(ValueError):
    """A file is no trial; names the line and the column where it is one cell's fault."""

    def __init__(self, problem: TrialProblem, *, column: str = "", line: int = 0) -> None:
        """Keep what is wrong, and where."""
        super().__init__(problem.value)
        self.problem, self.column, self.line = problem, column, line


@dataclass(frozen=True, slots=True)
class TrialColumns:
    """Which columns mean what.

    Attributes:
        treated: The cell of the treated; empty where yes and no, or a control group, is plain.
        outcome_value: The cell of those with the outcome; empty where yes and no is plain.
        features: Only these columns; empty for all that are left.
        dropped: Not these.
        identifier: Column that breaks ties between equal scores; empty for the row's number.
    """

    treatment: str
    outcome: str
    treated: str = ""
    outcome_value: str = ""
    features: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class ReadTrial:
    """A trial and what was left out of it.

    Attributes:
        treated_word: The cell that was read as treated.
        left_out: {column: why}.
    """

    trial: Trial
    treated_word: str
    left_out: dict[str, str]


def read_trial(rows: Iterable[tuple[int, Mapping[str, Any]]], columns: TrialColumns) -> ReadTrial:
    """Return the trial that the rows of a file describe.

    Args:
        rows: (line, {column: cell}).

    Raises:
        TrialFileError: A column is missing, a cell of treatment or outcome cannot be read, there is
            one group only, or no column is left.
    """
    listed = list(rows)
    if not listed:
        raise TrialFileError(TrialProblem.NO_ROWS)
    names = [str(name) for name in listed[0][1] if name]
    wanted = (columns.treatment, columns.outcome, *columns.features, *columns.dropped)
    for name in (*wanted, *filter(None, (columns.identifier,))):
        if name not in names:
            raise TrialFileError(TrialProblem.COLUMN_MISSING, column=name)
    if columns.treatment == columns.outcome:
        raise TrialFileError(TrialProblem.COLUMN_TWICE, column=columns.treatment)
    treated, word = _flags(listed, columns.treatment, columns.treated)
    outcome, _word = _flags(listed, columns.outcome, columns.outcome_value)
    own = {columns.treatment, columns.outcome, columns.identifier, *columns.dropped}
    chosen = [name for name in columns.features or names if name not in own]
    table, left_out = _table(listed, chosen, _ids(listed, columns.identifier))
    if not table.names:
        raise TrialFileError(TrialProblem.NO_FEATURE)
    return ReadTrial(Trial(table, treated, outcome), word, left_out)


def _flags(
    rows: Sequence[tuple[int, Mapping[str, Any]]], column: str, yes: str
) -> tuple[Flags, str]:
    cells = [_text(row.get(column)) for _line, row in rows]
    for (line, _row), cell in zip(rows, cells, strict=True):
        if not cell:
            raise TrialFileError(TrialProblem.CELL_EMPTY, column=column, line=line)
    words = list(dict.fromkeys(cells))
    if yes and yes not in words:
        raise TrialFileError(TrialProblem.WORD_UNKNOWN, column=column)
    if len(words) > 2:
        third = next(
            line for (line, _row), cell in zip(rows, cells, strict=True) if cell == words[2]
        )
        raise TrialFileError(TrialProblem.NOT_TWO_WORDS, column=column, line=third)
    if len(words) < 2:
        raise TrialFileError(TrialProblem.ONE_GROUP, column=column)
    chosen = yes or _yes_of(words)
    if not chosen:
        raise TrialFileError(TrialProblem.UNCLEAR_WHICH, column=column)
    return np.array([cell == chosen for cell in cells], dtype=bool), chosen


def _yes_of(words: Sequence[str]) -> str:
    """Return which of two words means yes; empty where that is not plain."""
    for word, other in (words, words[::-1]):
        is_no = other.casefold() in _NO or other.casefold().startswith(_CONTROL_STARTS)
        is_also_no = word.casefold() in _NO or word.casefold().startswith(_CONTROL_STARTS)
        if (word.casefold() in _YES or is_no) and not is_also_no:
            return word
    return ""


def _ids(rows: Sequence[tuple[int, Mapping[str, Any]]], column: str) -> list[int]:
    """Return the places of the rows by their identifier: numbers by size, else words by letter."""
    if not column:
        return list(range(len(rows)))
    cells = [_text(row.get(column)) for _line, row in rows]
    keys: list[Any] = [(len(cell), cell) if cell.isdigit() else (1 << 30, cell) for cell in cells]
    order = sorted(range(len(rows)), key=lambda at: (keys[at], at))
    places = [0] * len(rows)
    for place, at in enumerate(order):
        places[at] = place
    return places


def _table(
    rows: Sequence[tuple[int, Mapping[str, Any]]], names: Sequence[str], ids: Sequence[int]
) -> tuple[FeatureTable, dict[str, str]]:
    kept: list[str] = []
    columns: list[list[float]] = []
    words: dict[str, tuple[str, ...]] = {}
    left_out: dict[str, str] = {}
    for name in names:
        cells = [_text(row.get(name)) for _line, row in rows]
        numbers = _numbers(cells)
        if numbers is None:
            counts = Counter(cell for cell in cells if cell)
            if len(counts) > MOST_WORDS:
                left_out[name] = "too_many_words"
                continue
            words[name] = tuple(sorted(counts))
            code = {word: float(at) for at, word in enumerate(words[name])}
            numbers = [code.get(cell, float("nan")) for cell in cells]
        if len(set(cells)) < 2:
            left_out[name] = "same_for_all"
            words.pop(name, None)
            continue
        kept.append(name)
        columns.append(numbers)
    values = np.array(columns, dtype=np.float64).T.reshape(len(rows), len(kept))
    return FeatureTable(np.array(ids, dtype=np.int64), tuple(kept), values, words), left_out


def _numbers(cells: Sequence[str]) -> list[float] | None:
    """Return the cells as numbers, empty ones as NaN; None where one is a word."""
    found = []
    for cell in cells:
        try:
            number = float(cell) if cell else float("nan")
        except ValueError:
            return None
        if np.isinf(number):
            return None
        found.append(number)
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
