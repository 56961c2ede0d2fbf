"""Import of customers from a file: read, check, match, apply; safe to run twice."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

import customers
from customers.domain.importing import RowReader
from customers.domain.mapping import FileMapping, MappingError, ValueType, parse_mapping
from customers.domain.tabular import Table, TabularError, open_table
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    ImportBatch,
    ImportMode,
    ImportState,
)
from customers.services.imports_apply import ApplyOrder, apply_all
from customers.services.imports_match import match_in_file
from customers.services.imports_stage import stage
from customers.services.imports_tally import Tally
from loancrm.kernel import access, audit
from loancrm.kernel.access import Actor
from loancrm.kernel.errors import LoanCrmError

PERMISSION: Final = "customers.import_customers"
MAPPINGS: Final = Path(customers.__file__).parent / "mappings"
_CHUNK_BYTES: Final = 1 << 20


class FileRefused(LoanCrmError):
    """The file cannot be read as a table; `facts` hold the reason and the line."""

    code = "file_refused"


class MappingRefused(LoanCrmError):
    """The mapping is missing or wrong; `facts` hold the path."""

    code = "mapping_refused"


class ColumnsMissing(LoanCrmError):
    """The file lacks columns that the mapping names."""

    code = "columns_missing"


class AttributeTypeConflict(LoanCrmError):
    """An attribute exists with another type than the mapping gives it."""

    code = "attribute_type_conflict"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did; `rows = created + updated + unchanged + rejected + merged`."""

    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    merged: int
    by_reason: Mapping[str, int]
    seconds: float
    batch_id: int | None
    unmapped_columns: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the published keys."""
        content = asdict(self)
        del content["batch_id"], content["unmapped_columns"]
        return content


def load_mapping(name_or_path: str) -> FileMapping:
    """Return a mapping that ships with loancrm, by name, or one from a JSON file.

    Raises:
        MappingRefused: There is no such mapping, or it breaks the schema.
    """
    path = Path(name_or_path)
    if path.suffix != ".json":
        path = MAPPINGS / f"{path.name}.json"
    try:
        return parse_mapping(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        names = ", ".join(sorted(item.stem for item in MAPPINGS.glob("*.json")))
        raise MappingRefused(
            _("There is no mapping %(name)s; known are: %(names)s.")
            % {"name": name_or_path, "names": names},
            name=name_or_path,
        ) from error
    except json.JSONDecodeError as error:
        raise MappingRefused(
            _("The mapping is not valid JSON (line %(line)s).") % {"line": error.lineno},
            line=error.lineno,
        ) from error
    except MappingError as error:
        raise MappingRefused(
            _("The mapping is wrong at %(path)s: %(problem)s.")
            % {"path": error.path, "problem": error.problem},
            path=error.path,
            problem=error.problem,
        ) from error


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What is to be imported, and how.

    Attributes:
        source: Name of the source system instead of the mapping's.
        rejects: Where to write every finding as CSV.
        is_dry_run: Decide everything and keep nothing.
    """

    path: Path
    mapping: FileMapping
    source: str = ""
    mode: ImportMode = ImportMode.UPSERT
    rejects: Path | None = None
    is_dry_run: bool = False


def import_customers(
    *, actor: Actor, order: ImportOrder, now: datetime, today: date
) -> ImportReport:
    """Bring the customers of a CSV or XLSX file into the database.

    Rows are staged, matched inside the file and against the database, and applied in batches, each
    in a transaction of its own: a broken run leaves whole batches, and the same file run again does
    the rest.

    Args:
        now: Time that is recorded for everything the import writes.
        today: Day in the company's zone against which birth dates are checked.

    Raises:
        PermissionRefused: The actor may not import.
        FileRefused: The file is no readable table.
        ColumnsMissing: The file lacks mapped columns.
        AttributeTypeConflict: See there.
    """
    access.require(actor, PERMISSION)
    started = time.monotonic()
    mapping = replace(order.mapping, source=order.source or order.mapping.source)
    order = replace(order, mapping=mapping)
    tally = Tally()
    with _told(), open_table(order.path) as table, tally.rejects_file(order.rejects):
        unmapped = mapping.unmapped_columns(table.columns)
        batch_id = _run(actor, order, table, tally, now, today)
    return ImportReport(
        rows=tally.rows,
        created=tally.created,
        updated=tally.updated,
        unchanged=tally.unchanged,
        rejected=tally.rejected,
        merged=tally.merged,
        by_reason=dict(sorted(tally.by_reason.items())),
        seconds=round(time.monotonic() - started, 3),
        batch_id=batch_id,
        unmapped_columns=unmapped,
    )


@contextmanager
def _told() -> Iterator[None]:
    """Tell what is wrong with a file in the user's language."""
    try:
        yield
    except TabularError as error:
        raise FileRefused(
            _("The file cannot be read: %(reason)s (line %(line)s).")
            % {"reason": error.code, "line": error.line or "?"},
            reason=error.code,
            line=error.line,
        ) from error
    except OSError as error:
        raise FileRefused(
            _("The file cannot be read or written: %(reason)s.")
            % {"reason": error.strerror or "?"},
            reason="unreadable",
        ) from error


def _run(
    actor: Actor, order: ImportOrder, table: Table, tally: Tally, now: datetime, today: date
) -> int | None:
    missing = order.mapping.missing_columns(table.columns)
    if missing:
        raise ColumnsMissing(
            _("The file lacks these columns of the mapping: %(columns)s.")
            % {"columns": ", ".join(missing)},
            columns=list(missing),
        )
    definitions, new_definitions = _attribute_definitions(order.mapping)
    batch = ImportBatch.objects.create(
        source=order.mapping.source,
        file_name=order.path.name,
        file_digest=_digest(order.path),
        encoding=table.encoding,
        mapping={"name": order.mapping.name, "priority": order.mapping.priority},
        mode=order.mode,
        is_dry_run=order.is_dry_run,
        actor_label=actor.label,
        created_at=now,
    )
    try:
        reader = RowReader(order.mapping, today=today)
        stage(batch=batch, table=table, reader=reader, tally=tally, now=now)
        _enter(batch, ImportState.MATCHING)
        match_in_file(batch)
        _enter(batch, ImportState.APPLYING)
        apply_all(ApplyOrder(actor, batch, order.mapping, definitions, now), tally)
    except BaseException:
        _enter(batch, ImportState.FAILED)
        raise
    if order.is_dry_run:
        batch.delete()
        _forget_definitions(new_definitions)
        return None
    _finish(actor, batch, tally, reader, now)
    return int(batch.pk)


def _attribute_definitions(
    mapping: FileMapping,
) -> tuple[dict[str, AttributeDefinition], list[str]]:
    """Return the definitions by name, and the names of those that were not there before."""
    wanted = mapping.attribute_types()
    before = _stored_definitions(wanted)
    _refuse_other_types(before, wanted)
    AttributeDefinition.objects.bulk_create(
        [
            AttributeDefinition(name=name, value_type=value_type.value)
            for name, value_type in wanted.items()
            if name not in before
        ],
        # Another import may be making the same ones at this moment.
        ignore_conflicts=True,
    )
    stored = _stored_definitions(wanted)
    _refuse_other_types(stored, wanted)
    return stored, [name for name in wanted if name not in before]


def _refuse_other_types(
    stored: Mapping[str, AttributeDefinition], wanted: Mapping[str, ValueType]
) -> None:
    for name, row in stored.items():
        if row.value_type != wanted[name]:
            raise AttributeTypeConflict(
                _("The attribute %(name)s has the type %(stored)s, the mapping says %(wanted)s.")
                % {"name": name, "stored": row.value_type, "wanted": wanted[name].value},
                name=name,
            )


def _stored_definitions(names: Iterable[str]) -> dict[str, AttributeDefinition]:
    return {row.name: row for row in AttributeDefinition.objects.filter(name__in=list(names))}


def _forget_definitions(names: Sequence[str]) -> None:
    used = AttributeValue.objects.filter(definition__name__in=names).values("definition")
    AttributeDefinition.objects.filter(name__in=names).exclude(pk__in=used).delete()


def _enter(batch: ImportBatch, state: ImportState) -> None:
    ImportBatch.objects.filter(pk=batch.pk).update(state=state)


def _finish(
    actor: Actor, batch: ImportBatch, tally: Tally, reader: RowReader, now: datetime
) -> None:
    scorecard = reader.scorecard
    scorecard.uniqueness.denominator = tally.rows
    scorecard.uniqueness.numerator = tally.rows - tally.merged
    counts = {
        "row_count": tally.rows,
        "created_count": tally.created,
        "updated_count": tally.updated,
        "unchanged_count": tally.unchanged,
        "rejected_count": tally.rejected,
        "merged_count": tally.merged,
    }
    with transaction.atomic():
        ImportBatch.objects.filter(pk=batch.pk).update(
            state=ImportState.DONE,
            by_reason=dict(tally.by_reason),
            quality=scorecard.as_json(),
            finished_at=now,
            **counts,
        )
        audit.record(
            actor=actor,
            action="customers.import",
            object_type="customers.ImportBatch",
            object_id=batch.pk,
            now=now,
            facts={**counts, "mapping": batch.mapping["name"], "file_digest": batch.file_digest},
        )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
