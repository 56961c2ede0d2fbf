"""First pass over a file: check every row and put it, sealed, into the staging table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID, uuid4

import msgspec
from django.db import transaction
from django.db.models import QuerySet

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
from loancrm.kernel import bulk, crypto
from loancrm.kernel.bulk_load import load_rows
from loancrm.kernel.crypto import Vault
from loancrm.kernel.progress import bar

STAGE_BATCH: Final = 1_000
_STAGED: Final = (
    *("batch", "line", "leader_line", "row_key", "external_id", "payload_sealed", "row_digest"),
    *("national_id_index", "phone_index", "email_index", "findings", "state", "is_alone"),
)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_READ: Final = (
    *("id", "line", "leader_line", "row_key", "external_id", "payload_sealed", "row_digest"),
    "state",
)


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


@dataclass(frozen=True, slots=True)
class StagedPerson:
    """What a staged row holds, sealed."""

    row: PersonRow
    keys: PersonKeys


_DECODER: Final = msgspec.json.Decoder(StagedPerson)


@dataclass(slots=True)
class StagedRow:
    """A row of the staging table while it is applied; `state` is what became of it."""

    id: int
    line: int
    leader_line: int
    row_key: UUID
    external_id: str
    payload_sealed: bytes
    row_digest: str
    state: str


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
            rejected: list[RejectedRow] = []
            with transaction.atomic():
                bulk.commit_lazily()
                # The database takes in the first rows while the next ones are being checked.
                load_rows(ImportRow, _STAGED, _checked(run, batch, chunk, reader, tally, rejected))
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
            yield _staged_row(batch_id, person, findings, vault)


def open_row(row: StagedRow, vault: Vault) -> StagedPerson:
    """Return the person of a staged row."""
    return _DECODER.decode(vault.open(ImportRow.PAYLOAD_COLUMN, row.row_key, row.payload_sealed))


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


def stage_repaired(
    batch: ImportBatch, people: Iterable[tuple[PersonRow, tuple[Finding, ...]]]
) -> None:
    """Stage rows that were refused before, in the caller's transaction."""
    vault = crypto.vault()
    batch_id = int(batch.pk)
    rows = [(*_staged_row(batch_id, person, found, vault), True) for person, found in people]
    load_rows(ImportRow, (*_STAGED, "is_repaired"), rows)


def _staged_row(
    batch_id: int, person: PersonRow, findings: tuple[Finding, ...], vault: Vault
) -> tuple[object, ...]:
    said = _ENCODER.encode(person)
    # The line stands first, and is not what the row says.
    digest = vault.blind_index(ImportRow.DIGEST_COLUMN, said.partition(b",")[2].decode())
    keys = keys_of(person, vault)
    payload = _ENCODER.encode({"row": msgspec.Raw(said), "keys": keys}).decode()
    row_key = uuid4()
    return (
        *(batch_id, person.line, person.line, row_key),
        # A row without an id is its own source record: only an equal row is the same one.
        person.external_id or f"#{digest}",
        vault.seal(ImportRow.PAYLOAD_COLUMN, row_key, payload),
        *(digest, keys.national_id, keys.first(ContactKind.PHONE), keys.first(ContactKind.EMAIL)),
        [[item.code.value, item.column] for item in findings],
        # Only the first contact of a kind is compared within the file, see `match_in_file`.
        *(RowState.STAGED.value, len({kind for kind, _ in keys.contacts}) == len(keys.contacts)),
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


def lone_digests(batch_id: int, lines: range) -> dict[str, tuple[int, str]]:
    """Return {external id: (key, digest)} of the rows that `lone_rows` returns."""
    rows = _lone(batch_id, lines).values_list("external_id", "id", "row_digest")
    return {external_id: (pk, digest) for external_id, pk, digest in rows}


def lone_rows(batch_id: int, lines: range) -> list[StagedRow]:
    """Return the rows of some lines still to be applied that share nothing with another row."""
    return staged_rows(_lone(batch_id, lines).order_by("leader_line"))


def _lone(batch_id: int, lines: range) -> QuerySet[ImportRow]:
    return _waiting(batch_id).filter(
        is_alone=True, leader_line__gte=lines.start, leader_line__lt=lines.stop
    )


def staged_rows(rows: QuerySet[ImportRow]) -> list[StagedRow]:
    """Return staged rows with what applying them needs."""
    return [StagedRow(*values) for values in rows.values_list(*_READ)]


def _waiting(batch_id: int) -> QuerySet[ImportRow]:
    return ImportRow.objects.filter(batch_id=batch_id, state=RowState.STAGED.value)
