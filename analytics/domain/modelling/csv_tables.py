"""CSV files as tables of features: separator, header and kinds of columns are found out.

Nothing of a file's content goes into an error: a line number is enough to look it up.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable

if TYPE_CHECKING:
    import pyarrow as pa

Floats = npt.NDArray[np.float64]
# What stands for a missing value. "none" and "unknown" are answers.
MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "-nan", "null", "NULL", "?", ".")
# A column is of numbers where at least this share of its known cells are.
_NUMBERS_SHARE = 0.98
_DELIMITERS = (",", ";", "\t", "|", " ")
_HEAD_BYTES = 65_536
BLOCK_BYTES = 4 << 20


class CsvRefusedError(ValueError):
    """A file cannot be read as a table.

    Attributes:
        reason: `empty`, `one_column`, `ragged`, `names_twice`, `not_text`.
        facts: Line, names and counts that explain it.
    """

    def __init__(self, reason: str, **facts: object) -> None:
        """Keep the reason and the facts."""
        super().__init__(reason)
        self.reason = reason
        self.facts = facts


@dataclass(frozen=True, slots=True)
class CsvShape:
    """How a file is written.

    Attributes:
        names: Of the columns; `column_1` and so on where the file has no header.
    """

    delimiter: str
    has_header: bool
    names: tuple[str, ...]
    encoding: str


def shape_of(path: Path) -> CsvShape:
    """Return how a file is written.

    A first line with a number in it, or with a name missing, is no header.

    Raises:
        CsvRefusedError: The file is empty, is no text, has one column or a name twice.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    text, encoding = _decoded(head)
    lines = text.splitlines()
    if not lines or not text.strip():
        raise CsvRefusedError("empty")
    # The last line may be cut.
    whole = lines if len(head) < _HEAD_BYTES else lines[:-1]
    delimiter = _delimiter(whole[0])
    first = next(csv.reader(whole, delimiter=delimiter))
    if len(first) < 2:
        raise CsvRefusedError("one_column")
    cells = [cell.strip() for cell in first]
    has_header = all(cells) and not any(_is_number(cell) or cell in MISSING for cell in cells)
    names = tuple(cells) if has_header else tuple(f"column_{at + 1}" for at in range(len(first)))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CsvRefusedError("names_twice", names=twice)
    return CsvShape(delimiter, has_header, names, encoding)


def read_table(path: Path, shape: CsvShape) -> FeatureTable:
    """Return a whole file; a column is of numbers where nearly all its cells are.

    Cells of such a column that are no numbers are missing.

    Raises:
        CsvRefusedError: A line has more or fewer cells than the first, or there are no rows.
    """
    columns: dict[str, list[Any]] = {name: [] for name in shape.names}
    for batch in _batches(path, shape):
        for name, column in zip(shape.names, batch.columns, strict=True):
            columns[name].append(column)
    if not columns[shape.names[0]]:
        raise CsvRefusedError("empty")
    import pyarrow as pa  # noqa: PLC0415 - loaded with the first file

    found = {name: pa.chunked_array(parts).combine_chunks() for name, parts in columns.items()}
    return _table({name: _found_out(column) for name, column in found.items()}, first=0)


def stream_tables(
    path: Path,
    shape: CsvShape,
    *,
    numbers: Sequence[str],
    categories: Sequence[str],
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[FeatureTable]:
    """Yield a file in blocks of rows with the columns asked for, of kinds that are known.

    Memory does not grow with the file. Text in a column of numbers makes it one of words in that
    block, so that whoever prepares it can count what is unreadable.

    Raises:
        CsvRefusedError: A line has more or fewer cells than the first.
    """
    first = 0
    wanted = {*numbers, *categories}
    only = [name for name in shape.names if name in wanted]
    for batch in _batches(path, shape, only=only, block_bytes=block_bytes):
        read = {}
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            read[name] = _numbers(column) if name in numbers else _words(column)
        yield _table(read, first=first)
        first += batch.num_rows


def _batches(
    path: Path,
    shape: CsvShape,
    *,
    only: Sequence[str] | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator["pa.RecordBatch"]:
    import pyarrow as pa  # noqa: PLC0415 - loaded with the first file
    from pyarrow import csv as pa_csv  # noqa: PLC0415 - as above

    ragged: list[Any] = []

    def note(row: Any) -> str:
        ragged.append(row)
        return "error"

    try:
        reader = pa_csv.open_csv(
            path,
            read_options=pa_csv.ReadOptions(
                use_threads=False,
                block_size=block_bytes,
                column_names=list(shape.names),
                skip_rows=int(shape.has_header),
                encoding=shape.encoding,
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=shape.delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in shape.names},
                null_values=list(MISSING),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                include_columns=list(only) if only is not None else None,
            ),
        )
        yield from reader
    except pa.ArrowInvalid as error:
        if ragged:
            row = ragged[0]
            line = row.number
            raise CsvRefusedError(
                "ragged", line=line, expected=row.expected_columns, found=row.actual_columns
            ) from error
        raise CsvRefusedError("empty" if "Empty" in str(error) else "not_text") from error


def _found_out(column: "pa.Array") -> tuple[Floats, tuple[str, ...] | None]:
    """Return a column as numbers where nearly all of it are, else as positions of words."""
    positions, words = _words(column)
    is_word = np.array([not _is_number(word) for word in words or ()], dtype=bool)
    known = positions[~np.isnan(positions)].astype(np.intp)
    odd = int(is_word[known].sum()) if len(known) else 0
    if not len(known) or odd > (1 - _NUMBERS_SHARE) * len(known):
        return positions, words if len(known) else None
    read = np.array([*(float(w) if _is_number(w) else np.nan for w in words or ()), np.nan])
    last = len(read) - 1
    return read[np.where(np.isnan(positions), last, positions).astype(np.intp)], None


def _numbers(column: "pa.Array") -> tuple[Floats, tuple[str, ...] | None]:
    """Return a column as numbers; where one of its cells is none, as positions of words."""
    import pyarrow as pa  # noqa: PLC0415 - loaded with the first file

    try:
        read = column.cast(pa.float64())
    except pa.ArrowInvalid:
        return _words(column)
    return read.to_numpy(zero_copy_only=False).astype(np.float64), None


def _words(column: "pa.Array") -> tuple[Floats, tuple[str, ...] | None]:
    """Return positions of a column's words, NaN where there is none; and the words."""
    encoded = column.dictionary_encode()
    found = encoded.indices.to_numpy(zero_copy_only=False).astype(np.float64)
    raw = [str(word) for word in encoded.dictionary.to_pylist()]
    words = tuple(dict.fromkeys(word.strip() for word in raw))
    moved = {word: float(at) for at, word in enumerate(words)}
    targets = np.array(
        [*(np.nan if w.strip() in MISSING else moved[w.strip()] for w in raw), np.nan]
    )
    at = np.where(np.isnan(found), len(raw), found).astype(np.intp)
    return targets[at], words


def _table(
    columns: Mapping[str, tuple[Floats, tuple[str, ...] | None]], *, first: int
) -> FeatureTable:
    count = len(next(iter(columns.values()))[0]) if columns else 0
    values = np.empty((count, len(columns)), order="F")
    for at, (column, _words_of) in enumerate(columns.values()):
        values[:, at] = column
    return FeatureTable(
        customer_ids=np.arange(first, first + count),
        names=tuple(columns),
        values=values,
        words={name: words for name, (_column, words) in columns.items() if words is not None},
    )


def _decoded(head: bytes) -> tuple[str, str]:
    """Return the head of a file as text, and its encoding: UTF-8, else GB 18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        for cut in range(4):
            try:
                text = head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\x00" in text:
                break
            return text, "utf8" if encoding == "utf-8-sig" else encoding
    raise CsvRefusedError("not_text")


def _delimiter(line: str) -> str:
    """Return what separates the cells of a line: the commonest mark outside quotation marks."""
    bare = "".join(line.split('"')[::2])
    counts = {mark: bare.count(mark) for mark in _DELIMITERS[:-1]}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else " "


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
