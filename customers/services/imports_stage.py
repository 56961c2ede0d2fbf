"""First pass over a file: check every row and put it, sealed, into the staging table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from customers.domain.importing import RowReader
from customers.domain.person_row import PersonRow
from customers.domain.quality import Finding, Severity
from customers.domain.repairing import cells_of
from customers.domain.tabular import Table, TabularRow
from customers.models import ImportBatch, ImportRow, RejectedRow, RowState
from customers.services.imports_runs import Run
from customers.services.imports_sealed import (
    READ_COLUMNS,
    STAGED_COLUMNS,
    StagedRow,
    open_row,
    staged_values,
)
from customers.services.imports_tally import Tally
from loancrm.kernel import bulk, crypto
from loancrm.kernel.bulk_load import load_rows
from loancrm.kernel.crypto import Vault
from loancrm.kernel.progress import bar

STAGE_BATCH: Final = 1_000
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def stage(*, run: Run, batch: ImportBatch, table: Table, reader: RowReader, tally: Tally) -> None:
    """Check all rows after the batch's checkpoint and store them, page by page.

    Rejected rows go to quarantine with their cells sealed. What was counted so far is stored with
    each page.
    """
    last = int(batch.checkpoint.get("line", 0))
    iterator = (row for row in table if row.line > last)
    with bar(total=table.row_estimate or None, description="read") as progress:
        while chunk := list(islice(iterator, STAGE_BATCH)):
            run.pause_point()
            rejected: list[RejectedRow] = []
            with transaction.atomic():
                bulk.commit_lazily()
                # The database takes in the first rows while the next ones are being checked.
                load_rows(
                    ImportRow, STAGED_COLUMNS, _checked(run, batch, chunk, reader, tally, rejected)
                )
                batch.checkpoint |= {
                    "line": chunk[-1].line,
                    "tally": tally.as_json(),
                    "card": reader.scorecard.as_json(),
                }
                RejectedRow.objects.bulk_create(rejected)
                run.keep(checkpoint=batch.checkpoint, done_count=tally.rows, row_count=tally.rows)
            progress.update(len(chunk))


def _checked(
    run: Run,
    batch: ImportBatch,
    chunk: Sequence[TabularRow],
    reader: RowReader,
    tally: Tally,
    rejected: list[RejectedRow],
) -> Iterator[tuple[object, ...]]:
    """Yield the rows to be staged; the others are added to `rejected`."""
    vault = crypto.vault()
    now = run.started_at
    batch_id = int(batch.pk)
    for row in chunk:
        person, findings = reader.read(row)
        tally.read_row(row.line, findings)
        refusals = [item for item in findings if item.severity is Severity.ROW_REJECTED]
        if refusals:
            tally.rejected += 1
            rejected.append(_rejected_row(batch, row, findings, refusals[-1], vault, now))
        else:
            yield staged_values(batch_id, person, vault)


def quarantine(
    *, batch_id: int, row: StagedRow, code: str, vault: Vault, now: datetime
) -> RejectedRow:
    """Return the quarantine row of a staged row that could not be applied."""
    rejected = RejectedRow(
        batch_id=batch_id,
        line=row.line,
        code=code,
        codes=[code],
        created_at=now,
        is_person=True,
    )
    text = _ENCODER.encode(cells_of(open_row(row, vault).row)).decode()
    rejected.cells_sealed = vault.seal(RejectedRow.CELLS_COLUMN, rejected.row_key, text)
    return rejected


def stage_repaired(batch: ImportBatch, people: Iterable[PersonRow]) -> None:
    """Stage rows that were refused before, in the caller's transaction."""
    vault = crypto.vault()
    batch_id = int(batch.pk)
    rows = [(*staged_values(batch_id, person, vault), True) for person in people]
    load_rows(ImportRow, (*STAGED_COLUMNS, "is_repaired"), rows)


def _rejected_row(
    batch: ImportBatch,
    row: TabularRow,
    findings: Sequence[Finding],
    refusal: Finding,
    vault: Vault,
    now: datetime,
) -> RejectedRow:
    rejected = RejectedRow(
        batch=batch,
        line=row.line,
        code=refusal.code,
        column=refusal.column,
        codes=[finding.code.value for finding in findings],
        created_at=now,
    )
    cells = _ENCODER.encode(dict(row.values)).decode()
    rejected.cells_sealed = vault.seal(RejectedRow.CELLS_COLUMN, rejected.row_key, cells)
    return rejected


def pages(batch_id: int, *, size: int) -> Iterator[list[StagedRow]]:
    """Yield the rows still to be applied, whole persons at a time, in file order of their leaders.

    Rows are read by their place after the last page, not by a cursor, so each page sees what the
    one before it has committed.
    """
    after = -1
    while True:
        waiting = _waiting(batch_id).filter(leader_line__gt=after)
        page = staged_rows(waiting.order_by("leader_line", "line")[:size])
        if not page:
            return
        last = page[-1].leader_line
        if len(page) == size and page[0].leader_line != last:
            page = [row for row in page if row.leader_line != last]
        elif len(page) == size:
            page = staged_rows(waiting.filter(leader_line=last).order_by("line"))
        after = page[-1].leader_line
        yield page


def staged_rows(rows: QuerySet[ImportRow]) -> list[StagedRow]:
    """Return staged rows with what applying them needs."""
    return [StagedRow(*values) for values in rows.values_list(*READ_COLUMNS)]


def _waiting(batch_id: int) -> QuerySet[ImportRow]:
    return ImportRow.objects.filter(batch_id=batch_id, state=RowState.STAGED.value)
