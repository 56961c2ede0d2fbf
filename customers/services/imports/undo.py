"""Undo of an import: prior values come back, created customers go, what was edited since stays.

Everything happens page by page in transactions of their own and can be interrupted anywhere. Undo
never widens consent: a refusal that the file brought stays, a grant that it brought is taken back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F

from customers import jobs
from customers.domain.identity.merging import MergeState
from customers.domain.imports.states import ChangeOutcome, ImportState, RowState
from customers.labels import imports as import_labels
from customers.models import (
    Customer,
    IdentityLink,
    ImportBatch,
    ImportChange,
    ImportRow,
    MergeDecision,
)
from customers.selectors.imports.traces import edited_since
from customers.services.imports.pipeline import PERMISSION
from customers.services.imports.restore import restore
from customers.services.imports.runs import AS_REQUESTED, ImportRun
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.auditing import append_only
from loancrm.kernel.database import bulk
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work import service as works

_PAGE: Final = 500
UNDOABLE: Final = (
    ImportState.DONE,
    ImportState.FAILED,
    ImportState.CANCELLED,
    ImportState.PAUSED,
)


class UndoRefused(LoanCrmError):
    """The batch is not in a state to be undone, or was only a check."""

    code = "import_undo_refused"


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What an undo did.

    Attributes:
        deleted: Customers that the batch had created.
        restored: Changes that were taken back.
        kept: Changes that were edited since, or that a file may not take back.
        kept_customers: Customers that the batch had created and that are in use since.
    """

    deleted: int
    restored: int
    kept: int
    kept_customers: int


def begin_undo(*, actor: Actor, batch: ImportBatch, reason: str, now: datetime) -> None:
    """Let a worker undo a batch, and say who wants it and why.

    Raises:
        UndoRefused: The batch cannot be undone now.
    """
    with acting(actor, PERMISSION, now=now) as act:
        fit = ImportBatch.objects.filter(pk=batch.pk, state__in=list(UNDOABLE), is_dry_run=False)
        todo = ImportChange.objects.filter(batch=batch, outcome=ChangeOutcome.OPEN).count()
        todo += ImportRow.objects.filter(batch=batch, state=RowState.CREATED).count()
        if not (
            fit.update(state=ImportState.UNDOING, undo={"begun": True})
            and batch.work_id
            and works.restart(
                work_id=batch.work_id, kind=jobs.IMPORT_UNDO, actor=actor, now=now, total_count=todo
            )
        ):
            raise UndoRefused(
                _("This import cannot be undone now (%(state)s).")
                % {"state": import_labels.IMPORT_STATES.phrase(batch.state)},
                state=batch.state,
            )
        act.record("customers.import_undo_begun", on=batch, reason=reason)


def run_undo(*, actor: Actor, batch: ImportBatch, run: ImportRun) -> UndoReport:
    """Undo what is still to be undone of a batch.

    Raises:
        WorkInterrupted: Somebody asked to stop, or the run's time is up; nothing is half done.
        ClaimLost: Another worker took over.
    """
    run.enter(ImportState.UNDOING, is_further=False)
    while _undo_changes(batch, run):
        pass
    while _undo_creations(actor, batch, run):
        pass
    return _end(actor, batch, run)


def _undo_changes(batch: ImportBatch, run: ImportRun) -> bool:
    """Take back one page of changes, latest first; return whether there was one."""
    run.raise_if_requested()
    with transaction.atomic():
        changes = list(
            ImportChange.objects.filter(batch=batch, outcome=ChangeOutcome.OPEN).order_by("-id")[
                :_PAGE
            ]
        )
        if not changes:
            return False
        ids = sorted({change.customer_id for change in changes})
        customers = {
            customer.pk: customer
            for customer in Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        }
        restore(batch=batch, changes=changes, customers=customers, now=run.started_at)
        outcomes = [(change.pk, change.outcome) for change in changes]
        bulk.update_rows(ImportChange, key="id", columns=["outcome"], rows=outcomes)
        touched = [
            (change.customer_id, run.started_at)
            for change in changes
            if change.outcome == ChangeOutcome.RESTORED
        ]
        bulk.update_rows(Customer, key="id", columns=["updated_at"], rows=sorted(set(touched)))
        # Whatever any source sent last must be looked at again when it sends it again.
        IdentityLink.objects.filter(customer_id__in=ids).update(row_digest="")
        run.save_checkpoint(done_count=F("done_count") + len(changes))
    return True


def _undo_creations(actor: Actor, batch: ImportBatch, run: ImportRun) -> bool:
    """Delete one page of the customers that the batch created, unless they are in use since."""
    run.raise_if_requested()
    with acting(actor, AS_REQUESTED, on=batch, now=run.started_at) as act:
        created = ImportRow.objects.filter(batch=batch, state=RowState.CREATED)
        rows = list(created.order_by("pk").values_list("pk", "customer_id", "line")[:_PAGE])
        if not rows:
            act.unchanged()
            return False
        ids = sorted({customer_id for _pk, customer_id, _line in rows if customer_id})
        list(Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk").values("pk"))
        used = edited_since(batch_id=batch.pk, customer_ids=ids)
        gone = [customer_id for customer_id in ids if customer_id not in used]
        states = [
            (pk, RowState.KEPT if customer_id in used else RowState.UNDONE)
            for pk, customer_id, _line in rows
        ]
        bulk.update_rows(ImportRow, key="id", columns=["state"], rows=states)
        _delete(gone)
        IdentityLink.objects.filter(customer_id__in=used).update(row_digest="")
        run.save_checkpoint(done_count=F("done_count") + len(rows))
        facts = {"first_line": rows[0][2], "deleted": len(gone), "kept": sorted(used)}
        act.record("customers.import_undo_page", facts=facts)
    return True


def _delete(customer_ids: Sequence[int]) -> None:
    """Delete customers with all that hangs on them."""
    # Their consents came with the file that is taken back, and nobody else has heard of them.
    with append_only.removal():
        Customer.objects.filter(pk__in=customer_ids).delete()


def _end(actor: Actor, batch: ImportBatch, run: ImportRun) -> UndoReport:
    outcomes = Counter(
        ImportChange.objects.filter(batch=batch).values_list("outcome", flat=True).iterator()
    )
    rows = ImportRow.objects.filter(batch=batch)
    report = UndoReport(
        deleted=rows.filter(state=RowState.UNDONE).count(),
        restored=outcomes[ChangeOutcome.RESTORED],
        kept=outcomes[ChangeOutcome.KEPT],
        kept_customers=rows.filter(state=RowState.KEPT).count(),
    )
    facts = {
        "deleted": report.deleted,
        "restored": report.restored,
        "kept": report.kept,
        "kept_customers": report.kept_customers,
    }
    with acting(actor, AS_REQUESTED, on=batch, now=run.started_at) as act:
        MergeDecision.objects.filter(batch_id=batch.pk, state=MergeState.PROPOSED).delete()
        rows.filter(state=RowState.STAGED).delete()
        run.finish({"undo": facts}, ImportState.UNDONE)
        act.record("customers.import_undo", facts=facts)
    return report
