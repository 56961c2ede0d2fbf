"""Files with one JSON object a line, as records of text cells."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any, Final

from customers.domain.reading import file_limits as limits
from customers.domain.reading.tables import Table, TableKind, TabularError, cell_text
from customers.domain.values.quality import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from customers.domain.reading.csv_text import Record

_ESCAPE: Final = "\\u"


def json_table(stream: IO[str], encoding: str) -> Table:
    """Return the objects of a file with one JSON object a line; columns are all keys, in turn.

    The file is read once for the keys, and again row by row. A line that is no object is refused
    by itself, unless it is the first: then the file is something else.

    Raises:
        TabularError: `not_a_table`, `header_missing` for a nameless key, `columns_too_many`.
    """
    columns: dict[str, int] = {}
    count = 0
    for line, record, _flaw in _objects(stream):
        if record is None:
            if not count:
                raise TabularError("not_a_table", line=line)
            continue
        count += 1
        for name in record:
            if not name.strip():
                raise TabularError("header_missing", line=line)
            columns.setdefault(name, len(columns))
        if len(columns) > limits.MAX_COLUMNS:
            raise TabularError("columns_too_many", line=line, most=limits.MAX_COLUMNS)
    stream.seek(0)
    names = tuple(columns)
    return Table(
        TableKind.JSONL, encoding, names, count, _records(stream, names), tuple(columns.values())
    )


def _records(stream: IO[str], names: tuple[str, ...]) -> Iterator[Record]:
    for line, record, flaw in _objects(stream):
        if record is None:
            yield line, [], flaw
            continue
        cells = [_text(record.get(name)) for name in names]
        yield line, cells, _flaw(cells)


def _objects(stream: IO[str]) -> Iterator[tuple[int, dict[str, Any] | None, Code | None]]:
    """Yield (line, object, None), or (line, None, what is wrong with the line)."""
    line = 0
    while text := stream.readline(limits.MAX_LINE_CHARS + 1):
        line += 1
        rest = text
        while len(rest) > limits.MAX_LINE_CHARS and not rest.endswith("\n"):
            rest = stream.readline(limits.MAX_LINE_CHARS + 1)
        if len(text) > limits.MAX_LINE_CHARS:
            yield line, None, Code.ROW_TOO_LONG
        elif text.strip():
            record = _object(text)
            is_whole = record is not None and "\x00" not in text and "\ufffd" not in text
            yield line, record if is_whole else None, None if is_whole else Code.ROW_MALFORMED


def _object(text: str) -> dict[str, Any] | None:
    try:
        # Numbers stay as they are written: a binary double would lose digits of long ones.
        record = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not _is_flat(record, limits.MAX_JSON_DEPTH):
        return None
    # Escaped halves of characters are valid JSON and no text at all.
    if _ESCAPE in text and any(not _is_text(name) for name in record):
        return None
    return record


def _is_flat(value: object, depth: int) -> bool:
    """Return whether a value nests no deeper than allowed."""
    if isinstance(value, dict):
        return depth > 0 and all(_is_flat(item, depth - 1) for item in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_flat(item, depth - 1) for item in value)
    return True


def _flaw(cells: list[str]) -> Code | None:
    joined = "".join(cells)
    if not _is_text(joined):
        return Code.TEXT_BINARY
    too_long = len(joined) > limits.MAX_CELL_CHARS and max(map(len, cells)) > limits.MAX_CELL_CHARS
    return Code.CELL_TOO_LONG if too_long else None


def _is_text(text: str) -> bool:
    """Return whether a text holds neither NUL nor halves of characters, which no database takes."""
    return "\x00" not in text and not any("\ud800" <= mark <= "\udfff" for mark in text)


def _text(value: object) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return cell_text(value)
