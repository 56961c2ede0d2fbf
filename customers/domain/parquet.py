"""Rows of Parquet files, read a batch at a time, as the text a CSV file of them would hold."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from customers.domain.tables import Table, TableKind, TabularError, cell_text, named_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

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
        TabularError: `not_a_table` for a damaged file, `row_malformed` while reading for a page or
            a binary cell that cannot be read.
    """
    # It takes a tenth of a second to load, which nothing else here should wait for.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    try:
        file = parquet.ParquetFile(path, memory_map=True, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise TabularError("not_a_table") from error
    with file:
        columns, positions = named_columns(file.schema_arrow.names)
        yield Table(
            TableKind.PARQUET,
            "parquet",
            columns,
            file.metadata.num_rows,
            _records(file, pa.ArrowException),
            positions,
        )


def _records(file: Any, failure: type[Exception]) -> Iterator[tuple[int, list[str]]]:
    line = 1
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            columns = [column.to_pylist() for column in batch.columns]
            for values in zip(*columns, strict=True):
                line += 1
                yield line, _cells(values)
    except (failure, OSError, ValueError) as error:
        raise TabularError("row_malformed", line=line) from error


def _cells(values: Sequence[Any]) -> list[str]:
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    match value:
        case bytes():
            # Some writers do not mark their texts as texts.
            return value.decode("utf-8")
        case list() | dict() | tuple():
            return json.dumps(value, ensure_ascii=False, default=cell_text)
        case _:
            return cell_text(value)
