"""First pass over a file: check every row and put it, sealed, into the staging table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import uuid4

import msgspec
from django.db import transaction

from customers.domain.contact import ContactKind
from customers.domain.identity import Likeness
from customers.domain.importing import RowReader
from customers.domain.names import name_key
from customers.domain.person_row import PersonRow
from customers.domain.quality import Finding, Severity
from customers.domain.repairing import cells_of
from customers.domain.tabular import Table, TabularRow
from customers.models import ContactPoint, Customer, ImportBatch, ImportRow, RejectedRow, RowState
from customers.services.imports_runs import Run
from customers.services.imports_tally import Tally
from loancrm.kernel import crypto
from loancrm.kernel.bulk_load import load_rows
from loancrm.kernel.crypto import Vault
from loancrm.kernel.progress import bar

STAGE_BATCH: Final = 1_000
_STAGED: Final = (
    *("batch", "line", "leader_line", "row_key", "external_id", "payload_sealed", "row_digest"),
    *("national_id_index", "phone_index", "email_index", "findings", "state"),
)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(PersonRow)


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """The blind indexes of a person's row; contacts in the row's order."""

    name: str
    national_id: str
    contacts: tuple[tuple[str, str], ...]

    def first(self, kind: ContactKind) -> str:
        """Return the index of the first contact of a kind, or an empty text."""
        return next((index for found, index in self.contacts if found == kind), "")

    def likeness(self, person: PersonRow) -> Likeness:
        """Return what the person is compared by."""
        return Likeness(
            national_id=self.national_id,
            name=self.name,
            birth_date=person.birth_date,
            phones=frozenset(index for kind, index in self.contacts if kind == ContactKind.PHONE),
            emails=frozenset(index for kind, index in self.contacts if kind == ContactKind.EMAIL),
        )


def keys_of(person: PersonRow, vault: Vault) -> PersonKeys:
    """Return the blind indexes of everything that identifies a person."""
    key = name_key(person.name) if person.name else ""
    national_id = person.national_id
    return PersonKeys(
        name=vault.blind_index(Customer.NAME_COLUMN, key) if key else "",
        national_id=(
            vault.blind_index(Customer.NATIONAL_ID_COLUMN, national_id) if national_id else ""
        ),
        contacts=tuple(
            (contact.kind.value, vault.blind_index(ContactPoint.VALUE_COLUMN, contact.value))
            for contact in person.contacts
        ),
    )


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
            staged, rejected = _checked(run, batch, chunk, reader, tally)
            batch.checkpoint |= {
                "line": chunk[-1].line,
                "tally": tally.as_json(),
                "card": reader.scorecard.as_json(),
            }
            with transaction.atomic():
                load_rows(ImportRow, _STAGED, staged)
                RejectedRow.objects.bulk_create(rejected)
                run.keep(checkpoint=batch.checkpoint, done_count=tally.rows, row_count=tally.rows)
            progress.update(len(chunk))


def _checked(
    run: Run, batch: ImportBatch, chunk: Sequence[TabularRow], reader: RowReader, tally: Tally
) -> tuple[list[tuple[object, ...]], list[RejectedRow]]:
    vault = crypto.vault()
    now = run.started_at
    staged, rejected = [], []
    for row in chunk:
        person, findings = reader.read(row)
        tally.read_row(row.line, findings)
        refusals = [item for item in findings if item.severity is Severity.ROW_REJECTED]
        if refusals:
            tally.rejected += 1
            rejected.append(_rejected_row(batch, row, findings, refusals[-1], vault, now))
        else:
            staged.append(_staged_row(batch, person, findings, vault))
    return staged, rejected


def open_row(row: ImportRow, vault: Vault) -> PersonRow:
    """Return the person of a staged row."""
    sealed = row.payload_sealed or b""
    payload = vault.open(ImportRow.PAYLOAD_COLUMN, row.row_key, sealed)
    return replace(_DECODER.decode(payload), line=row.line)


def quarantine(*, row: ImportRow, code: str, vault: Vault, now: datetime) -> RejectedRow:
    """Return the quarantine row of a staged row that could not be applied."""
    sealed = row.payload_sealed or b""
    rejected = RejectedRow(
        batch_id=row.batch_id,
        line=row.line,
        code=code,
        codes=[code],
        created_at=now,
        is_person=True,
    )
    person = _DECODER.decode(vault.open(ImportRow.PAYLOAD_COLUMN, row.row_key, sealed))
    text = _ENCODER.encode(cells_of(person)).decode()
    rejected.cells_sealed = vault.seal(RejectedRow.CELLS_COLUMN, rejected.row_key, text)
    return rejected


def stage_repaired(
    batch: ImportBatch, people: Iterable[tuple[PersonRow, tuple[Finding, ...]]]
) -> None:
    """Stage rows that were refused before, in the caller's transaction."""
    vault = crypto.vault()
    rows = [(*_staged_row(batch, person, found, vault), True) for person, found in people]
    load_rows(ImportRow, (*_STAGED, "is_repaired"), rows)


def _staged_row(
    batch: ImportBatch, person: PersonRow, findings: tuple[Finding, ...], vault: Vault
) -> tuple[object, ...]:
    payload = _ENCODER.encode(replace(person, line=0)).decode()
    digest = vault.blind_index(ImportRow.DIGEST_COLUMN, payload)
    keys = keys_of(person, vault)
    row_key = uuid4()
    return (
        *(batch.pk, person.line, person.line, row_key),
        # A row without an id is its own source record: only an equal row is the same one.
        person.external_id or f"#{digest}",
        vault.seal(ImportRow.PAYLOAD_COLUMN, row_key, payload),
        *(digest, keys.national_id, keys.first(ContactKind.PHONE), keys.first(ContactKind.EMAIL)),
        *([[item.code.value, item.column] for item in findings], RowState.STAGED.value),
    )


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


def pages(batch_id: int, *, size: int) -> Iterator[list[ImportRow]]:
    """Yield the rows still to be applied, whole persons at a time, in file order of their leaders.

    Rows are read by their place after the last page, not by a cursor, so each page sees what the
    one before it has committed.
    """
    after = -1
    while True:
        waiting = ImportRow.objects.filter(
            batch_id=batch_id, state=RowState.STAGED.value, leader_line__gt=after
        )
        page = list(waiting.order_by("leader_line", "line")[:size])
        if not page:
            return
        last = page[-1].leader_line
        if len(page) == size and page[0].leader_line != last:
            page = [row for row in page if row.leader_line != last]
        elif len(page) == size:
            page = list(waiting.filter(leader_line=last).order_by("line"))
        after = page[-1].leader_line
        yield page
