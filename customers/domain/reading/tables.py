"""A file as a table of text cells, whatever format it came in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final

from customers.domain.reading.file_limits import KEPT_CHARS, MAX_CELL_CHARS, MAX_COLUMNS
from customers.domain.values.quality import Code

_SHOWN_CHARS: Final = 60
# Why a file cannot be read; what each means in words is in `customers.labels`.
FILE_PROBLEMS: Final = (
    *("not_a_table", "header_missing", "column_duplicate", "columns_too_many", "rows_too_many"),
    *("file_too_large", "file_damaged", "xml_unsafe", "quote_unclosed", "quotes_unclosed"),
    *("encoding_unsure", "encoding_wrong", "encoding_unsupported", "mapping_invalid"),
    "lines_unaccounted",
)
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
        code: Stable name, one of `FILE_PROBLEMS`.
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
    decides what to do with it. `missing` counts cells that a row of a text file lacks at its end.
    A row with a `flaw` could not be read as a record: it is to be refused for that reason, and its
    values are only what is known of it, for repair. `is_joined` says that a row of a text file was
    read from more than one line of it.
    """

    line: int
    values: Mapping[str, str] = field(repr=False)
    surplus: int = 0
    missing: int = 0
    flaw: Code | None = None
    is_joined: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """An open file. Iterate it once; rows without any text are left out."""

    kind: TableKind
    encoding: str
    columns: tuple[str, ...]
    row_estimate: int
    _records: Iterable[tuple[int, list[str], Code | None]] = field(repr=False)
    _positions: tuple[int, ...] = field(repr=False)

    def __iter__(self) -> Iterator[TabularRow]:
        """Yield the rows in file order.

        Raises:
            TabularError: The rest of the file cannot be read.
        """
        named = tuple(zip(self.columns, self._positions, strict=True))
        width = max(self._positions) + 1
        # Spreadsheets leave empty cells at the end of a row out; text files have them.
        is_text = self.kind is TableKind.CSV
        # Every column has a name, and a row all its cells: the commonest by far.
        is_plain = self._positions == tuple(range(width))
        for line, cells, flaw in self._records:
            count = len(cells)
            is_joined = flaw is Code.LINES_JOINED
            if flaw is not None and not is_joined:
                known = {name: _excerpt(cells, position) for name, position in named}
                yield TabularRow(line, known, flaw=flaw)
                continue
            if not any(cells):
                continue
            if is_plain and count == width:
                values = dict(zip(self.columns, cells, strict=True))
            else:
                values = {
                    name: cells[position] if position < count else "" for name, position in named
                }
            surplus = sum(1 for cell in cells[width:] if cell.strip()) if count > width else 0
            missing = width - count if is_text and count < width else 0
            yield TabularRow(line, values, surplus, missing, is_joined=is_joined)


def _excerpt(cells: Sequence[str], position: int) -> str:
    """Return what is kept of a cell of a row that cannot be read."""
    text = cells[position] if position < len(cells) else ""
    return text[:KEPT_CHARS].replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def named_columns(cells: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the names of a header's columns and their positions; nameless ones are left out.

    Raises:
        TabularError: `header_missing`, `column_duplicate` or `columns_too_many`.
    """
    named = [
        (name, position)
        for position, cell in enumerate(cells)
        if (name := cell.strip().lstrip("\ufeff"))
    ]
    if not named:
        raise TabularError("header_missing", line=1)
    if len(named) > MAX_COLUMNS or len(cells) > MAX_CELL_CHARS:
        raise TabularError("columns_too_many", line=1, most=MAX_COLUMNS)
    names = tuple(name for name, _ in named)
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise TabularError("column_duplicate", line=1, column=name[:_SHOWN_CHARS])
        seen.add(name)
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
