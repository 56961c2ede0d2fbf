"""Rows of CSV, XLSX, JSON-lines and Parquet files, one at a time, as text with their line numbers.

Nothing is held in memory beyond the current row, or record of several lines. A row that cannot be
read is yielded with its flaw, so that every line of a file is accounted for.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from customers.domain.reading import file_limits as limits
from customers.domain.reading.csv_text import accounted, read_records
from customers.domain.reading.encodings import TextFacts, open_bytes, text_facts
from customers.domain.reading.json_lines import json_table
from customers.domain.reading.parquet import is_parquet, open_parquet
from customers.domain.reading.tables import (
    Table,
    TableKind,
    TabularError,
    TabularRow,
    cell_text,
    named_columns,
)
from customers.domain.reading.workbook import is_zip, open_workbook
from customers.domain.values.quality import Code

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "Table",
    "TableKind",
    "TabularError",
    "TabularRow",
    "cell_text",
    "open_table",
]

_DELIMITERS: Final = (",", ";", "\t", "|")


@contextmanager
def open_table(
    path: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Iterator[Table]:
    """Open a CSV (also `.csv.gz`) or XLSX file with a header line, JSON lines or a Parquet file.

    Args:
        path: The file; its content, not its name, says which kind it is.
        encoding: Python name of the encoding of a text file; found out when None or empty.
        delimiter: Separator of a CSV file; the commonest of `, ; tab |` in the header when None.
        sheet: Name of the sheet of an XLSX file; the first when None.

    Raises:
        TabularError: The file is not a table, is too large, or its encoding is not certain; see
            there for the codes.
        OSError: The file cannot be opened.
    """
    if is_zip(path):
        with open_workbook(path, sheet) as table:
            yield table
    elif is_parquet(path):
        with open_parquet(path) as table:
            yield table
    else:
        facts = text_facts(path, encoding or None)
        with _open_text(path, facts) as stream:
            if _is_json(stream):
                yield json_table(stream, facts.encoding)
            else:
                yield _csv_table(stream, facts, delimiter)


def _csv_table(stream: IO[str], facts: TextFacts, delimiter: str | None) -> Table:
    header_line = stream.readline(limits.MAX_LINE_CHARS)
    stream.seek(0)
    mark = delimiter or _sniff_delimiter(header_line)
    records = accounted(
        read_records(stream, mark, is_damaged=facts.unreadable > 0), line_count=facts.line_count
    )
    header = next(records, None)
    if header is not None and header[2] not in {None, Code.LINES_JOINED}:
        is_long = header[2] is Code.ROW_TOO_LONG
        code = "columns_too_many" if is_long else "not_a_table"
        raise TabularError(code, line=header[0], most=limits.MAX_COLUMNS)
    columns, positions = named_columns(header[1] if header else [])
    estimate = max(facts.line_count - 1, 0)
    return Table(TableKind.CSV, facts.encoding, columns, estimate, records, positions)


def _is_json(stream: IO[str]) -> bool:
    """Return whether a file begins with a JSON object or list; the stream stands at its top."""
    first = stream.read(limits.MAX_CELL_CHARS).lstrip("\ufeff \t\r\n").partition("\n")[0].strip()
    stream.seek(0)
    # Some databases write the names of columns in square brackets.
    return first.startswith("{") or first == "[" or (first.startswith("[") and first[-1] in "],")


def _sniff_delimiter(header_line: str) -> str:
    return max(_DELIMITERS, key=lambda mark: (header_line.count(mark), -_DELIMITERS.index(mark)))


@contextmanager
def _open_text(path: Path, facts: TextFacts) -> Iterator[IO[str]]:
    errors = "replace" if facts.unreadable else "strict"
    with (
        open_bytes(path) as stream,
        io.TextIOWrapper(stream, encoding=facts.encoding, errors=errors, newline="") as text,
    ):
        yield text
