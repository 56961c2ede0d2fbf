"""The steps of an import, from wherever its batch stands to its end: read, match, gate, apply."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from django.db import transaction

from customers.domain.imports.importing import RowReader
from customers.domain.imports.mapping import FileMapping
from customers.domain.reading.tabular import Table, TabularError
from customers.domain.values.quality import Code, exceeded_limits
from customers.labels import finding
from customers.models import (
    AttributeDefinition,
    ImportBatch,
    ImportMode,
    ImportRow,
    ImportState,
)
from customers.problem_labels import file_problem
from customers.services.imports.definitions import attribute_definitions, forget_definitions
from customers.services.imports.files import forget_file
from customers.services.imports.runs import Run
from customers.services.imports.steps.apply import ApplyOrder, apply_all
from customers.services.imports.steps.known import keep_known
from customers.services.imports.steps.lone import apply_lone
from customers.services.imports.steps.match import match_in_file
from customers.services.imports.steps.stage import stage
from customers.services.imports.tally import Tally
from customers.services.sources import registry
from customers.services.sources.file_names import remembered_name
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.processes.memory import few_collections
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.words.system_words import system_words

PERMISSION: Final = "customers.import_customers"
_CHUNK_BYTES: Final = 1 << 20


class FileRefused(LoanCrmError):
    """The file cannot be read as a table; `facts` hold the reason and the line."""

    code = "file_refused"


class ColumnsMissing(LoanCrmError):
    """The file lacks columns that the mapping names."""

    code = "columns_missing"


class GateClosed(LoanCrmError):
    """The file is worse than its limits allow; nothing of it was applied."""

    code = "quality_gate_closed"


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that the steps of one run share."""

    actor: Actor
    batch: ImportBatch
    run: Run
    mapping: FileMapping
    definitions: Mapping[str, AttributeDefinition]
    new_definitions: list[str]
    reader: RowReader
    tally: Tally


def new_batch(
    *,
    actor: Actor,
    mapping: FileMapping,
    now: datetime,
    file_name: str,
    mode: ImportMode,
    is_dry_run: bool,
    limits: Mapping[str, float],
) -> ImportBatch:
    """Return a batch, not yet stored, that knows its mapping in full."""
    return ImportBatch(
        source=mapping.source,
        file_name=remembered_name(file_name),
        mapping=batch_mapping(mapping),
        mode=mode,
        is_dry_run=is_dry_run,
        limits={**mapping.limits, **limits},
        state=ImportState.STAGING,
        actor_label=actor.label,
        created_at=now,
    )


def batch_mapping(mapping: FileMapping) -> dict[str, Any]:
    """Return what a batch remembers of its mapping: all of it, whatever becomes of the name."""
    return {
        "name": mapping.name,
        "content": msgspec.to_builtins(mapping),
    }


def stored_mapping(batch: ImportBatch) -> FileMapping:
    """Return the mapping that a batch was read with."""
    return msgspec.convert(batch.mapping["content"], FileMapping)


def prepare(*, actor: Actor, batch: ImportBatch, run: Run, tally: Tally, today: date) -> Work:
    """Return the work of a batch with the figures of its checkpoint.

    Defines the attributes that are new and notes them in the checkpoint: the caller stores that in
    the same transaction, so that whoever comes after a kill knows what a check has to remove.

    Raises:
        SourceUnknown: The source is not registered, and only registered ones may hand in data.
        SourceBarred: The source's contract is not in force.
        AttributeTypeConflict: See there.
    """
    mapping = stored_mapping(batch)
    terms = registry.admit(
        actor=actor, name=mapping.source, now=run.started_at, is_dry_run=batch.is_dry_run
    )
    definitions, new = attribute_definitions(mapping)
    reader = RowReader(mapping, today=today, zone=clock.company_zone(), purposes=terms.purposes)
    if "tally" in batch.checkpoint:
        tally.restore(batch.checkpoint["tally"])
        reader.scorecard.restore(batch.checkpoint["card"])
    batch.checkpoint.setdefault("new_definitions", new)
    made = batch.checkpoint["new_definitions"]
    return Work(actor, batch, run, mapping, definitions, made, reader, tally)


def require_columns(table: Table, mapping: FileMapping) -> None:
    """Refuse a table without the columns that its mapping needs.

    Raises:
        ColumnsMissing: Some are not there.
    """
    missing = mapping.missing_columns(table.columns)
    if missing:
        raise ColumnsMissing(
            _("The file lacks these columns of the mapping: %(columns)s.")
            % {"columns": ", ".join(missing)},
            columns=list(missing),
        )


def carry_out(work: Work, *, table: Table | None = None, path: Path | None = None) -> None:
    """Do what is left to do of a batch, step by step.

    Args:
        table: The file's rows; needed only while they are not yet all staged.
        path: The file itself, from which some rows may have to be read a second time.

    Raises:
        GateClosed: The rows are worse than the limits allow; nothing was applied.
        RowsUnbalanced: Rows of the file have gone astray.
        RunInterrupted: Somebody asked to stop, or the run's time is up.
        RunLost: Another worker took over.
    """
    with few_collections():
        _steps(work, table, path)


def _steps(work: Work, table: Table | None, path: Path | None) -> None:
    batch = work.batch
    if (
        table is not None
        and path is not None
        and batch.state in {ImportState.QUEUED, ImportState.STAGING}
    ):
        _enter(work, ImportState.STAGING, row_estimate=table.row_estimate)
        stage(run=work.run, batch=batch, table=table, reader=work.reader, tally=work.tally)
        work.tally.unchanged = keep_known(batch=batch, path=path, reader=work.reader)
        batch.checkpoint["tally"] = work.tally.as_json()
        _enter(work, ImportState.MATCHING, done_count=0)
    if batch.state == ImportState.MATCHING:
        work.tally.row_codes[Code.DUPLICATE.value] = match_in_file(batch, work.run)
        batch.checkpoint |= {"tally": work.tally.as_json(), "card": _card(work)}
        _gate(work)
        _enter(work, ImportState.APPLYING, done_count=0)
    order = ApplyOrder(
        work.actor, batch, work.mapping, work.definitions, work.run.started_at, work.run
    )
    apply_lone(order, work.tally)
    apply_all(order, work.tally)
    _finish(work)


def forget_check(batch: ImportBatch, definitions: Sequence[str]) -> None:
    """Remove what a check has stored on its way, in the caller's transaction."""
    ImportRow.objects.filter(batch=batch).delete()
    forget_definitions(definitions)


@contextmanager
def told() -> Iterator[None]:
    """Tell what is wrong with a file in the user's language."""
    try:
        yield
    except TabularError as error:
        raise FileRefused(
            _("The file cannot be read: %(reason)s.") % {"reason": file_problem(error)},
            reason=error.code,
            line=error.line,
            **error.facts,
        ) from error
    except OSError as error:
        raise FileRefused(
            _("The file cannot be read or written: %(reason)s.") % {"reason": system_words(error)},
            reason="unreadable",
        ) from error


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _enter(work: Work, state: ImportState, **fields: Any) -> None:
    work.batch.checkpoint["step"] = state.value
    work.run.keep(state=state, checkpoint=work.batch.checkpoint, **fields)
    work.batch.state = state


def _card(work: Work) -> dict[str, object]:
    uniqueness = work.reader.scorecard.uniqueness
    followers = work.tally.row_codes[Code.DUPLICATE.value]
    uniqueness.denominator = work.tally.rows
    uniqueness.numerator = work.tally.rows - followers
    return work.reader.scorecard.as_json()


def _gate(work: Work) -> None:
    batch, tally = work.batch, work.tally
    found = exceeded_limits(batch.limits, tally.row_codes, rows=tally.rows, rejected=tally.rejected)
    exceeded = [asdict(item) for item in found]
    work.run.keep(
        exceeded=exceeded,
        checkpoint=batch.checkpoint,
        quality=batch.checkpoint["card"],
        by_reason=dict(tally.by_reason),
        **tally.counts(),
    )
    if found and not batch.is_released:
        raise GateClosed(
            _("The file is worse than its limits allow (%(codes)s). Nothing was changed.")
            % {"codes": "; ".join(finding(item.code) for item in found)},
            codes=[item.code for item in found],
        )


def _finish(work: Work) -> None:
    batch, tally = work.batch, work.tally
    tally.require_balance()
    scorecard = work.reader.scorecard
    scorecard.uniqueness.denominator = tally.rows
    scorecard.uniqueness.numerator = tally.rows - tally.merged
    counts = tally.counts()
    now = work.run.started_at
    with transaction.atomic():
        # With the end itself: whoever dies after it leaves nothing that nobody comes back for.
        if not (batch.is_dry_run and batch.is_background):
            # What was checked may be imported next, so the file of a check stays for a while.
            forget_file(batch)
        if batch.is_dry_run:
            forget_check(batch, work.new_definitions)
        work.run.keep(
            state=ImportState.DONE,
            by_reason=dict(tally.by_reason),
            quality=scorecard.as_json(),
            finished_at=now,
            checkpoint={},
            **counts,
        )
        work.run.release()
        if batch.is_dry_run:
            if not batch.is_background:
                batch.delete()
            return
        audit.record(
            actor=work.actor,
            action="customers.import",
            object_type="customers.ImportBatch",
            object_id=batch.pk,
            now=now,
            facts={**counts, "mapping": batch.mapping["name"], "file_digest": batch.file_digest},
        )
