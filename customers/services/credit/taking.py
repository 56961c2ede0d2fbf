"""Take in what bureaus, employers, vendors and the own systems say of people's credit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from customers.domain.credit.rows import CreditKind, CreditRow, parse_row
from customers.domain.loans.cells import RowError, RowProblem
from customers.domain.reading.records import ColumnMap
from customers.models import DataSource
from customers.services.credit.attributes import write_credit_attributes
from customers.services.credit.upserts import CreditCounts, upsert_credit
from customers.services.events import from_file
from customers.services.sources import registry
from customers.services.sources.balance import require_balance
from customers.services.sources.file_names import remembered_name
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

ADD = "customers.add_bureaupull"
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class CreditImport:
    """What became of the rows: rows = created + updated + unchanged + rejected.

    Attributes:
        rejected_lines: (line of a file, or place in a call; reason) of the first rejected rows.
    """

    source: str
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    by_reason: Mapping[str, int]
    rejected_lines: tuple[tuple[int, str], ...] = ()


def import_credit_facts(
    *,
    actor: Actor,
    path: Path,
    kind: CreditKind,
    source: str,
    now: datetime,
    column_map: ColumnMap | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> CreditImport:
    """Read a file of one kind; rows are found again by their external ids.

    Rows that say nothing new change nothing. A batch is committed with the attributes that follow
    from it, so a stopped import is finished by running it again.

    Args:
        path: CSV, XLSX or JSON lines; columns as in `customers.domain.credit.rows.parse_row`.
        source: Who says so, and whose external ids of customers the file uses.
        now: When; attributes are as of this day in the company's zone.

    Raises:
        PermissionRefused: The actor may not add credit facts.
        RowsRefused: The file cannot be read.
        RowsUnbalanced: Rows of the file have gone astray.
        SourceUnknown, SourceBarred: The source may not hand in data.
    """
    act = acting(actor, ADD, now=now)
    total, count = CreditCounts(), 0
    with from_file.opened(path, column_map) as records:
        registry.admit(actor=actor, name=source, now=now)
        for batch in from_file.batches(records.rows, _BATCH):
            count += len(batch)
            total.add(_take_in(kind=kind, rows=batch, source=source, now=now))
            if on_progress:
                on_progress(len(batch))
    result = _result(source, total)
    require_balance(
        count,
        created=result.created,
        updated=result.updated,
        unchanged=result.unchanged,
        rejected=result.rejected,
    )
    with act:
        act.record(
            "credit_facts.import",
            on=(DataSource, source),
            facts={"file": remembered_name(path.name), "kind": kind.value, **_facts(result)},
        )
    return result


def receive_credit_facts(
    *,
    actor: Actor,
    kind: CreditKind,
    rows: Sequence[Mapping[str, Any]],
    source: str,
    now: datetime,
) -> CreditImport:
    """Take in the rows of one call; all that are right in one transaction, others told by place.

    Raises:
        PermissionRefused: The actor may not add credit facts.
        SourceUnknown, SourceBarred: The source may not hand in data.
    """
    act = acting(actor, ADD, now=now)
    registry.admit(actor=actor, name=source, now=now)
    with act:
        counts = _take_in(kind=kind, rows=rows, source=source, now=now)
        result = _result(source, counts)
        act.record(
            "credit_facts.hand_in",
            on=(DataSource, source),
            facts={"kind": kind.value, **_facts(result)},
        )
    return result


def _take_in(
    *, kind: CreditKind, rows: Iterable[Mapping[str, Any]], source: str, now: datetime
) -> CreditCounts:
    counts = CreditCounts()
    parsed: list[tuple[int, CreditRow]] = []
    zone = clock.company_zone()
    for place, row in enumerate(rows):
        if flaw := from_file.note_flaw(row, counts.lines):
            counts.rows += 1
            counts.reasons[flaw] += 1
            continue
        line = getattr(row, "line", place)
        try:
            parsed.append((line, parse_row(kind, row, zone=zone)))
        except RowError as err:
            counts.rows += 1
            counts.refuse(line, RowProblem(err.problem))
    with transaction.atomic():
        counts.add(upsert_credit(kind=kind, rows=parsed, source=source))
        write_credit_attributes(customer_ids=counts.customer_ids, now=now)
    return counts


def _result(source: str, counts: CreditCounts) -> CreditImport:
    return CreditImport(
        source=source,
        rows=counts.rows,
        created=counts.created,
        updated=counts.updated,
        unchanged=counts.unchanged,
        rejected=counts.rejected,
        by_reason=dict(sorted(counts.reasons.items())),
        rejected_lines=tuple(sorted(counts.lines)[: from_file.NOTED_LINES]),
    )


def _facts(result: CreditImport) -> dict[str, int]:
    return {
        "rows": result.rows,
        "created": result.created,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "rejected": result.rejected,
    }
