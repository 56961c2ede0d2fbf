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

from customers.domain.imports.importing import RowReader
from customers.domain.imports.mapping import FileMapping
from customers.domain.imports.states import ImportMode, ImportState
from customers.domain.reading.tabular import Table, TabularError
from customers.domain.values.quality import Code, exceeded_limits
from customers.labels.imports import finding
from customers.labels.problems import file_problem
from customers.models import AttributeDefinition, ImportBatch, ImportRow
from customers.services.imports.counts import ImportCounts
from customers.services.imports.definitions import attribute_definitions, forget_definitions
from customers.services.imports.files import forget_file
from customers.services.imports.runs import AS_REQUESTED, ImportRun
from customers.services.imports.steps.apply import ApplyOrder, apply_all
from customers.services.imports.steps.known import restage_shared
from customers.services.imports.steps.match import match_in_file
from customers.services.imports.steps.stage import stage
from customers.services.imports.steps.standalone import apply_standalone
from customers.services.sources import registry
from customers.services.sources.file_names import remembered_name
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
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
class ImportContext:
    """Everything that the steps of one run share."""

    actor: Actor
    batch: ImportBatch
    run: ImportRun
    mapping: FileMapping
    definitions: Mapping[str, AttributeDefinition]
    new_definitions: list[str]
    reader: RowReader
    counts: ImportCounts


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


def prepare(
    *, actor: Actor, batch: ImportBatch, run: ImportRun, counts: ImportCounts, today: date
) -> ImportContext:
    """Return what a batch's run needs, with the figures of its checkpoint.

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
    if "tally" in run.checkpoint:
        counts.restore(run.checkpoint["tally"])
        reader.scorecard.restore(run.checkpoint["card"])
    run.checkpoint.setdefault("new_definitions", new)
    made = run.checkpoint["new_definitions"]
    return ImportContext(actor, batch, run, mapping, definitions, made, reader, counts)


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


def run_steps(
    context: ImportContext, *, table: Table | None = None, path: Path | None = None
) -> None:
    """Do what is left to do of a batch, step by step.

    Args:
        table: The file's rows; needed only while they are not yet all staged.
        path: The file itself, from which some rows may have to be read a second time.

    Raises:
        GateClosed: The rows are worse than the limits allow; nothing was applied.
        RowsUnbalanced: Rows of the file have gone astray.
        WorkInterrupted: Somebody asked to stop, or the run's time is up.
        ClaimLost: Another worker took over.
    """
    with few_collections():
        _steps(context, table, path)


def _steps(context: ImportContext, table: Table | None, path: Path | None) -> None:
    batch = context.batch
    if (
        table is not None
        and path is not None
        and batch.state in {ImportState.QUEUED, ImportState.STAGING}
    ):
        _enter(context, ImportState.STAGING, is_further=False, total_count=table.row_estimate)
        stage(
            run=context.run, batch=batch, table=table, reader=context.reader, counts=context.counts
        )
        context.counts.unchanged = restage_shared(batch=batch, path=path, reader=context.reader)
        context.run.checkpoint["tally"] = context.counts.as_json()
        _enter(context, ImportState.MATCHING, done_count=0, total_count=context.counts.rows)
    if batch.state == ImportState.MATCHING:
        context.counts.row_codes[Code.DUPLICATE.value] = match_in_file(batch, context.run)
        context.run.checkpoint.update(tally=context.counts.as_json(), card=_card(context))
        _gate(context)
        to_apply = context.counts.rows - context.counts.rejected
        _enter(context, ImportState.APPLYING, done_count=0, total_count=to_apply)
    run = context.run
    order = ApplyOrder(
        context.actor, batch, context.mapping, context.definitions, run.started_at, run
    )
    apply_standalone(order, context.counts)
    apply_all(order, context.counts)
    _finish(context)


def forget_check(batch: ImportBatch, definitions: Sequence[str]) -> None:
    """Remove what a check has stored on its way, in the caller's transaction."""
    ImportRow.objects.filter(batch=batch).delete()
    forget_definitions(definitions)


def forget_batch(batch: ImportBatch) -> None:
    """Delete a batch with its work, in the caller's transaction."""
    if batch.work is not None:
        batch.work.delete()


@contextmanager
def translate_error() -> Iterator[None]:
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


def _enter(
    context: ImportContext, state: ImportState, *, is_further: bool = True, **work: Any
) -> None:
    context.run.checkpoint["step"] = state.value
    context.run.enter(state, is_further=is_further, **work)
    context.batch.state = state


def _card(context: ImportContext) -> dict[str, object]:
    uniqueness = context.reader.scorecard.uniqueness
    followers = context.counts.row_codes[Code.DUPLICATE.value]
    uniqueness.denominator = context.counts.rows
    uniqueness.numerator = context.counts.rows - followers
    return context.reader.scorecard.as_json()


def _gate(context: ImportContext) -> None:
    batch, counts = context.batch, context.counts
    found = exceeded_limits(
        batch.limits, counts.row_codes, rows=counts.rows, rejected=counts.rejected
    )
    exceeded = [asdict(item) for item in found]
    figures = {
        "exceeded": exceeded,
        "quality": context.run.checkpoint["card"],
        "by_reason": dict(counts.by_reason),
    }
    context.run.save_checkpoint(figures | counts.columns(), is_further=False)
    if found and not batch.is_released:
        raise GateClosed(
            _("The file is worse than its limits allow (%(codes)s). Nothing was changed.")
            % {"codes": "; ".join(finding(item.code) for item in found)},
            codes=[item.code for item in found],
        )


def _finish(context: ImportContext) -> None:
    batch, counts = context.batch, context.counts
    counts.require_balance()
    scorecard = context.reader.scorecard
    scorecard.uniqueness.denominator = counts.rows
    scorecard.uniqueness.numerator = counts.rows - counts.merged
    columns = counts.columns()
    with acting(context.actor, AS_REQUESTED, on=batch, now=context.run.started_at) as act:
        # With the end itself: whoever dies after it leaves nothing that nobody comes back for.
        if not (batch.is_dry_run and context.run.is_background):
            # What was checked may be imported next, so the file of a check stays for a while.
            forget_file(batch)
        if batch.is_dry_run:
            forget_check(batch, context.new_definitions)
        context.run.finish(
            {"by_reason": dict(counts.by_reason), "quality": scorecard.as_json(), **columns}
        )
        if batch.is_dry_run:
            if not context.run.is_background:
                forget_batch(batch)
            act.counted_elsewhere()
            return
        facts = {**columns, "mapping": batch.mapping["name"], "file_digest": batch.file_digest}
        act.record("customers.import", facts=facts)
