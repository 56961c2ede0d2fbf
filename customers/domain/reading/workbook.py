"""The first sheet of an XLSX file as records of text cells."""

from __future__ import annotations

import re
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import ParseError

from customers.domain.reading import file_limits as limits
from customers.domain.reading.tables import Table, TableKind, TabularError, cell_text, named_columns
from customers.domain.values.quality import Code

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from customers.domain.reading.csv_text import Record

_XML: Final = (".xml", ".rels", ".vml")
# Sheets are read piece by piece, everything else is held in memory whole.
_SHEET: Final = re.compile(r"^xl/worksheets/[^/]+\.xml$", re.IGNORECASE)
# Of a row that is refused for its width.
_SHOWN_CELLS: Final = 100
_PROLOGUE_BYTES: Final = 1 << 16
_DOCTYPE: Final = re.compile(rb"<!\s*DOCTYPE|<!ENTITY", re.IGNORECASE)


def is_zip(path: Path) -> bool:
    """Return whether a file says of itself that it is a ZIP archive, as XLSX files are."""
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


@contextmanager
def open_workbook(path: Path, sheet: str | None) -> Iterator[Table]:
    """Open a sheet of an XLSX file.

    Raises:
        TabularError: `not_a_table`, `file_too_large`, `xml_unsafe` for a document type definition,
            whose entities could grow without bounds or name other files.
    """
    # Most processes never read a workbook; loading the package takes each a quarter of a second.
    from openpyxl import load_workbook  # noqa: PLC0415

    try:
        _inspect(path)
        # Values, never formulas: a formula's stored result is what its author saw.
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except TabularError:
        raise
    except _broken() as error:
        raise TabularError("not_a_table") from error
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise TabularError("not_a_table", sheet=sheet)
        yield _table(book, sheet)
    finally:
        book.close()


def _broken() -> tuple[type[Exception], ...]:
    """Return what openpyxl raises for archives and XML that are no workbook, or a damaged one."""
    from openpyxl.utils.exceptions import (  # noqa: PLC0415 - as above
        InvalidFileException,
        ReadOnlyWorkbookException,
    )

    return (
        *(KeyError, ValueError, TypeError, IndexError, AttributeError, OSError, EOFError),
        *(zipfile.BadZipFile, zlib.error, ParseError, NotImplementedError, RuntimeError),
        *(InvalidFileException, ReadOnlyWorkbookException, OverflowError),
    )


def _table(book: Any, sheet: str | None) -> Table:
    if not book.worksheets:
        raise TabularError("not_a_table")
    page: Any = book[sheet] if sheet is not None else book.worksheets[0]
    estimate = min(max(int(page.max_row or 1) - 1, 0), limits.MAX_SHEET_ROWS)
    # Writers other than Excel often store wrong dimensions, which would cut rows off.
    page.reset_dimensions()
    records = _records(page)
    header = next(records, None)
    columns, positions = named_columns(header[1] if header else [])
    return Table(TableKind.XLSX, "xlsx", columns, estimate, records, positions)


def _records(page: Any) -> Iterator[Record]:
    line = 0
    try:
        for line, values in enumerate(page.iter_rows(values_only=True), start=1):
            if line > limits.MAX_SHEET_ROWS:
                break
            if len(values) > limits.MAX_COLUMNS and line > 1:
                # One far cell makes sixteen thousand of every row: none of them is looked at.
                yield line, [cell_text(value) for value in values[:_SHOWN_CELLS]], Code.ROW_TOO_LONG
                continue
            cells = [cell_text(value) for value in values]
            yield line, cells, _flaw(cells)
    except _broken() as error:
        raise TabularError("file_damaged", line=line + 1) from error
    if line > limits.MAX_SHEET_ROWS:
        raise TabularError("rows_too_many", line=line, most=limits.MAX_SHEET_ROWS)


def _flaw(cells: list[str]) -> Code | None:
    joined = "".join(cells)
    if "\x00" in joined:
        return Code.TEXT_BINARY
    too_long = len(joined) > limits.MAX_CELL_CHARS and max(map(len, cells)) > limits.MAX_CELL_CHARS
    return Code.CELL_TOO_LONG if too_long else None


def _inspect(path: Path) -> None:
    """Refuse archives that unpack beyond all bounds and XML with a document type definition."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > limits.MAX_UNPACKED_BYTES:
            raise TabularError("file_too_large", most=limits.MAX_UNPACKED_BYTES)
        for part in parts:
            if not part.filename.lower().endswith(_XML):
                continue
            if part.file_size > limits.MAX_XML_PART_BYTES and not _SHEET.match(part.filename):
                raise TabularError("file_too_large", most=limits.MAX_XML_PART_BYTES)
            with archive.open(part) as stream:
                # UTF-16 has a NUL beside every letter.
                if _DOCTYPE.search(stream.read(_PROLOGUE_BYTES).replace(b"\x00", b"")):
                    raise TabularError("xml_unsafe")
