"""Rows of Parquet files, read a batch at a time, as the text a CSV file of them would hold."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from customers.domain.reading.file_limits import (
    MAX_CELL_CHARS,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_UNPACKED_BYTES,
)
from customers.domain.reading.tables import Table, TableKind, TabularError, cell_text, named_columns
from customers.domain.values.quality import Code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from customers.domain.reading.csv_text import Record

_MAGIC: Final = b"PAR1"
_BATCH_ROWS: Final = 2_000


def is_parquet(path: Path) -> bool:
    """Return whether a file says of itself that it is a Parquet file."""
    with path.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


@contextmanager
def open_parquet(path: Path) -> Iterator[Table]:
    """Open a Parquet file; its rows are numbered as if a header stood in line 1.

    Only one batch of rows is in memory, whatever the size of the row groups.

    Raises:
        TabularError: `not_a_table` for a damaged file, `rows_too_many`, `file_too_large`, and while
            reading `file_damaged` for a page that cannot be read.
    """
    # It takes a tenth of a second to load, which nothing else here should wait for.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    try:
        file = parquet.ParquetFile(path, memory_map=True, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise TabularError("not_a_table") from error
    with file:
        _refuse_too_large(file.metadata)
        columns, positions = named_columns(file.schema_arrow.names)
        yield Table(
            TableKind.PARQUET,
            "parquet",
            columns,
            file.metadata.num_rows,
            _records(file, pa.ArrowException),
            positions,
        )


def _records(file: Any, failure: type[Exception]) -> Iterator[Record]:
    line = 1
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            columns = [_values(column, failure) for column in batch.columns]
            for values in zip(*columns, strict=True):
                line += 1
                yield line, *_cells(values)
    except (failure, OSError, ValueError) as error:
        raise TabularError("file_damaged", line=line + 1) from error


def _values(column: Any, failure: type[Exception]) -> list[Any]:
    """Return the cells of a column; where one is no text, all as bytes."""
    try:
        values: list[Any] = column.to_pylist()
    except (failure, UnicodeDecodeError):
        values = column.cast("binary").to_pylist()
    return values


def _cells(values: Sequence[Any]) -> tuple[list[str], Code | None]:
    try:
        cells = [_text(value) for value in values]
    except UnicodeDecodeError:
        return [_shown(value) for value in values], Code.TEXT_UNREADABLE
    joined = "".join(cells)
    if "\x00" in joined:
        return cells, Code.TEXT_BINARY
    too_long = len(joined) > MAX_CELL_CHARS and max(map(len, cells)) > MAX_CELL_CHARS
    return cells, Code.CELL_TOO_LONG if too_long else None


def _refuse_too_large(metadata: Any) -> None:
    """Refuse by what the file says of itself: a few bytes can stand for any number of rows."""
    if metadata.num_rows > MAX_ROWS:
        raise TabularError("rows_too_many", most=MAX_ROWS)
    if metadata.num_columns > MAX_COLUMNS:
        raise TabularError("columns_too_many", most=MAX_COLUMNS)
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) > MAX_UNPACKED_BYTES:
        raise TabularError("file_too_large", most=MAX_UNPACKED_BYTES)


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else _text(value)


def _text(value: Any) -> str:
    match value:
        case bytes():
            # Some writers do not mark their texts as texts.
            return value.decode("utf-8")
        case list() | dict() | tuple():
            return json.dumps(value, ensure_ascii=False, default=cell_text)
        case _:
            return cell_text(value)
