"""Rows of CSV, XLSX, JSON-lines and Parquet files, one at a time, as text with their line numbers.

The encoding of a CSV file is decided by reading it once from end to end (UTF-8, UTF-8 with BOM,
UTF-16 with BOM, GB18030), so a file whose first Chinese character stands in the last line is still
read right. Nothing is held in memory beyond the current row.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import zipfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

from openpyxl import load_workbook

from customers.domain.parquet import is_parquet, open_parquet
from customers.domain.tables import (
    Table,
    TableKind,
    TabularError,
    TabularRow,
    cell_text,
    named_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "Table",
    "TableKind",
    "TabularError",
    "TabularRow",
    "cell_text",
    "detect_encoding",
    "open_table",
]

_CHUNK_BYTES: Final = 1 << 20
_DELIMITERS: Final = (",", ";", "\t", "|")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAX_UNPACKED_BYTES: Final = 4 << 30
_MAX_FIELD_CHARS: Final = 1 << 17
_MAX_JSON_KEYS: Final = 2_000


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
        encoding: Python name of the encoding of a CSV file; found out when None.
        delimiter: Separator of a CSV file; the commonest of `, ; tab |` in the header when None.
        sheet: Name of the sheet of an XLSX file; the first when None.

    Raises:
        TabularError: The file is not a table; see there for the codes.
        OSError: The file cannot be opened.
    """
    if _is_zip(path):
        with _open_xlsx(path, sheet) as table:
            yield table
    elif is_parquet(path):
        with open_parquet(path) as table:
            yield table
    else:
        found, line_count = (encoding, 0) if encoding else detect_encoding(path)
        with _open_text(path, found) as stream:
            is_json = stream.read(1) == "{"
            stream.seek(0)
            if is_json:
                yield _json_table(stream, found)
            else:
                yield _csv_table(stream, found, delimiter, line_count)


def detect_encoding(path: Path) -> tuple[str, int]:
    """Return the encoding of a text file and its number of lines, reading all of it.

    Raises:
        TabularError: `encoding_unknown` (with the first line that no supported encoding can read),
            `not_a_table` for binary content.
    """
    with _open_bytes(path) as stream:
        head = stream.read(4)
    for bom, name in _BOMS:
        if head.startswith(bom):
            failed, lines = _try_decode(path, name)
            if failed is not None:
                raise TabularError("encoding_unknown", line=failed)
            return name, lines
    failures = []
    for name in ("utf-8", "gb18030"):
        failed, lines = _try_decode(path, name)
        if failed is None:
            return name, lines
        failures.append(failed)
    raise TabularError("encoding_unknown", line=max(failures))


def _try_decode(path: Path, encoding: str) -> tuple[int | None, int]:
    """Return (first line that does not decode or None, number of lines read)."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines = 0
    with _open_bytes(path) as stream:
        while True:
            chunk = stream.read(_CHUNK_BYTES)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return lines + error.object[: error.start].count(b"\n") + 1, lines
            if "\x00" in text:
                raise TabularError("not_a_table", line=lines + 1)
            lines += text.count("\n")
            if not chunk:
                return None, lines


def _csv_table(stream: IO[str], encoding: str, delimiter: str | None, line_count: int) -> Table:
    header_line = stream.readline()
    stream.seek(0)
    csv.field_size_limit(_MAX_FIELD_CHARS)
    reader = csv.reader(stream, delimiter=delimiter or _sniff_delimiter(header_line))
    records = _csv_records(reader)
    header = next(records, None)
    columns, positions = named_columns(header[1] if header else [])
    return Table(TableKind.CSV, encoding, columns, max(line_count - 1, 0), records, positions)


def _csv_records(reader: Any) -> Iterator[tuple[int, list[str]]]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise TabularError("row_malformed", line=line) from error
        if cells:
            yield line, cells


def _json_table(stream: IO[str], encoding: str) -> Table:
    """Return the objects of a file with one JSON object a line; columns are all keys, in turn.

    The file is read once for the keys, and again row by row.
    """
    columns: dict[str, int] = {}
    count = 0
    for line, record in _json_objects(stream):
        count += 1
        for name in record:
            if not name.strip():
                raise TabularError("header_missing", line=line)
            columns.setdefault(name, len(columns))
        if len(columns) > _MAX_JSON_KEYS:
            raise TabularError("not_a_table", line=line)
    stream.seek(0)
    names = tuple(columns)
    records = (
        (line, [_json_text(record.get(name)) for name in names])
        for line, record in _json_objects(stream)
    )
    return Table(TableKind.JSONL, encoding, names, count, records, tuple(columns.values()))


def _json_objects(stream: IO[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(stream, start=1):
        if not text.strip():
            continue
        try:
            # Numbers stay as they are written: a binary double would lose digits of long ones.
            record = json.loads(text, parse_float=str, parse_int=str)
        except (ValueError, RecursionError) as error:
            raise TabularError("row_malformed", line=line) from error
        if not isinstance(record, dict):
            raise TabularError("row_malformed", line=line)
        yield line, record


def _json_text(value: object) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return cell_text(value)


def _sniff_delimiter(header_line: str) -> str:
    return max(_DELIMITERS, key=lambda mark: (header_line.count(mark), -_DELIMITERS.index(mark)))


@contextmanager
def _open_xlsx(path: Path, sheet: str | None) -> Iterator[Table]:
    _refuse_zip_bomb(path)
    try:
        # Values, never formulas: a formula's stored result is what its author saw.
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise TabularError("not_a_table") from error
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise TabularError("not_a_table", sheet=sheet)
        page: Any = book[sheet] if sheet is not None else book.worksheets[0]
        estimate = int(page.max_row or 1) - 1
        # Writers other than Excel often store wrong dimensions, which would cut rows off.
        page.reset_dimensions()
        records = (
            (line, [cell_text(value) for value in cells])
            for line, cells in enumerate(page.iter_rows(values_only=True), start=1)
        )
        header = next(records, None)
        columns, positions = named_columns(header[1] if header else [])
        yield Table(TableKind.XLSX, "xlsx", columns, estimate, records, positions)
    finally:
        book.close()


def _is_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


def _refuse_zip_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except zipfile.BadZipFile as error:
        raise TabularError("not_a_table") from error
    if unpacked > _MAX_UNPACKED_BYTES:
        raise TabularError("file_too_large", bytes=unpacked)


@contextmanager
def _open_bytes(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not zipped:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as unpacked:
            yield io.BufferedReader(unpacked)


@contextmanager
def _open_text(path: Path, encoding: str) -> Iterator[IO[str]]:
    with (
        _open_bytes(path) as stream,
        io.TextIOWrapper(stream, encoding=encoding, newline="") as text,
    ):
        yield text
