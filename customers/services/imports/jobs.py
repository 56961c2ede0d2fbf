"""Imports in the background: submit, pause, resume, cancel, release, undo, and the work itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Final

from django.db import DatabaseError, InterfaceError, transaction

from customers import jobs
from customers.domain.imports.mapping import FileMapping
from customers.domain.imports.states import ImportMode, ImportState, RowState
from customers.domain.reading.tabular import open_table
from customers.models import ImportBatch, ImportRow
from customers.services.imports.counts import ImportCounts
from customers.services.imports.definitions import forget_definitions
from customers.services.imports.drafts import forget_old_drafts
from customers.services.imports.files import forget_file, stored_file, write_file
from customers.services.imports.pipeline import (
    PERMISSION,
    GateClosed,
    forget_batch,
    forget_check,
    new_batch,
    prepare,
    require_columns,
    run_steps,
    translate_error,
)
from customers.services.imports.repair import wipe_quarantine
from customers.services.imports.runs import ImportRun, begin_run, start_work
from customers.services.imports.undo import begin_undo, run_undo
from customers.services.imports.uploads import take_over
from customers.services.sources import registry
from loancrm.kernel import access
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database.errors import PASSING, Trouble, trouble_of
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.manifest import WorkAction
from loancrm.kernel.models import RequestedAction, Work, WorkState
from loancrm.kernel.security import keys
from loancrm.kernel.security.crypto import CipherRefused
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work import service as works
from loancrm.kernel.work.claims import ClaimLost, WorkInterrupted
from loancrm.kernel.work.execution import release_after

logger = logging.getLogger(__name__)
# Below the time limit of a task; what is left is done by the next one.
RUN_SECONDS: Final = 600.0
_AT_REST: Final = (ImportState.PAUSED, ImportState.FAILED, ImportState.STOPPED)


class ReleaseRefused(LoanCrmError):
    """The import cannot be released from its limits."""

    code = "import_release_refused"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to be imported in the background.

    Attributes:
        blocks: The file's bytes, piece by piece.
        limits: Largest share (0..1) of rows with a finding, by code, beside the mapping's own.
        encoding: Of a text file; found out where it is certain when empty.
        kept_id: Draft that holds the file already; then there are no bytes.
    """

    file_name: str
    blocks: Iterable[bytes]
    mapping: FileMapping
    mode: ImportMode = ImportMode.UPSERT
    is_dry_run: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    encoding: str = ""
    kept_id: int | None = None


def submit(*, actor: Actor, upload: Upload, now: datetime) -> ImportBatch:
    """Keep a file, sealed, and let a worker import it.

    Raises:
        PermissionRefused: The actor may not import.
        SourceUnknown: The source is not registered, and only registered ones may hand in data.
        SourceBarred: The source's contract is not in force.
        DraftGone: The file is not kept any more.
    """
    act = acting(actor, PERMISSION, now=now)
    registry.admit(actor=actor, name=upload.mapping.source, now=now, is_dry_run=upload.is_dry_run)
    batch = new_batch(
        actor=actor,
        mapping=upload.mapping,
        now=now,
        file_name=upload.file_name,
        mode=upload.mode,
        is_dry_run=upload.is_dry_run,
        limits=upload.limits,
    )
    batch.state, batch.encoding = ImportState.QUEUED, upload.encoding
    with act:
        batch.work = start_work(actor=actor, batch=batch, now=now)
        if upload.kept_id is None:
            batch.save()
            batch.file_digest = write_file(batch, upload.blocks)
            ImportBatch.objects.filter(pk=batch.pk).update(file_digest=batch.file_digest)
        else:
            take_over(batch, upload.kept_id)
        act.record("customers.import_submitted", on=batch)
    return batch


def pause(*, actor: Actor, batch_id: int, now: datetime) -> None:
    """Let an import stop after the page at hand; `resume` goes on from there.

    Raises:
        PermissionRefused: The actor may not import.
        WorkStateRefused: The import is not running.
    """
    _request(actor, _work_of(batch_id), WorkAction.PAUSE, now)


def cancel(*, actor: Actor, batch_id: int, now: datetime, today: date) -> None:
    """Let an import end after the page at hand; what was applied stays until it is undone.

    Raises:
        PermissionRefused: The actor may not import.
        WorkStateRefused: The import has ended already.
    """
    work = _work_of(batch_id)
    _request(actor, work, WorkAction.CANCEL, now)
    if not work.is_open:
        # Nobody works on it, so nobody has to be waited for.
        run_import(batch_id=batch_id, now=now, today=today)


def resume(*, actor: Actor, batch_id: int, now: datetime) -> None:
    """Let a paused import, or one that failed on the way, go on from its last page.

    Raises:
        PermissionRefused: The actor may not import.
        WorkStateRefused: The import does not rest.
    """
    work = _work_of(batch_id)
    has_failed = work.state == WorkState.FAILED
    _request(actor, work, WorkAction.RETRY if has_failed else WorkAction.RESUME, now)


def release(*, actor: Actor, batch_id: int, reason: str, now: datetime) -> None:
    """Let an import that its limits stopped go on in spite of them.

    Raises:
        PermissionRefused: The actor may not import.
        ReleaseRefused: No limit stopped the import, or no reason is given.
        WorkStateRefused: Somebody was faster.
    """
    act = acting(actor, PERMISSION, now=now)
    if not reason.strip():
        raise ReleaseRefused(_("Say why the file is to be imported in spite of its limits."))
    with act:
        stopped = ImportBatch.objects.filter(pk=batch_id, state=ImportState.STOPPED)
        if not stopped.update(is_released=True):
            raise ReleaseRefused(_("No limit has stopped this import."))
        _request(actor, _work_of(batch_id), WorkAction.RETRY, now)
        act.record("customers.import_released", on=(ImportBatch, batch_id), reason=reason)


def undo(*, actor: Actor, batch_id: int, reason: str, now: datetime) -> None:
    """Take back what an import did, in the background.

    Raises:
        PermissionRefused: The actor may not import.
        UndoRefused: The batch cannot be undone now.
    """
    access.require(actor, PERMISSION)
    batch = ImportBatch.objects.get(pk=batch_id)
    begin_undo(actor=actor, batch=batch, reason=reason, now=now)


def clear_up(*, now: datetime) -> None:
    """Forget what was kept long enough, and end imports of commands whose process is gone."""
    forget_old_drafts(now=now)
    wipe_quarantine(now=now)
    left = ImportBatch.objects.filter(
        work__is_background=False,
        work__state=WorkState.RUNNING,
        work__lease_until__lt=Moment(),
    )
    for batch in left:
        _end_abandoned(batch, now)


@transaction.atomic
def _end_abandoned(batch: ImportBatch, now: datetime) -> None:
    """End an import of a command: whole pages are in, the rest may come.

    Of a check nothing stays, as if it had ended.
    """
    run = begin_run(int(batch.pk), now=now)
    if run is None:
        return
    run.fail(_("The command ended before the import did; import the file again."))
    if batch.is_dry_run:
        forget_check(batch, run.checkpoint["new_definitions"])
        forget_batch(batch)
    else:
        ImportRow.objects.filter(batch=batch, state=RowState.STAGED).delete()


def run_work(*, work_id: int, now: datetime, today: date) -> None:
    """Do the work of an import, or of its undo, as its worker; nothing when it is in hand."""
    batch_id = ImportBatch.objects.values_list("pk", flat=True).filter(work=work_id).first()
    if batch_id is not None:
        run_import(batch_id=batch_id, now=now, today=today)


def run_import(
    *, batch_id: int, now: datetime, today: date, seconds: float | None = RUN_SECONDS
) -> None:
    """Do a batch's work until its end, a request or the time stops it; nothing when in hand."""
    run = begin_run(batch_id, now=now, seconds=seconds)
    if run is None:
        return
    batch = ImportBatch.objects.get(pk=batch_id)
    if batch.state in _AT_REST:
        batch.state = ImportState(run.checkpoint.get("step", ImportState.QUEUED))
    try:
        with translate_error(), run.claim.renewing():
            run.raise_if_requested()
            run.claim.refuse_standstill()
            _perform(batch, run, today)
    except ClaimLost:
        logger.info("import taken over by another worker", extra={"batch_id": batch_id})
    except (WorkInterrupted, LoanCrmError) as error:
        with suppress(ClaimLost):
            _end(batch, run, error)
    except Exception as error:
        trouble = trouble_of(error)
        if trouble in PASSING:
            _wait(batch, run, trouble)
            return
        with suppress(ClaimLost, DatabaseError):
            _give_back(batch, run, partial(run.fail, _("An error occurred; see the log.")))
        raise


def _end(batch: ImportBatch, run: ImportRun, error: WorkInterrupted | LoanCrmError) -> None:
    """Give an import back as what ended its run says."""
    if isinstance(error, WorkInterrupted):
        _rest(batch, run, error.action)
    elif isinstance(error, GateClosed):
        _give_back(batch, run, run.stop)
    else:
        _refuse(batch, run, error)


def _wait(batch: ImportBatch, run: ImportRun, trouble: Trouble) -> None:
    """Leave an import where its last page has brought it, until the database takes the next one.

    The tick of long work begins it again; nothing is lost, and nobody has to do anything but make
    room. Where the database does not even take this, the lease runs out.
    """
    logger.error("import waits", extra={"batch_id": batch.pk, "reason": trouble.value})
    with suppress(ClaimLost, DatabaseError, InterfaceError):
        release_after(trouble, run.release)


def _refuse(batch: ImportBatch, run: ImportRun, error: LoanCrmError) -> None:
    """End an import that is refused; one that this worker cannot read waits for another worker."""
    found = keys.problems() if isinstance(error, CipherRefused) else []
    if not found:
        _give_back(batch, run, partial(run.fail, error.message))
        return
    logger.error("import waits", extra={"batch_id": batch.pk, "reason": keys.KeysRefused.code})
    run.release(last_error=found[0])


def _perform(batch: ImportBatch, run: ImportRun, today: date) -> None:
    actor = system_actor(f"job:{jobs.RUN_IMPORT.name}")
    if batch.state == ImportState.UNDOING:
        run_undo(actor=actor, batch=batch, run=run)
        return
    with transaction.atomic():
        context = prepare(actor=actor, batch=batch, run=run, counts=ImportCounts(), today=today)
        run.save_checkpoint({"state": batch.state}, is_further=False)
    is_reading = batch.state in {ImportState.QUEUED, ImportState.STAGING}
    if is_reading:
        with stored_file(batch) as path, open_table(path, encoding=batch.encoding) as table:
            require_columns(table, context.mapping)
            run.save_progress({"encoding": table.encoding})
            run_steps(context, table=table, path=path)
    else:
        run_steps(context)


def _rest(batch: ImportBatch, run: ImportRun, action: RequestedAction) -> None:
    match action:
        case RequestedAction.PAUSE:
            _give_back(batch, run, run.pause)
        case RequestedAction.CANCEL:
            _cancel(batch, run)
        case RequestedAction.NONE:
            run.release()
            works.announce(Work(pk=run.claim.work_id, kind=jobs.IMPORT))


def _give_back(batch: ImportBatch, run: ImportRun, end: Callable[[], None]) -> None:
    """End a run in a way, or as cancelled where somebody has asked for that meanwhile."""
    try:
        end()
    except WorkInterrupted:
        _cancel(batch, run)


@transaction.atomic
def _cancel(batch: ImportBatch, run: ImportRun) -> None:
    """End an import for good: the pages that are written stay, the rest is forgotten."""
    run.cancel()
    if batch.is_dry_run:
        forget_definitions(run.checkpoint.get("new_definitions", ()))
    ImportRow.objects.filter(batch=batch, state=RowState.STAGED).delete()
    forget_file(batch)


def _work_of(batch_id: int) -> Work:
    """Return an import's work.

    Raises:
        WorkStateRefused: It has none: nobody has started it yet.
    """
    batch = ImportBatch.objects.select_related("work").get(pk=batch_id)
    if batch.work is None:
        raise works.WorkStateRefused(_("This import has not been started."))
    return batch.work


def _request(actor: Actor, work: Work, action: WorkAction, now: datetime) -> None:
    works.request_action(actor=actor, work_id=int(work.pk), action=action, now=now)
