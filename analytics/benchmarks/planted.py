"""People with thirty columns and a planted risk, for benchmarks of models."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable

COLUMNS = 30
_CATEGORIES = 4
_WORDS = tuple(f"word_{at}" for at in range(12))
_AT_ONCE = 50_000
SEED = 20240601
NAMES = tuple(f"feature_{at}" for at in range(COLUMNS))


def blocks(count: int) -> Iterator[tuple[FeatureTable, npt.NDArray[np.float64]]]:
    """Yield so many rows in blocks, each with its outcomes: 26 numbers and 4 categories."""
    for first in range(0, count, _AT_ONCE):
        rng = np.random.default_rng((SEED, first))
        size = min(_AT_ONCE, count - first)
        values = rng.normal(size=(size, COLUMNS)).round(6)
        values[:, -_CATEGORIES:] = rng.integers(0, len(_WORDS), (size, _CATEGORIES))
        raw = -1.5 + values[:, :8] @ np.linspace(0.6, 0.1, 8) + (values[:, -1] % 3 == 0)
        raw += 0.5 * values[:, 8] * values[:, 9]
        outcome = (rng.random(size) < 1 / (1 + np.exp(-raw))).astype(np.float64)
        gaps = rng.random((size, COLUMNS - _CATEGORIES)) < 0.05
        values[:, :-_CATEGORIES][gaps] = np.nan
        words = dict.fromkeys(NAMES[-_CATEGORIES:], _WORDS)
        yield FeatureTable(np.arange(first, first + size), NAMES, values, words), outcome


def whole(count: int) -> tuple[FeatureTable, npt.NDArray[np.float64]]:
    """Return so many rows as one table, with their outcomes."""
    parts = list(blocks(count))
    values = np.asfortranarray(np.concatenate([table.values for table, _outcome in parts]))
    table = FeatureTable(np.arange(count), NAMES, values, parts[0][0].words)
    return table, np.concatenate([outcome for _table, outcome in parts])


def write_csv(path: Path, count: int) -> None:
    """Write so many rows as a CSV file with a header, block by block."""
    import pyarrow as pa  # noqa: PLC0415 - loaded where a file is written
    from pyarrow import csv as pa_csv  # noqa: PLC0415 - as above

    kinds = [pa.float64()] * (COLUMNS - _CATEGORIES) + [pa.string()] * _CATEGORIES
    schema = pa.schema(list(zip(NAMES, kinds, strict=True)))
    with path.open("wb") as stream, pa_csv.CSVWriter(stream, schema) as writer:
        for table, _outcome in blocks(count):
            columns = [
                pa.array(table.values[:, at], from_pandas=True)
                for at in range(COLUMNS - _CATEGORIES)
            ]
            for at in range(COLUMNS - _CATEGORIES, COLUMNS):
                chosen = np.array(_WORDS)[table.values[:, at].astype(np.intp)]
                columns.append(pa.array(chosen.tolist(), pa.string()))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
