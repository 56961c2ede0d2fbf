"""Train a model from a CSV file and apply one to a CSV file; no customer is touched."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable, rows_of
from analytics.domain.modelling import csv_tables, training
from analytics.domain.modelling.csv_tables import CsvRefusedError, CsvShape
from analytics.domain.modelling.learners import NoFeatureLeftError
from analytics.domain.modelling.preprocessing import ColumnKind
from analytics.domain.modelling.splits import TooFewRowsError
from analytics.domain.modelling.trained import (
    ModelChangedError,
    ModelFormatError,
    ScoredRows,
    TrainedModel,
    dump_model,
    load_model,
)
from analytics.domain.modelling.training import OutcomeUnknownError, TrainingSpec
from analytics.services.modelling.errors import (
    ModelColumnsMissing,
    ModelFileRefused,
    ModelNotTrainable,
    TargetUnknown,
    refused_table,
)
from loancrm.kernel.words.phrases import gettext as _

SCORED_COLUMNS = ("row", "probability", "points", "band", "reasons")
REASON_MARK = " | "


@dataclass(frozen=True, slots=True)
class FileTraining:
    """A model of a file.

    Attributes:
        rows_without_target: Rows that were left out, since nobody knows what came of them.
    """

    model: TrainedModel
    rows_without_target: int


@dataclass
class FileScoring:
    """How many rows were scored, and what was odd: by column, rows with unknown words or text."""

    rows: int = 0
    unknown_words: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)


def train_file(
    *, path: Path, target: str, positive: str, spec: TrainingSpec, time_column: str = ""
) -> FileTraining:
    """Return a model of a file's rows.

    Args:
        target: The column to be predicted; the event is its value `positive`.
        time_column: The column that says when a row was; then the test is the last in time, and
            the column is no feature. Numbers, or texts that sort by time such as 2026-01-31.

    Raises:
        TableFileRefused: The file is no table.
        TargetUnknown: A column is not there, or the target never has the value.
        ModelNotTrainable: The rows do not make a model.
    """
    try:
        table = csv_tables.read_table(path, csv_tables.shape_of(path))
    except CsvRefusedError as error:
        raise refused_table(error) from error
    for name in (target, *spec.excluded, *((time_column,) if time_column else ())):
        if name not in table.names:
            raise TargetUnknown(
                _("There is no column “%(name)s”. There are: %(names)s.")
                % {"name": name, "names": ", ".join(table.names)[:250]}
            )
    is_known = ~np.isnan(table.values[:, table.names.index(target)])
    kept = rows_of(table, is_known)
    outcome = _outcome(kept, target, positive)
    times = _times(kept, time_column) if time_column else None
    excluded = tuple(
        dict.fromkeys((target, *((time_column,) if time_column else ()), *spec.excluded))
    )
    asked = replace(spec, target=target, positive=positive, excluded=excluded)
    try:
        model = training.fit(kept, outcome, asked, times=times)
    except (OutcomeUnknownError, TooFewRowsError, NoFeatureLeftError) as error:
        raise ModelNotTrainable(_untrainable(error)) from error
    return FileTraining(model, int((~is_known).sum()))


def write_model_file(model: TrainedModel, path: Path) -> None:
    """Write a model as plain JSON with its digest; the file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(dump_model(model), encoding="utf-8")
    part.replace(path)


def read_model_file(path: Path) -> TrainedModel:
    """Return the model of a file.

    Raises:
        ModelFileRefused: The file is no model, or was changed after it was written.
    """
    try:
        return load_model(path.read_text(encoding="utf-8"))
    except (ModelFormatError, UnicodeDecodeError) as error:
        raise ModelFileRefused(_("The file is no model of loancrm.")) from error
    except ModelChangedError as error:
        raise ModelFileRefused(
            _("The model is not what its digest says: it was changed and is not used.")
        ) from error


def score_file(
    *, model: TrainedModel, path: Path, out: Path, block_bytes: int = csv_tables.BLOCK_BYTES
) -> FileScoring:
    """Write probability, points, band and reasons of every row of a file, in its order.

    Rows are read, scored and written block by block: memory does not grow with the file. The result
    is there whole or not at all.

    Raises:
        TableFileRefused: The file is no table.
        ModelColumnsMissing: It lacks columns of the model.
    """
    found = FileScoring()
    part = out.with_name(f"{out.name}.part")
    try:
        shape = _shape_for(model, path)
        with part.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerow(SCORED_COLUMNS)
            for table in _blocks(model, path, shape, block_bytes):
                scored = model.score(table)
                _write(stream, model, scored, first=found.rows + 1)
                found.rows += len(scored.points)
                found.unknown_words.update(scored.unknown_words)
                found.unreadable.update(scored.unreadable)
        part.replace(out)
    except CsvRefusedError as error:
        raise refused_table(error) from error
    finally:
        part.unlink(missing_ok=True)
    return found


def summary_of(trained: FileTraining) -> Mapping[str, Any]:
    """Return what a command prints of a training: each figure as value, low and high."""
    model = trained.model
    result = model.to_json()["result"]
    information = {each.name: each.information for each in model.bins}
    test = result["test"]
    return {
        "kind": model.kind.value,
        **{name: test[name] for name in ("auc", "ks", "gini", "brier", "log_loss")},
        "calibration": {"method": model.calibrator.method.value, **result["calibration"]},
        "features": [{"name": n, "information": information[n]} for n in model.features],
        "dropped": [
            {"name": entry.feature, "reason": entry.reason.value, "figure": entry.figure,
             "bound": entry.bound, "other": entry.other}
            for entry in model.selection
            if not entry.is_chosen
        ],
        "bands": result["bands"],
        "score_stability": result["score_stability"],
        "rows": {
            "training": model.facts["rows"],
            "test": test["rows"],
            "without_target": trained.rows_without_target,
        },
        "is_out_of_time": model.facts["is_out_of_time"],
        "digest": model.digest,
    }  # fmt: skip


def _outcome(table: FeatureTable, target: str, positive: str) -> npt.NDArray[np.float64]:
    column = table.values[:, table.names.index(target)]
    if target in table.words:
        words = table.words[target]
        value = float(words.index(positive)) if positive in words else np.nan
    else:
        try:
            value = float(positive)
        except ValueError:
            value = np.nan
    outcome = np.asarray(column == value, dtype=np.float64)
    if not outcome.any():
        raise TargetUnknown(
            _("No row has “%(value)s” in the column “%(name)s”.")
            % {"value": positive[:100], "name": target}
        )
    return outcome


def _times(table: FeatureTable, name: str) -> npt.NDArray[Any]:
    """Return what rows are sorted by; a text sorts as it stands, a missing time comes first."""
    column = table.values[:, table.names.index(name)]
    is_missing = np.isnan(column)
    if name not in table.words:
        return np.where(is_missing, -np.inf, column)
    words = table.words[name]
    ranks = np.array([*np.argsort(np.argsort(np.array(words))), -1], dtype=np.float64)
    return ranks[np.where(is_missing, len(words), column).astype(np.intp)]


def _untrainable(error: ValueError) -> str:
    if isinstance(error, OutcomeUnknownError):
        return _("All rows have the same outcome.")
    if isinstance(error, TooFewRowsError):
        return _("There are too few rows of each outcome to learn from and to test on.")
    return _("No column says anything about the outcome.")


def _shape_for(model: TrainedModel, path: Path) -> CsvShape:
    shape = csv_tables.shape_of(path)
    if lacking := [name for name in model.features if name not in shape.names]:
        raise ModelColumnsMissing(
            _("The file lacks columns of the model: %(names)s.")
            % {"names": ", ".join(lacking)[:250]},
            columns=lacking,
        )
    return shape


def _blocks(
    model: TrainedModel, path: Path, shape: CsvShape, block_bytes: int
) -> Iterator[FeatureTable]:
    kinds = {column.name: column.kind for column in model.preparation.columns}
    return csv_tables.stream_tables(
        path,
        shape,
        numbers=[name for name, kind in kinds.items() if kind is ColumnKind.NUMBER],
        categories=[name for name, kind in kinds.items() if kind is ColumnKind.CATEGORY],
        block_bytes=block_bytes,
    )


def _write(stream: IO[str], model: TrainedModel, scored: ScoredRows, *, first: int) -> None:
    names, bands = model.features, model.bands.names
    distinct, at = np.unique(scored.reasons, axis=0, return_inverse=True)
    texts = [REASON_MARK.join(names[each] for each in row if each >= 0) for row in distinct]
    csv.writer(stream).writerows(
        zip(
            range(first, first + len(at)),
            scored.probability.tolist(),
            scored.points.tolist(),
            map(bands.__getitem__, scored.band.tolist()),
            map(texts.__getitem__, at.ravel().tolist()),
            strict=True,
        )
    )
