"""Imports in the background: submit, pause, resume, cancel, release, undo, and the work itself."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from customers import jobs, labels
from customers.domain.imports.mapping import FileMapping
from customers.domain.reading.tabular import open_table
from customers.models import ImportBatch, ImportMode, ImportRow, ImportState, ImportWish, RowState
from customers.services.imports.drafts import forget_old_drafts
from customers.services.imports.files import forget_file, keep_file, kept_file
from customers.services.imports.kept import take_over
from customers.services.imports.pipeline import (
    PERMISSION,
    GateClosed,
    carry_out,
    forget_check,
    new_batch,
    prepare,
    require_columns,
    told,
)
from customers.services.imports.repair import wipe_quarantine
from customers.services.imports.runs import WORKING, Run, RunInterrupted, RunLost
from customers.services.imports.tally import Tally
from customers.services.imports.undo import begin_undo, carry_out_undo
from customers.services.sources import registry
from loancrm.kernel import access
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.database.errors import PASSING, Trouble, trouble_of, words_of
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue
from loancrm.kernel.security import keys
from loancrm.kernel.security.crypto import CipherRefused
from loancrm.kernel.words.phrases import gettext as _

logger = logging.getLogger(__name__)
# Below the time limit of a task; what is left is done by the next one.
RUN_SECONDS: Final = 600.0
MAX_RUNS: Final = 5
_IN_HAND: Final = (
    *(ImportState.QUEUED, ImportState.STAGING, ImportState.MATCHING, ImportState.APPLYING),
)


class ImportStateRefused(LoanCrmError):
    """The import is in a state in which this cannot be asked of it."""

    code = "import_state_refused"


class NoProgress(LoanCrmError):
    """Several runs of an import in a row have not stored a single page."""

    code = "import_no_progress"


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
    access.require(actor, PERMISSION)
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
    batch.state, batch.is_background, batch.encoding = ImportState.QUEUED, True, upload.encoding
    with transaction.atomic():
        if upload.kept_id is None:
            batch.save()
            batch.file_digest = keep_file(batch, upload.blocks)
            ImportBatch.objects.filter(pk=batch.pk).update(file_digest=batch.file_digest)
        else:
            take_over(batch, upload.kept_id)
        _record(actor, batch, "submitted", now)
        enqueue(jobs.RUN_IMPORT, batch_id=int(batch.pk))
    return batch


def pause(*, actor: Actor, batch_id: int, now: datetime) -> None:
    """Let an import stop after the page at hand; `resume` goes on from there.

    Raises:
        PermissionRefused: The actor may not import.
        ImportStateRefused: The import is not running.
    """
    _ask(actor, batch_id, ImportWish.PAUSE, now)


def cancel(*, actor: Actor, batch_id: int, now: datetime, today: date) -> None:
    """Let an import end after the page at hand; what was applied stays until it is undone.

    Raises:
        PermissionRefused: The actor may not import.
        ImportStateRefused: The import has ended already.
    """
    access.require(actor, PERMISSION)
    rests = (ImportState.PAUSED, ImportState.STOPPED, ImportState.FAILED)
    resting = ImportBatch.objects.filter(
        pk=batch_id, state__in=list(rests), is_background=True, undo={}
    )
    if resting.update(state=ImportState.QUEUED, wish=ImportWish.CANCEL):
        run_import(batch_id=batch_id, now=now, today=today)
        return
    _ask(actor, batch_id, ImportWish.CANCEL, now)


def resume(*, actor: Actor, batch_id: int, now: datetime) -> None:
    """Let a paused import, or one that failed on the way, go on from its last page.

    Raises:
        PermissionRefused: The actor may not import.
        ImportStateRefused: The import does not rest.
    """
    rests = (ImportState.PAUSED, ImportState.FAILED)
    _go_on(actor, batch_id, "resumed", now, rests=rests)


def release(*, actor: Actor, batch_id: int, reason: str, now: datetime) -> None:
    """Let an import that its limits stopped go on in spite of them.

    Raises:
        PermissionRefused: The actor may not import.
        ImportStateRefused: No limit stopped the import, or no reason is given.
    """
    if not reason.strip():
        raise ImportStateRefused(_("Say why the file is to be imported in spite of its limits."))
    rests = (ImportState.STOPPED,)
    _go_on(actor, batch_id, "released", now, rests=rests, reason=reason, is_released=True)


def undo(*, actor: Actor, batch_id: int, reason: str, now: datetime) -> None:
    """Take back what an import did, in the background.

    Raises:
        PermissionRefused: The actor may not import.
        UndoRefused: The batch cannot be undone now.
    """
    access.require(actor, PERMISSION)
    batch = ImportBatch.objects.get(pk=batch_id)
    with transaction.atomic():
        begin_undo(actor=actor, batch=batch, reason=reason, run=Run(batch_id, started_at=now))
        enqueue(jobs.RUN_IMPORT, batch_id=batch_id)


def wake_imports(*, now: datetime) -> int:
    """Wake a worker for every import that nobody works on; forget what was kept long enough.

    Returns:
        How many imports were woken.
    """
    forget_old_drafts(now=now)
    wipe_quarantine(now=now)
    _end_abandoned(now)
    free = Q(run_key="") | Q(run_until__lt=Moment()) | Q(run_until__isnull=True)
    mine = Q(is_background=True) | Q(state=ImportState.UNDOING)
    waiting = ImportBatch.objects.filter(free & mine, state__in=list(WORKING))
    ids = list(waiting.values_list("pk", flat=True))
    for batch_id in ids:
        enqueue(jobs.RUN_IMPORT, batch_id=batch_id)
    return len(ids)


def _end_abandoned(now: datetime) -> None:
    """End imports of commands whose process is gone: whole pages are in, the rest may come.

    Of a check nothing stays, as if it had ended.
    """
    left = ImportBatch.objects.filter(
        is_background=False, state__in=list(_IN_HAND), run_until__lt=Moment()
    ).exclude(run_key="")
    for batch in left:
        with transaction.atomic():
            mine = ImportBatch.objects.filter(pk=batch.pk, run_key=batch.run_key)
            ended = mine.update(
                state=ImportState.FAILED,
                problem=_("The command ended before the import did; import the file again."),
                run_key="",
                run_until=None,
                finished_at=now,
            )
            if ended and batch.is_dry_run:
                forget_check(batch, batch.checkpoint["new_definitions"])
                batch.delete()
            elif ended:
                ImportRow.objects.filter(batch=batch, state=RowState.STAGED).delete()


def run_import(
    *, batch_id: int, now: datetime, today: date, seconds: float | None = RUN_SECONDS
) -> None:
    """Do a batch's work until its end, a wish or the time stops it; nothing when it is in hand."""
    run = Run(batch_id, started_at=now, seconds=seconds)
    if not run.claim():
        return
    batch = ImportBatch.objects.get(pk=batch_id)
    try:
        with told(), run.renewing():
            _refuse_standstill(batch, run)
            _work(batch, run, today)
    except RunInterrupted as stop:
        _rest(batch, run, stop.wish)
    except RunLost:
        logger.info("import taken over by another worker", extra={"batch_id": batch_id})
    except GateClosed:
        run.release(state=ImportState.STOPPED)
    except LoanCrmError as error:
        _refuse(batch, run, error)
    except Exception as error:
        trouble = trouble_of(error)
        if trouble in PASSING:
            _wait(batch, run, trouble)
            return
        run.give_up(state=ImportState.FAILED, problem=_("An error occurred; see the log."))
        raise


def _refuse_standstill(batch: ImportBatch, run: Run) -> None:
    """End an import whose last runs all began at the same place: its next one would too.

    Raises:
        NoProgress: That many runs have not stored a single page.
    """
    if batch.state == ImportState.UNDOING:
        return
    place = [batch.state, batch.checkpoint.get("line", 0), batch.done_count]
    begun, runs = batch.checkpoint.get("begun", [None, 0])
    runs = runs + 1 if begun == place else 1
    batch.checkpoint["begun"] = [place, runs]
    if runs > MAX_RUNS:
        raise NoProgress(
            _("The import was begun %(runs)s times and got no further; nothing more is tried.")
            % {"runs": MAX_RUNS}
        )
    run.keep(checkpoint=batch.checkpoint)


def _wait(batch: ImportBatch, run: Run, trouble: Trouble) -> None:
    """Leave an import where its last page has brought it, until the database takes the next one.

    The tick of imports begins it again; nothing is lost, and nobody has to do anything but make
    room.
    """
    logger.error("import waits", extra={"batch_id": batch.pk, "reason": trouble.value})
    if not connection.in_atomic_block:
        connection.close()
    batch.checkpoint.pop("begun", None)
    run.give_up(problem=words_of(trouble), checkpoint=batch.checkpoint)


def _refuse(batch: ImportBatch, run: Run, error: LoanCrmError) -> None:
    """End an import that is refused; one that this worker cannot read waits for another worker."""
    found = keys.problems() if isinstance(error, CipherRefused) else []
    if not found:
        run.release(state=ImportState.FAILED, problem=error.message)
        return
    logger.error("import waits", extra={"batch_id": batch.pk, "reason": keys.KeysRefused.code})
    batch.checkpoint.pop("begun", None)
    run.give_up(problem=found[0], checkpoint=batch.checkpoint)


def _work(batch: ImportBatch, run: Run, today: date) -> None:
    actor = system_actor(f"job:{jobs.RUN_IMPORT.name}")
    if batch.state == ImportState.UNDOING:
        carry_out_undo(actor=actor, batch=batch, run=run)
        return
    run.pause_point()
    with transaction.atomic():
        work = prepare(actor=actor, batch=batch, run=run, tally=Tally(), today=today)
        run.keep(checkpoint=batch.checkpoint)
    is_reading = batch.state in {ImportState.QUEUED, ImportState.STAGING}
    if is_reading:
        with kept_file(batch) as path, open_table(path, encoding=batch.encoding) as table:
            require_columns(table, work.mapping)
            run.keep(encoding=table.encoding)
            carry_out(work, table=table, path=path)
    else:
        carry_out(work)


def _rest(batch: ImportBatch, run: Run, wish: ImportWish) -> None:
    # Whoever stops in good order has not failed to get further.
    batch.checkpoint.pop("begun", None)
    match wish:
        case ImportWish.PAUSE:
            run.release(state=ImportState.PAUSED, wish="", checkpoint=batch.checkpoint)
        case ImportWish.CANCEL:
            with transaction.atomic():
                run.keep(
                    state=ImportState.CANCELLED,
                    wish="",
                    finished_at=run.now(),
                    checkpoint=batch.checkpoint,
                )
                ImportRow.objects.filter(batch=batch, state=RowState.STAGED).delete()
                forget_file(batch)
                run.release()
        case ImportWish.NONE:
            run.release(checkpoint=batch.checkpoint)
            enqueue(jobs.RUN_IMPORT, batch_id=int(batch.pk))


def _ask(actor: Actor, batch_id: int, wish: ImportWish, now: datetime) -> None:
    access.require(actor, PERMISSION)
    with transaction.atomic():
        running = ImportBatch.objects.filter(
            pk=batch_id, state__in=list(_IN_HAND), is_background=True
        )
        if not running.update(wish=wish):
            raise _refusal(batch_id)
        _record(actor, ImportBatch(pk=batch_id), f"{wish.value}_asked", now)


def _go_on(
    actor: Actor,
    batch_id: int,
    action: str,
    now: datetime,
    *,
    rests: Iterable[ImportState],
    reason: str = "",
    is_released: bool = False,
) -> None:
    access.require(actor, PERMISSION)
    with transaction.atomic():
        resting = ImportBatch.objects.filter(
            pk=batch_id, state__in=list(rests), is_background=True, run_key="", undo={}
        )
        batch = resting.first()
        if batch is None:
            raise _refusal(batch_id)
        state = ImportState(batch.checkpoint.get("step", ImportState.QUEUED))
        is_free = batch.is_released or is_released
        resting.update(state=state, wish="", problem="", is_released=is_free)
        _record(actor, batch, action, now, reason)
        enqueue(jobs.RUN_IMPORT, batch_id=batch_id)


def _refusal(batch_id: int) -> ImportStateRefused:
    state = ImportBatch.objects.values_list("state", flat=True).get(pk=batch_id)
    words = _("This is not possible: the state of the import is “%(state)s”.")
    return ImportStateRefused(
        words % {"state": labels.read(labels.IMPORT_STATES, state)}, state=state
    )


def _record(actor: Actor, batch: ImportBatch, action: str, now: datetime, reason: str = "") -> None:
    audit.record(
        actor=actor,
        action=f"customers.import_{action}",
        object_type="customers.ImportBatch",
        object_id=batch.pk,
        now=now,
        reason=reason,
    )
