"""First pass over a file: check every row and put it, sealed, into the staging table."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from msgspec.structs import replace

from customers.domain.imports.importing import RowReader
from customers.domain.imports.person_row import PersonRow
from customers.domain.imports.repairing import cells_of
from customers.domain.imports.states import RowState
from customers.domain.reading.tabular import Table, TabularRow
from customers.models import IdentityLink, ImportBatch, ImportRow, RejectedRow
from customers.services.imports.counts import ImportCounts
from customers.services.imports.runs import ImportRun
from customers.services.imports.steps.check import CheckedPage, checking, page_of
from customers.services.imports.steps.findings import write_findings
from customers.services.imports.steps.known import known_rows
from customers.services.imports.steps.sealed import (
    FLAWED,
    READ_COLUMNS,
    STAGED_COLUMNS,
    StagedRow,
    open_row,
    staged_values,
)
from customers.services.sources.balance import require_balance
from loancrm.kernel.commands.progress import bar
from loancrm.kernel.database import bulk
from loancrm.kernel.database.bulk_load import load_packed, load_rows
from loancrm.kernel.security import crypto
from loancrm.kernel.security.crypto import Vault
from loancrm.kernel.security.row_keys import row_keys

STAGE_BATCH: Final = 1_000
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def stage(
    *, run: ImportRun, batch: ImportBatch, table: Table, reader: RowReader, counts: ImportCounts
) -> None:
    """Check all rows after the batch's checkpoint and store them, page by page, in file order.

    Rejected rows go to quarantine with their cells sealed. What was counted so far is stored with
    each page.

    Raises:
        RowsUnbalanced: What is stored is not what the file holds.
    """
    last = int(run.checkpoint.get("line", 0))
    counted = _Counted(table, reader.mapping.unmapped_columns(table.columns))
    rows = (row for row in counted if row.line > last)
    source = batch.source if IdentityLink.objects.filter(source=batch.source).exists() else ""
    ahead: deque[tuple[int, Future[CheckedPage]]] = deque()
    with (
        bar(total=table.row_estimate or None, description="read") as progress,
        checking(
            batch_id=int(batch.pk),
            reader=reader,
            now=run.started_at,
            row_estimate=table.row_estimate,
        ) as (submit, most_ahead),
    ):
        while True:
            chunk = list(islice(rows, STAGE_BATCH))
            if chunk:
                known = known_rows(source=source, rows=chunk, reader=reader) if source else {}
                ahead.append((chunk[-1].line, submit(page_of(chunk, known))))
            while ahead and (len(ahead) > most_ahead or not chunk):
                run.raise_if_requested()
                line, checked = ahead.popleft()
                _store(run, batch, line, checked.result(), reader, counts)
                progress.update(checked.result().row_count)
            if not chunk:
                break
    left_out = [name for name in table.columns if name in counted.left_out]
    batch.mapping |= {"left_out": left_out}
    run.save_progress({"mapping": batch.mapping})
    require_balance(counted.count, counted=counts.rows)
    require_balance(
        counted.count,
        staged=ImportRow.objects.filter(batch=batch).count(),
        rejected=RejectedRow.objects.filter(batch=batch).count(),
    )


class _Counted:
    """The rows of a table, counted apart from what becomes of them.

    `left_out` are the columns with values that the mapping says nothing about.
    """

    def __init__(self, table: Table, unmapped: Sequence[str]) -> None:
        self._table = table
        self._unseen = list(unmapped)
        self.count = 0
        self.left_out: set[str] = set()

    def __iter__(self) -> Iterator[TabularRow]:
        for row in self._table:
            self.count += 1
            if self._unseen:
                self._look(row)
            yield row

    def _look(self, row: TabularRow) -> None:
        found = {name for name in self._unseen if row.values.get(name, "").strip()}
        if found:
            self.left_out |= found
            self._unseen = [name for name in self._unseen if name not in found]


def _store(
    run: ImportRun,
    batch: ImportBatch,
    last_line: int,
    page: CheckedPage,
    reader: RowReader,
    counts: ImportCounts,
) -> None:
    """Store a page with all that was counted up to it."""
    counts.rows += page.row_count
    counts.rejected += len(page.rejected)
    before = dict(counts.by_reason)
    for line, findings in page.findings.items():
        counts.note_row(line, findings)
    reader.scorecard.add(page.card)
    with transaction.atomic():
        bulk.commit_lazily()
        load_packed(ImportRow, STAGED_COLUMNS, page.staged)
        RejectedRow.objects.bulk_create(page.rejected)
        write_findings(batch, page.noticed, counted=before)
        run.checkpoint.update(
            line=last_line, tally=counts.as_json(), card=reader.scorecard.as_json()
        )
        run.save_checkpoint({"row_count": counts.rows}, done_count=counts.rows)


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
    """Stage rows that were refused before, in the caller's transaction.

    What their line of the file says is refused again next time, so its digest is of no use.
    """
    vault, keys = crypto.vault(), row_keys()
    rows = (
        staged_values(
            batch_id=int(batch.pk),
            person=person,
            digest=FLAWED + vault.blind_index(ImportRow.DIGEST_COLUMN, _said(person)),
            keys=keys,
            vault=vault,
        )
        for person in people
    )
    load_rows(ImportRow, (*STAGED_COLUMNS, "is_repaired"), [(*row, True) for row in rows])


def _said(person: PersonRow) -> str:
    return _ENCODER.encode(replace(person, line=0)).decode()


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
