"""A file as a table of text cells, whatever format it came in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final

# A binary double keeps 15 decimal digits: longer whole numbers from a cell have lost some.
_EXACT_FLOAT_LIMIT: Final = 10**15


class TableKind(StrEnum):
    """Kinds of file that can be read as a table."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"
    PARQUET = "parquet"


class TabularError(ValueError):
    """A file cannot be read as a table.

    Attributes:
        code: Stable name: `encoding_unknown`, `not_a_table`, `header_missing`, `column_duplicate`,
            `row_malformed`, `file_too_large`.
        line: Physical line (CSV) or row (XLSX) where reading stopped, when it is known.
        facts: Further facts without personal data.
    """

    def __init__(self, code: str, *, line: int | None = None, **facts: str | int) -> None:
        """Keep the code and where reading stopped."""
        super().__init__(code if line is None else f"{code} (line {line})")
        self.code = code
        self.line = line
        self.facts = facts


@dataclass(frozen=True, slots=True)
class TabularRow:
    """One record: cell texts by column name; missing trailing cells are empty texts.

    `surplus` counts cells beyond the last named column: the row is probably shifted, and its reader
    decides what to do with it.
    """

    line: int
    values: Mapping[str, str] = field(repr=False)
    surplus: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """An open file. Iterate it once; rows without any text are left out."""

    kind: TableKind
    encoding: str
    columns: tuple[str, ...]
    row_estimate: int
    _records: Iterable[tuple[int, list[str]]] = field(repr=False)
    _positions: tuple[int, ...] = field(repr=False)

    def __iter__(self) -> Iterator[TabularRow]:
        """Yield the rows in file order.

        Raises:
            TabularError: `row_malformed` where a record cannot be split into cells.
        """
        named = tuple(zip(self.columns, self._positions, strict=True))
        width = max(self._positions) + 1
        for line, cells in self._records:
            count = len(cells)
            if not any(cells):
                continue
            values = {name: cells[position] if position < count else "" for name, position in named}
            yield TabularRow(line, values, surplus=sum(1 for cell in cells[width:] if cell.strip()))


def named_columns(cells: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the names of a header's columns and their positions; nameless ones are left out.

    Raises:
        TabularError: `header_missing` or `column_duplicate`.
    """
    named = [
        (name, position)
        for position, cell in enumerate(cells)
        if (name := cell.strip().lstrip("\ufeff"))
    ]
    if not named:
        raise TabularError("header_missing", line=1)
    names = tuple(name for name, _ in named)
    for position, name in enumerate(names):
        if name in names[:position]:
            raise TabularError("column_duplicate", line=1, column=name)
    return names, tuple(position for _, position in named)


def cell_text(value: object) -> str:
    """Return the text a person would have typed for a spreadsheet value.

    A whole number that a binary double can no longer hold exactly is written in scientific
    notation, so that checks see that digits were lost instead of a wrong number.
    """
    match value:
        case None:
            text = ""
        case bool():
            text = "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < _EXACT_FLOAT_LIMIT:
            text = str(int(value))
        case float() if value.is_integer():
            text = f"{value:.14E}"
        case datetime() if value.time() == time():
            text = value.date().isoformat()
        case datetime() | date():
            text = value.isoformat()
        case _:
            text = str(value)
    return text
