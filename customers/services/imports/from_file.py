"""Import of customers from a file: read, check, match, apply; safe to run twice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from customers.domain.imports.mapping import FileMapping
from customers.domain.reading.tabular import Table, TabularError, open_table
from customers.models import ImportBatch, ImportMode, ImportState
from customers.problem_labels import file_problem
from customers.services.imports.definitions import AttributeTypeConflict
from customers.services.imports.pipeline import (
    PERMISSION,
    ColumnsMissing,
    FileRefused,
    GateClosed,
    carry_out,
    file_digest,
    new_batch,
    prepare,
    require_columns,
    told,
)
from customers.services.imports.runs import CLAIM, Run
from customers.services.imports.tally import Tally
from customers.services.sources.mappings import MappingRefused, load_mapping
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.database import shared_clock
from loancrm.kernel.database.errors import trouble_of, words_of
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

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
    access.require(actor, PERMISSION)
    started = time.monotonic()
    mapping = replace(order.mapping, source=order.source or order.mapping.source)
    tally = Tally()
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
        _kept_refusals(batch, now),
        told(),
        open_table(order.path, encoding=order.encoding) as table,
        tally.rejects_file(order.rejects),
    ):
        batch.file_digest = file_digest(order.path)
        batch_id = _import_table(
            actor=actor,
            batch=batch,
            table=table,
            path=order.path,
            tally=tally,
            now=now,
            today=today,
        )
        unmapped = mapping.unmapped_columns(table.columns)
    return ImportReport(
        **{name: getattr(tally, name) for name in _COUNTS},
        by_reason=dict(sorted(tally.by_reason.items())),
        seconds=round(time.monotonic() - started, 3),
        batch_id=batch_id,
        unmapped_columns=unmapped,
    )


@contextmanager
def _kept_refusals(batch: ImportBatch, now: datetime) -> Iterator[None]:
    """Keep an import whose file was refused before anything of it was stored, with its reason."""
    try:
        yield
    except (FileRefused, ColumnsMissing) as error:
        is_stored = ImportBatch.objects.filter(pk=batch.pk).exists()
        if not is_stored and not batch.is_dry_run:
            batch.state, batch.finished_at = ImportState.FAILED, now
            batch.problem = error.message
            batch.save()
        raise


def _problem(error: BaseException) -> str:
    """Return in words why an import ended; empty where its limits stopped it, which are shown."""
    if isinstance(error, GateClosed):
        return ""
    if isinstance(error, LoanCrmError):
        return error.message
    if isinstance(error, TabularError):
        return file_problem(error)
    trouble = trouble_of(error)
    return words_of(trouble) if trouble else _("An error occurred; see the log.")


def _import_table(
    *,
    actor: Actor,
    batch: ImportBatch,
    table: Table,
    path: Path,
    tally: Tally,
    now: datetime,
    today: date,
) -> int | None:
    """Bring an open table in at once, without interruption; return the batch, None after a check.

    Raises:
        GateClosed: The rows are worse than the limits allow; nothing was applied.
    """
    run = Run(int(batch.pk or 0), started_at=now)
    with transaction.atomic():
        work = prepare(actor=actor, batch=batch, run=run, tally=tally, today=today)
        require_columns(table, work.mapping)
        batch.encoding = table.encoding
        batch.run_key, batch.run_until = run.key, shared_clock.now() + CLAIM
        batch.save()
    run.batch_id = int(batch.pk)
    try:
        carry_out(work, table=table, path=path)
    except BaseException as error:
        state = ImportState.STOPPED if isinstance(error, GateClosed) else ImportState.FAILED
        run.give_up(state=state, problem=_problem(error))
        raise
    return None if batch.is_dry_run else int(batch.pk)
