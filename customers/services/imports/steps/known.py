"""Rows that say what they said last time: recognised by their cells, before they are read.

A file that comes every day differs from yesterday's in a few rows. Recognised are only rows with
which nothing was wrong and whose customer no other id of the source leads to; a row that shares
something with a row that is new is read after all, so that the outcome is the same as if every row
had been.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet

from customers.domain.imports.importing import RowReader
from customers.domain.imports.states import RowState
from customers.domain.reading.tabular import TabularRow, open_table
from customers.domain.values.contact import ContactKind
from customers.models import ContactPoint, Customer, ImportBatch, ImportRow
from customers.selectors.identity.person_matching import customers_of_one_link, known_links
from customers.services.imports.steps.sealed import STAGED_COLUMNS, nameless_id, staged_values
from loancrm.kernel.database import bulk
from loancrm.kernel.database.bulk_load import load_rows
from loancrm.kernel.security import crypto
from loancrm.kernel.security.crypto import Vault
from loancrm.kernel.security.row_keys import row_keys

_PAGE: Final = 1_000


class KnownRow(NamedTuple):
    """A row that was applied before just as it stands, and whose customer it is."""

    external_id: str
    digest: str
    customer_id: int


def digest_of(*, row: TabularRow, reader: RowReader, vault: Vault) -> str:
    """Return the keyed fingerprint of what a row says."""
    return vault.blind_index(ImportRow.DIGEST_COLUMN, reader.fingerprint(row))


def known_rows(
    *, source: str, rows: Sequence[TabularRow], reader: RowReader
) -> dict[int, KnownRow]:
    """Return those of some rows that say what they said last time, by line; three queries."""
    vault = crypto.vault()
    said = {}
    for row in rows:
        if not row.surplus and row.flaw is None:
            digest = digest_of(row=row, reader=reader, vault=vault)
            said[row.line] = (reader.external_id(row) or nameless_id(digest), digest)
    links = known_links(
        source=source, external_ids=[external_id for external_id, _ in said.values()]
    )
    same = {
        line: KnownRow(external_id, digest, links[external_id].customer_id)
        for line, (external_id, digest) in said.items()
        if external_id in links and links[external_id].row_digest == digest
    }
    owners = [row.customer_id for row in same.values()]
    safe = customers_of_one_link(source=source, customer_ids=owners)
    return {line: row for line, row in same.items() if row.customer_id in safe}


def unchanged_values(
    *, batch_id: int, line: int, known: KnownRow, row_key: UUID
) -> tuple[object, ...]:
    """Return a row of the staging table for which nothing is left to be done."""
    return (
        *(batch_id, line, line, row_key, known.external_id, None, known.digest, "", "", ""),
        *(RowState.UNCHANGED.value, True, known.customer_id),
    )


def restage_shared(*, batch: ImportBatch, path: Path, reader: RowReader) -> int:
    """Read those recognised rows after all that share something with another row of the file.

    Returns:
        How many rows stay recognised.
    """
    known = ImportRow.objects.filter(batch=batch, state=RowState.UNCHANGED.value)
    if not known.exists():
        return 0
    bulk.refresh_statistics(ImportRow)
    lines = _shared_lines(batch, known)
    if lines:
        again, vault, keys = reader.again(), crypto.vault(), row_keys()
        with open_table(path, encoding=batch.encoding) as table:
            wanted = (row for row in table if row.line in lines)
            for page in _pages(wanted):
                people = [
                    (again.read(row)[0], digest_of(row=row, reader=reader, vault=vault))
                    for row in page
                ]
                with transaction.atomic():
                    known.filter(line__in=[row.line for row in page]).delete()
                    values = (
                        staged_values(
                            batch_id=int(batch.pk),
                            person=person,
                            digest=digest,
                            keys=keys,
                            vault=vault,
                        )
                        for person, digest in people
                    )
                    load_rows(ImportRow, STAGED_COLUMNS, values)
    return known.count()


def _shared_lines(batch: ImportBatch, known: QuerySet[ImportRow]) -> set[int]:
    """Return the lines of recognised rows whose id or person comes up elsewhere in the file."""
    rows = ImportRow.objects.filter(batch=batch)
    ids = rows.order_by().values("external_id").annotate(n=Count("pk")).filter(n__gt=1)
    lines = set(
        known.filter(external_id__in=ids.values("external_id")).values_list("line", flat=True)
    )
    fresh = rows.filter(state=RowState.STAGED.value)
    if not fresh.exists():
        return lines
    points = ContactPoint.objects.all()
    numbers = fresh.exclude(national_id_index="").values("national_id_index")
    people: list[Any] = [Customer.objects.filter(national_id_index__in=numbers).values("pk")]
    for kind in (ContactKind.PHONE, ContactKind.EMAIL):
        column = f"{kind.value}_index"
        indexes = fresh.exclude(**{column: ""}).values(column)
        people.append(points.filter(kind=kind, value_index__in=indexes).values("customer"))
    for reached in people:
        lines.update(known.filter(customer__in=reached).values_list("line", flat=True))
    return lines


def _pages(rows: Iterator[TabularRow]) -> Iterator[list[TabularRow]]:
    while page := list(islice(rows, _PAGE)):
        yield page
