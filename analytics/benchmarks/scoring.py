"""Scoring a million rows of 30 columns, read and written, against bare predictions and COPY."""

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connection

from analytics.benchmarks import planted
from analytics.domain.features import FeatureTable
from analytics.domain.modelling.boosting_fit import BoostingParameters
from analytics.domain.modelling.learners import LearningRules, ModelKind
from analytics.domain.modelling.trained import TrainedModel
from analytics.domain.modelling.training import TrainingSpec, fit
from analytics.services.modelling import files
from loancrm.kernel.commands import bench
from loancrm.kernel.commands.bench import BenchGoal, BenchReport

FULL = 1_000_000
MIN_ROWS = 2_000
_LEARNED = 20_000
_TABLE = "bench_scored"
_TREES = BoostingParameters(rounds=100)


def run(*, scale: float, rounds: int) -> BenchReport:
    """Measure a file that is read, scored and loaded into a table, by both kinds of models.

    A baseline reads the same file at once, predicts with scikit-learn (a logistic regression, the
    same number of trees) and loads the row and its probability. Ours gives points, band and
    reasons too. Only ours is watched for its memory.

    Args:
        scale: 1 is 1,000,000 rows.
    """
    started = time.monotonic()
    count = max(MIN_ROWS, int(FULL * scale))
    table, outcome = planted.whole(_LEARNED)
    peaks: list[float] = []
    own: dict[ModelKind, list[float]] = {kind: [] for kind in ModelKind}
    theirs: dict[ModelKind, list[float]] = {kind: [] for kind in ModelKind}
    with tempfile.TemporaryDirectory(prefix="loancrm-bench-") as folder:
        source, out = Path(folder) / "people.csv", Path(folder) / "scored.csv"
        planted.write_csv(source, count)
        for kind in ModelKind:
            model = _model(kind, table, outcome)
            bare = _bare_model(kind, table, outcome)
            for _round in range(rounds):
                with bench.peak_memory(0.2) as peak:
                    own[kind].append(_timed(partial(_own, model, source, out)))
                peaks.append(peak[0])
                theirs[kind].append(_timed(partial(_bare, bare, source, out)))
    ratios = {
        f"ratio_{kind.value}": round(bench.median(theirs[kind]) / bench.median(own[kind]), 3)
        for kind in ModelKind
    }
    return BenchReport(
        name="scoring",
        scale=scale,
        seconds=time.monotonic() - started,
        ratios=ratios,
        figures={
            "rows": count,
            "columns": planted.COLUMNS,
            "own_seconds": {kind.value: bench.median(own[kind]) for kind in ModelKind},
            "bare_seconds": {kind.value: bench.median(theirs[kind]) for kind in ModelKind},
            "peak_mb": round(max(peaks), 1),
        },
        goals=(
            *(BenchGoal(name, 0.5) for name in ratios),
            BenchGoal("peak_mb", 1500, at_least=False),
        ),
        memory_mb=max(peaks),
    )


def _own(model: TrainedModel, source: Path, out: Path) -> int:
    found = files.score_file(model=model, path=source, out=out)
    return _load(
        out,
        "row_number bigint, probability float8, points float8, band text, reasons text",
        found.rows,
    )


def _bare(model: Any, source: Path, out: Path) -> int:
    import pyarrow as pa  # noqa: PLC0415 - loaded where a file is read
    from pyarrow import csv as pa_csv  # noqa: PLC0415 - as above

    found = pa_csv.read_csv(source)
    columns = []
    for name in planted.NAMES:
        column = found.column(name)
        if pa.types.is_string(column.type):
            column = column.combine_chunks().dictionary_encode().indices
        columns.append(column.to_numpy().astype(np.float64))
    probability = model.predict_proba(np.column_stack(columns))[:, 1]
    rows = np.arange(1, len(probability) + 1)
    pa_csv.write_csv(pa.table({"row_number": rows, "probability": probability}), out)
    return _load(out, "row_number bigint, probability float8", len(rows))


def _load(out: Path, columns: str, count: int) -> int:
    """Load a file into a new table; every row of it must arrive."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_TABLE}")
        cursor.execute(f"CREATE TABLE {_TABLE} ({columns})")
        if connection.vendor == "postgresql":
            with (
                out.open("rb") as stream,
                cursor.copy(f"COPY {_TABLE} FROM STDIN (FORMAT csv, HEADER)") as copy,
            ):
                while block := stream.read(1 << 20):
                    copy.write(block)
        else:
            marks = ", ".join(["%s"] * (columns.count(",") + 1))
            cursor.executemany(f"INSERT INTO {_TABLE} VALUES ({marks})", list(_lines(out)))  # noqa: S608 - our table
        cursor.execute(f"SELECT count(*) FROM {_TABLE}")  # noqa: S608 - our table
        (loaded,) = cursor.fetchone()
        cursor.execute(f"DROP TABLE {_TABLE}")
    if loaded != count:
        msg = f"{loaded} of {count} rows arrived"
        raise AssertionError(msg)
    return int(loaded)


def _lines(out: Path) -> Iterator[list[str]]:
    lines = out.read_text(encoding="utf-8").splitlines()[1:]
    return (line.split(",") for line in lines)


def _model(kind: ModelKind, table: FeatureTable, outcome: Any) -> TrainedModel:
    learning = LearningRules(boosting=_TREES)
    return fit(table, outcome, TrainingSpec(kind=kind, seed=planted.SEED, learning=learning))


def _bare_model(kind: ModelKind, table: FeatureTable, outcome: Any) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - only where measured
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - as above
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as above
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - as above
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415 - as above

    if kind is ModelKind.SCORECARD:
        steps = (SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())
        return make_pipeline(*steps).fit(table.values, outcome)
    return HistGradientBoostingClassifier(
        learning_rate=_TREES.learning_rate,
        max_iter=_TREES.rounds,
        max_leaf_nodes=_TREES.max_leaves,
        min_samples_leaf=_TREES.min_leaf_rows,
        early_stopping=False,
        random_state=planted.SEED,
    ).fit(table.values, outcome)


def _timed(work: Callable[[], Any]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started
