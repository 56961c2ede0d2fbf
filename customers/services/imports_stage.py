"""First pass over a file: check every row and put it, sealed, into the staging table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from msgspec.structs import replace

from customers.domain.importing import RowReader
from customers.domain.person_row import PersonRow
from customers.domain.quality import Finding, Severity
from customers.domain.repairing import cells_of
from customers.domain.tabular import Table, TabularRow
from customers.models import IdentityLink, ImportBatch, ImportRow, RejectedRow, RowState
from customers.services.imports_known import KnownRow, digest_of, known_rows, unchanged_values
from customers.services.imports_runs import Run
from customers.services.imports_sealed import (
    FLAWED,
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
    has_history = IdentityLink.objects.filter(source=batch.source).exists()
    with bar(total=table.row_estimate or None, description="read") as progress:
        while chunk := list(islice(iterator, STAGE_BATCH)):
            run.pause_point()
            page = _Page(int(batch.pk), reader, tally, run.started_at)
            with transaction.atomic():
                bulk.commit_lazily()
                if has_history:
                    page.known = known_rows(source=batch.source, rows=chunk, reader=reader)
                # The database takes in the first rows while the next ones are being checked.
                load_rows(ImportRow, STAGED_COLUMNS, page.checked(chunk))
                batch.checkpoint |= {
                    "line": chunk[-1].line,
                    "tally": tally.as_json(),
                    "card": reader.scorecard.as_json(),
                }
                RejectedRow.objects.bulk_create(page.rejected)
                run.keep(checkpoint=batch.checkpoint, done_count=tally.rows, row_count=tally.rows)
            progress.update(len(chunk))


@dataclass(slots=True)
class _Page:
    """Some rows on their way into the staging table.

    Attributes:
        known: {line: (digest, customer)} of the rows that say what they said last time.
        rejected: The rows that go to quarantine instead.
    """

    batch_id: int
    reader: RowReader
    tally: Tally
    now: datetime
    known: Mapping[int, KnownRow] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)

    def checked(self, rows: Iterable[TabularRow]) -> Iterator[tuple[object, ...]]:
        """Yield the rows to be staged; the others are added to `rejected`."""
        vault = crypto.vault()
        for row in rows:
            known = self.known.get(row.line)
            if known is not None:
                self.reader.pass_over(row)
                self.tally.read_row(row.line, ())
                yield unchanged_values(batch_id=self.batch_id, line=row.line, known=known)
                continue
            person, findings = self.reader.read(row)
            self.tally.read_row(row.line, findings)
            refusals = [item for item in findings if item.severity is Severity.ROW_REJECTED]
            if refusals:
                self.tally.rejected += 1
                self.rejected.append(self._rejected(row, findings, refusals[-1], vault))
                continue
            digest = digest_of(row=row, reader=self.reader, vault=vault)
            if findings:
                digest = FLAWED + digest
            yield staged_values(batch_id=self.batch_id, person=person, digest=digest, vault=vault)

    def _rejected(
        self, row: TabularRow, findings: Sequence[Finding], refusal: Finding, vault: Vault
    ) -> RejectedRow:
        rejected = RejectedRow(
            batch_id=self.batch_id,
            line=row.line,
            code=refusal.code,
            column=refusal.column,
            codes=[finding.code.value for finding in findings],
            created_at=self.now,
        )
        cells = _ENCODER.encode(dict(row.values)).decode()
        rejected.cells_sealed = vault.seal(RejectedRow.CELLS_COLUMN, rejected.row_key, cells)
        return rejected


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
    vault = crypto.vault()
    rows = (
        staged_values(
            batch_id=int(batch.pk),
            person=person,
            digest=FLAWED + vault.blind_index(ImportRow.DIGEST_COLUMN, _said(person)),
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
