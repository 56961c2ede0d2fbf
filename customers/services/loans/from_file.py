"""Take in products, applications, loans, schedules and repayments, and keep loan states derived."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from customers.domain.loans.cells import RowError
from customers.domain.loans.loan import LoanStatus, loan_state, received_amount
from customers.domain.loans.rows import LoanKind, LoanRow, parse_row
from customers.domain.reading.records import ColumnMap
from customers.models import Loan
from customers.selectors import loan_books
from customers.selectors.loan_books import LoanBook
from customers.services.events import from_file, lifecycle
from customers.services.loans.upserts import LoanCounts, upsert
from customers.services.sources import registry
from customers.services.sources.balance import require_balance
from customers.services.sources.file_names import remembered_name
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database import bulk

_BATCH = 1000
_STATE_BATCH = 500
_STATE_COLUMNS = (
    "status",
    "dpd_days",
    "max_dpd_days",
    "outstanding_amount",
    "settled_on",
    "state_as_of",
)
_EMPTY = LoanBook()


@dataclass(frozen=True, slots=True)
class LoanImport:
    """What became of the rows: rows = created + updated + unchanged + rejected.

    Attributes:
        rejected_lines: (line, reason) of the first rows that could not be read.
        joined_lines: Where the first rows begin that were read from several lines.
    """

    source: str
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    by_reason: Mapping[str, int]
    rejected_lines: tuple[tuple[int, str], ...] = ()
    joined_lines: tuple[int, ...] = ()

    @classmethod
    def of(cls, source: str, counts: LoanCounts, joined_lines: Sequence[int]) -> "LoanImport":
        """Return what an import of these counts was."""
        return cls(
            source=source,
            rows=counts.rows,
            created=counts.created,
            updated=counts.updated,
            unchanged=counts.unchanged,
            rejected=counts.rejected,
            by_reason=dict(sorted(counts.reasons.items())),
            rejected_lines=tuple(counts.lines[: from_file.NOTED_LINES]),
            joined_lines=tuple(joined_lines[: from_file.NOTED_LINES]),
        )


def import_loans(
    *,
    actor: Actor,
    path: Path,
    kind: LoanKind,
    now: datetime,
    source: str = "",
    column_map: ColumnMap | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> LoanImport:
    """Read a file of one kind; rows are found again by their external ids.

    Rows that say nothing new change nothing. The state of every loan concerned (days past due,
    outstanding amount, status) is derived anew in the same transaction as the rows.

    Args:
        actor: Who imports.
        path: CSV, XLSX or JSON lines; columns as in `customers.domain.loans.rows.parse_row`.
        kind: What the file holds.
        now: When; loan states are as of this day in the company's time zone.
        source: Whose external ids the file uses; found by the customers' ids when empty.
        column_map: What the file's columns are called by us.
        on_progress: Called with the number of rows done.

    Raises:
        PermissionRefused: The actor may not add loans.
        RowsRefused: The file cannot be read.
        RowsUnbalanced: Rows of the file have gone astray.
        SourceUnknown: The source is not registered, and only registered ones may hand in data.
        SourceBarred: The source's contract is not in force.
    """
    act = acting(actor, "customers.add_loan", now=now)
    total, count = LoanCounts(), 0
    with from_file.opened(path, column_map) as records:
        named = source or (column_map.source if column_map else "")
        name, rows = _source_of(kind, records.rows, named)
        registry.admit(actor=actor, name=name, now=now)
        for batch in from_file.batches(rows, _BATCH):
            count += len(batch)
            total.add(take_in(kind=kind, rows=batch, source=name, now=now))
            if on_progress:
                on_progress(len(batch))
    result = LoanImport.of(name, total, records.joined_lines)
    require_balance(
        count,
        created=result.created,
        updated=result.updated,
        unchanged=result.unchanged,
        rejected=result.rejected,
    )
    with act:
        facts: dict[str, object] = {
            "file": remembered_name(path.name),
            "rows": result.rows,
            "rejected": result.rejected,
        }
        facts |= {"created": result.created, "updated": result.updated}
        act.record(f"{kind.value}.import", on=(Loan, name), facts=facts)
    return result


def take_in(
    *, kind: LoanKind, rows: Iterable[Mapping[str, Any]], source: str, now: datetime
) -> LoanCounts:
    """Check and write one batch of rows and refresh the states of the loans concerned."""
    parsed: list[LoanRow] = []
    counts = LoanCounts()
    zone = clock.company_zone()
    for row in rows:
        if flaw := from_file.note_flaw(row, counts.lines):
            counts.rows += 1
            counts.reasons[flaw] += 1
            continue
        try:
            parsed.append(parse_row(kind, row, zone=zone))
        except RowError as err:
            counts.rows += 1
            counts.reasons[err.problem.value] += 1
            from_file.note_line(row, code=err.problem.value, lines=counts.lines)
    with transaction.atomic():
        counts.add(upsert(kind=kind, rows=parsed, source=source))
        today = now.astimezone(clock.company_zone()).date()
        _refresh(Loan.objects.filter(pk__in=counts.loan_ids), as_of=today)
        owners = Loan.objects.filter(pk__in=counts.loan_ids).values_list("customer_id", flat=True)
        lifecycle.refresh_stages(customer_ids=counts.customer_ids | set(owners), now=now)
    return counts


def refresh_loan_states(
    *,
    actor: Actor,
    now: datetime,
    as_of: date | None = None,
    loan_ids: Collection[int] | None = None,
) -> int:
    """Derive the state of loans at the end of a day and return how many loans were written.

    Loans whose state the source reports keep it. Cancelled loans are left alone.

    Args:
        actor: Who asks; a nightly job as a rule.
        now: When.
        as_of: The day, by default the company's today.
        loan_ids: Only these; all loans without it.

    Raises:
        PermissionRefused: The actor may not change loans.
    """
    act = acting(actor, "customers.change_loan", now=now)
    day = as_of or now.astimezone(clock.company_zone()).date()
    loans = Loan.objects.all() if loan_ids is None else Loan.objects.filter(pk__in=loan_ids)
    count = 0
    last_pk = 0
    while batch := list(loans.filter(pk__gt=last_pk).order_by("pk")[:_STATE_BATCH]):
        last_pk = batch[-1].pk
        with transaction.atomic():
            count += _refresh_batch(batch, day)
    with act:
        act.record(
            "loans.refresh",
            on=(Loan, "all" if loan_ids is None else "some"),
            facts={"as_of": day.isoformat(), "loans": count},
        )
    return count


def _refresh(loans: "QuerySet[Loan]", *, as_of: date) -> None:
    rows = list(loans.order_by("pk"))
    for start in range(0, len(rows), _STATE_BATCH):
        _refresh_batch(rows[start : start + _STATE_BATCH], as_of)


def _refresh_batch(loans: list[Loan], as_of: date) -> int:
    books = loan_books.load_books(
        loan_ids=[loan.pk for loan in loans if not loan.is_state_reported]
    )
    rows = [
        (loan.pk, *_state_columns(loan, books.get(loan.pk, _EMPTY), as_of))
        for loan in loans
        if loan.status != LoanStatus.CANCELLED
    ]
    return len(bulk.update_rows(Loan, key="id", columns=_STATE_COLUMNS, rows=rows))


def _state_columns(loan: Loan, book: LoanBook, as_of: date) -> tuple[Any, ...]:
    if loan.is_state_reported:
        is_settled = loan.status == LoanStatus.SETTLED
        return (
            loan.status,
            loan.dpd_days,
            loan.max_dpd_days,
            Decimal(0) if is_settled else loan.outstanding_amount,
            loan.closed_on if is_settled else None,
            as_of,
        )
    state = loan_state(
        schedule=book.schedule,
        payments=book.payments,
        disbursed_date=loan.disbursed_on,
        as_of=as_of,
        settled_date=loan.closed_on,
        charged_off_date=loan.charged_off_on,
    )
    outstanding = state.outstanding_amount
    if not book.schedule and state.status in {LoanStatus.ACTIVE, LoanStatus.CHARGED_OFF}:
        # Without a schedule nothing is due yet: what was lent less what was received is owed.
        paid = received_amount(book.payments, as_of)
        outstanding = max(loan.principal_amount - paid, Decimal(0))
    return (
        state.status.value,
        state.dpd_days,
        state.max_dpd_days,
        outstanding,
        state.settled_date,
        as_of,
    )


def _source_of(kind: LoanKind, rows: Any, source: str) -> tuple[str, Iterable[Mapping[str, Any]]]:
    """Return the source; without one, the source that knows most of the ids the file refers to."""
    if source or kind is LoanKind.PRODUCTS:
        return source or from_file.UNKNOWN_SOURCE, rows
    if kind in {LoanKind.INSTALMENTS, LoanKind.REPAYMENTS}:
        head, rest = from_file.split_head(rows)
        ids = {str(row.get("loan_id") or "").strip() for row in head} - {""}
        return loan_books.best_source(ids) or from_file.UNKNOWN_SOURCE, rest
    return from_file.source_of(rows, source, column="customer_id")
