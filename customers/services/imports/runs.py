"""One worker's run of an import: what becomes of the batch is written together with its work."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from customers import jobs
from customers.domain.imports.states import ImportState
from customers.labels import imports as import_labels
from customers.models import ImportBatch
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import AdmittedBy
from loancrm.kernel.models import Work, WorkState
from loancrm.kernel.work import service as works
from loancrm.kernel.work.claims import WorkClaim, claim

# A worker does what somebody was allowed to ask for, page by page.
AS_REQUESTED = AdmittedBy("whoever submitted the import, or wants it undone")


@dataclass(frozen=True, slots=True)
class ImportRun:
    """A claim on an import's work, and the batch that it is about.

    Every method raises `ClaimLost` where the import is another worker's by now, and then stores
    nothing.

    Attributes:
        checkpoint: Where the run has come to; it counts once it is stored with a page.
        is_background: A worker has it, not a command.
    """

    batch_id: int
    claim: WorkClaim
    checkpoint: dict[str, Any]
    is_background: bool

    @property
    def started_at(self) -> datetime:
        """Return when the run began."""
        return self.claim.started_at

    def raise_if_requested(self) -> None:
        """Stop here if somebody asked for it or the time is up; call it between transactions.

        Raises:
            WorkInterrupted: The run must end.
        """
        self.claim.raise_if_requested()

    def enter(self, state: ImportState, *, is_further: bool, **work: Any) -> None:
        """Store that a step begins; `is_further` unless another attempt begins it over again."""
        step = import_labels.IMPORT_STATES.phrase(state)
        self.save_checkpoint({"state": state}, is_further=is_further, step=step, **work)

    def save_progress(self, batch: Mapping[str, Any]) -> None:
        """Store columns of the batch, in the caller's transaction if there is one."""
        with transaction.atomic(savepoint=False):
            self.claim.save_progress()
            self._update(batch)

    def save_checkpoint(
        self, batch: Mapping[str, Any] | None = None, *, is_further: bool = True, **work: Any
    ) -> None:
        """Store the checkpoint with columns of the batch and of its work, as `WorkClaim` does."""
        with transaction.atomic(savepoint=False):
            self.claim.save_checkpoint(self.checkpoint, is_further=is_further, **work)
            self._update(batch or {})

    def finish(self, batch: Mapping[str, Any], state: ImportState = ImportState.DONE) -> None:
        """Give the import back as done, with what came of it."""
        with transaction.atomic(savepoint=False):
            self.claim.finish(checkpoint={})
            self._update({"state": state, **batch})

    def fail(self, error: str, state: ImportState = ImportState.FAILED) -> None:
        """Give the import back with the reason why it ended."""
        with transaction.atomic(savepoint=False):
            self.claim.fail(error)
            self._update({"state": state})

    def stop(self) -> None:
        """Give the import back as stopped by its limits."""
        words = import_labels.IMPORT_STATES.phrase(ImportState.STOPPED)
        self.fail(words, ImportState.STOPPED)

    def pause(self) -> None:
        """Give the import back as paused."""
        with transaction.atomic(savepoint=False):
            self.claim.pause()
            self._update({"state": ImportState.PAUSED})

    def cancel(self) -> None:
        """Give the import back as cancelled."""
        with transaction.atomic(savepoint=False):
            self.claim.cancel()
            self._update({"state": ImportState.CANCELLED})

    def release(self, **work: Any) -> None:
        """Give the import back for another run to go on where this one has come to."""
        self.claim.release(**work)

    def _update(self, batch: Mapping[str, Any]) -> None:
        if batch:
            ImportBatch.objects.filter(pk=self.batch_id).update(**batch)


def start_work(
    *, actor: Actor, batch: ImportBatch, now: datetime, is_background: bool = True
) -> Work:
    """Store the work of a new import, which a worker takes once the transaction commits."""
    return works.start(
        kind=jobs.IMPORT,
        actor=actor,
        now=now,
        title=batch.file_name,
        is_background=is_background,
    )


def begin_run(
    batch_id: int,
    *,
    now: datetime,
    seconds: float | None = None,
    states: Collection[WorkState] = (WorkState.WAITING,),
) -> ImportRun | None:
    """WorkClaim an import; None when it is in hand, or rests in another state.

    Args:
        now: Time at which the run begins.
        seconds: How long it may last; None for as long as it takes.
        states: In which it may be taken, beside what another worker left.
    """
    work_id = ImportBatch.objects.values_list("work_id", flat=True).get(pk=batch_id)
    held = claim(work_id, now=now, seconds=seconds, states=states) if work_id else None
    return run_of(batch_id, held) if held else None


def run_of(batch_id: int, held: WorkClaim) -> ImportRun:
    """Return the run of a batch whose work is claimed."""
    work = Work.objects.get(pk=held.work_id)
    return ImportRun(batch_id, held, work.checkpoint, work.is_background)
