"""Import of customers from a file: read, check, match, apply; safe to run twice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from django.db import DatabaseError, transaction

from customers.domain.imports.mapping import FileMapping
from customers.domain.imports.states import ImportMode
from customers.domain.reading.tabular import Table, TabularError, open_table
from customers.labels.problems import file_problem
from customers.models import ImportBatch
from customers.services.imports.counts import ImportCounts
from customers.services.imports.definitions import AttributeTypeConflict
from customers.services.imports.pipeline import (
    PERMISSION,
    ColumnsMissing,
    FileRefused,
    GateClosed,
    file_digest,
    new_batch,
    prepare,
    require_columns,
    run_steps,
    translate_error,
)
from customers.services.imports.runs import ImportRun, begin_run, start_work
from customers.services.sources.mappings import MappingRefused, load_mapping
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.database.errors import trouble_of, words_of
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work.claims import ClaimLost

__all__ = [
    "PERMISSION",
    "AttributeTypeConflict",
    "ColumnsMissing",
    "FileRefused",
    "GateClosed",
    "ImportOrder",
    "ImportReport",
    "MappingRefused",
    "import_customers",
    "load_mapping",
]

_COUNTS: Final = ("rows", "created", "updated", "unchanged", "rejected", "merged")


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


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What is to be imported, and how.

    Attributes:
        source: Name of the source system instead of the mapping's.
        rejects: Where to write every finding as CSV.
        is_dry_run: Decide everything and keep nothing.
        limits: Largest share (0..1) of rows with a finding, by code, beside the mapping's own.
        encoding: Of a text file; found out where it is certain when empty.
    """

    path: Path
    mapping: FileMapping
    source: str = ""
    mode: ImportMode = ImportMode.UPSERT
    rejects: Path | None = None
    is_dry_run: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    encoding: str = ""


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
        SourceUnknown: The source is not registered, and only registered ones may hand in data.
        SourceBarred: The source's contract is not in force.
        ColumnsMissing: The file lacks mapped columns.
        AttributeTypeConflict: See there.
        GateClosed: The file is worse than the limits allow; nothing was applied.
    """
    act = acting(actor, PERMISSION, now=now)
    started = time.monotonic()
    mapping = replace(order.mapping, source=order.source or order.mapping.source)
    counts = ImportCounts()
    batch = new_batch(
        actor=actor,
        mapping=mapping,
        now=now,
        file_name=order.path.name,
        mode=order.mode,
        is_dry_run=order.is_dry_run,
        limits=order.limits,
    )
    with (
        _recorded_refusals(actor, batch, now),
        translate_error(),
        open_table(order.path, encoding=order.encoding) as table,
        counts.rejects_file(order.rejects, whole_after=GateClosed),
    ):
        batch.file_digest = file_digest(order.path)
        batch_id = _import_table(
            act,
            batch=batch,
            table=table,
            path=order.path,
            counts=counts,
            today=today,
        )
        unmapped = mapping.unmapped_columns(table.columns)
    return ImportReport(
        **{name: getattr(counts, name) for name in _COUNTS},
        by_reason=dict(sorted(counts.by_reason.items())),
        seconds=round(time.monotonic() - started, 3),
        batch_id=batch_id,
        unmapped_columns=unmapped,
    )


@contextmanager
def _recorded_refusals(actor: Actor, batch: ImportBatch, now: datetime) -> Iterator[None]:
    """Keep an import whose file was refused before anything of it was stored, with its reason."""
    try:
        yield
    except (FileRefused, ColumnsMissing) as error:
        is_stored = ImportBatch.objects.filter(pk=batch.pk).exists()
        if not is_stored and not batch.is_dry_run:
            with transaction.atomic():
                _store(actor, batch, now).fail(error.message)
        raise


def _store(actor: Actor, batch: ImportBatch, now: datetime) -> ImportRun:
    """Store a batch and take its work, in the caller's transaction."""
    batch.work = start_work(actor=actor, batch=batch, now=now, is_background=False)
    batch.pk = None
    batch.save()
    run = begin_run(int(batch.pk), now=now)
    assert run is not None  # noqa: S101 - nobody else has seen it
    return run


def _problem(error: BaseException) -> str:
    """Return in words why an import ended."""
    if isinstance(error, LoanCrmError):
        return error.message
    if isinstance(error, TabularError):
        return file_problem(error)
    trouble = trouble_of(error)
    return words_of(trouble) if trouble else _("An error occurred; see the log.")


def _import_table(
    act: Act,
    *,
    batch: ImportBatch,
    table: Table,
    path: Path,
    counts: ImportCounts,
    today: date,
) -> int | None:
    """Bring an open table in at once, without interruption; return the batch, None after a check.

    Raises:
        GateClosed: The rows are worse than the limits allow; nothing was applied.
    """
    with act:
        batch.encoding = table.encoding
        run = _store(act.actor, batch, act.now)
        context = prepare(actor=act.actor, batch=batch, run=run, counts=counts, today=today)
        require_columns(table, context.mapping)
        run.save_checkpoint(is_further=False)
        # Its pages and its end tell the trail.
        act.counted_elsewhere()
    try:
        # A single step may take longer than a claim lasts.
        with run.claim.renewing():
            run_steps(context, table=table, path=path)
    except GateClosed:
        run.stop()
        raise
    except BaseException as error:
        with suppress(ClaimLost, DatabaseError):
            run.fail(_problem(error))
        raise
    return None if batch.is_dry_run else int(batch.pk)
