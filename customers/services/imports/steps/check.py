"""First pass over a file, the part without a database: check rows and make them ready to be stored.

Large files are checked in several processes: it is by far the most work of an import, and a row
needs no other one for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from django.db import connection

from customers.domain.imports.importing import RowReader
from customers.domain.reading.tabular import TabularRow
from customers.domain.values.quality import Code, QualityFinding, QualitySeverity, Scorecard
from customers.models import ImportRow, RejectedRow
from customers.services.imports.steps.findings import Noticed, shown_cell
from customers.services.imports.steps.known import KnownRow, digest_of, unchanged_values
from customers.services.imports.steps.sealed import FLAWED, STAGED_COLUMNS, staged_values
from loancrm.kernel.database.bulk_load import Packed, pack_rows
from loancrm.kernel.processes.forked import forked, process_count
from loancrm.kernel.security import crypto
from loancrm.kernel.security.crypto import Vault
from loancrm.kernel.security.row_keys import row_keys

# Below, starting processes takes longer than they save.
MANY_ROWS: Final = 20_000
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Page(NamedTuple):
    """Rows to be checked, in a form that is quick to hand to another process.

    Attributes:
        rows: (line, surplus cells, missing cells, flaw, whether lines were joined, cells in the
            order of `columns`).
        known: The rows among them that say what they said last time, by line.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[int, int, int, Code | None, bool, tuple[str, ...]]]
    known: Mapping[int, KnownRow]


class CheckedPage(NamedTuple):
    """What became of a page: rows to be staged, rows for quarantine, and what was noticed.

    Attributes:
        findings: Of rows with findings, by line.
        card: The quality figures of the page alone.
        noticed: The findings again, with the cells that they are about, masked.
    """

    row_count: int
    staged: Packed
    rejected: Sequence[RejectedRow]
    findings: Mapping[int, tuple[QualityFinding, ...]]
    card: Scorecard
    noticed: Sequence[Noticed] = ()


Submit = Callable[[Page], "Future[CheckedPage]"]


def page_of(rows: Sequence[TabularRow], known: Mapping[int, KnownRow]) -> Page:
    """Return some rows of a file as a page; all rows of a file have the same columns."""
    columns = tuple(rows[0].values)
    cells = [
        (*(row.line, row.surplus, row.missing, row.flaw, row.is_joined), tuple(row.values.values()))
        for row in rows
    ]
    return Page(columns, cells, known)


@contextmanager
def checking(
    *, batch_id: int, reader: RowReader, now: datetime, row_estimate: int
) -> Iterator[tuple[Submit, int]]:
    """Yield a function that checks pages, and how many of them it is best given ahead."""
    checker = _PageChecker(batch_id, reader.again(), now)
    count = process_count() if row_estimate >= MANY_ROWS else 1
    if count == 1 or connection.vendor != "postgresql":
        yield checker.check_now, 0
        return
    with forked(checker.check, count) as submit:
        yield submit, 2 * count


@dataclass(frozen=True, slots=True)
class _PageChecker:
    """Checks pages of one batch; `reader` keeps no figures from one page to the next."""

    batch_id: int
    reader: RowReader
    now: datetime

    def check_now(self, page: Page) -> Future[CheckedPage]:
        done: Future[CheckedPage] = Future()
        done.set_result(self.check(page))
        return done

    def check(self, page: Page) -> CheckedPage:
        rejected: list[RejectedRow] = []
        findings: dict[int, tuple[QualityFinding, ...]] = {}
        staged = self._staged(page, rejected, findings)
        packed = pack_rows(ImportRow, STAGED_COLUMNS, staged)
        return CheckedPage(
            len(page.rows),
            packed,
            rejected,
            findings,
            self.reader.take_scorecard(),
            self._noticed(page, findings),
        )

    def _noticed(
        self, page: Page, findings: Mapping[int, tuple[QualityFinding, ...]]
    ) -> list[Noticed]:
        """Return the findings with their cells."""
        if not findings:
            return []
        mapping = self.reader.mapping
        return [
            Noticed(row[0], found, shown_cell(mapping=mapping, values=values, column=found.column))
            for row in page.rows
            if row[0] in findings
            for values in [dict(zip(page.columns, row[-1], strict=True))]
            for found in findings[row[0]]
        ]

    def _staged(
        self,
        page: Page,
        rejected: list[RejectedRow],
        findings: dict[int, tuple[QualityFinding, ...]],
    ) -> Iterator[tuple[object, ...]]:
        """Yield the rows to be staged; the others are added to `rejected`."""
        vault, reader, batch_id, keys = crypto.vault(), self.reader, self.batch_id, row_keys()
        for line, surplus, missing, flaw, is_joined, cells in page.rows:
            values = dict(zip(page.columns, cells, strict=True))
            row = TabularRow(line, values, surplus, missing, flaw, is_joined)
            known = page.known.get(line)
            if known is not None:
                reader.pass_over(row)
                yield unchanged_values(
                    batch_id=batch_id, line=line, known=known, row_key=next(keys)
                )
                continue
            person, found = reader.read(row)
            if found:
                findings[line] = found
            refusals = [item for item in found if item.severity is QualitySeverity.ROW_REJECTED]
            if refusals:
                rejected.append(self._rejected(row, found, refusals[-1], vault))
                continue
            digest = digest_of(row=row, reader=reader, vault=vault)
            if found:
                digest = FLAWED + digest
            yield staged_values(
                batch_id=batch_id, person=person, digest=digest, keys=keys, vault=vault
            )

    def _rejected(
        self,
        row: TabularRow,
        findings: Sequence[QualityFinding],
        refusal: QualityFinding,
        vault: Vault,
    ) -> RejectedRow:
        rejected = RejectedRow(
            batch_id=self.batch_id,
            line=row.line,
            code=refusal.code,
            column=refusal.column,
            codes=[finding.code.value for finding in findings],
            created_at=self.now,
        )
        cells: Any = dict(row.values)
        text = _ENCODER.encode(cells).decode()
        rejected.cells_sealed = vault.seal(RejectedRow.CELLS_COLUMN, rejected.row_key, text)
        return rejected
