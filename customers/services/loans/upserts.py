"""Write rows of the lending side by their external ids, in a fixed number of queries a batch."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model, QuerySet

from customers.domain.loans.cells import RowProblem
from customers.domain.loans.rows import LoanKind, LoanRow
from customers.models import Application, Instalment, Loan, Product, Repayment
from customers.selectors.identity import keys as identity
from loancrm.kernel.database import bulk


@dataclass(frozen=True, slots=True)
class _Table:
    """How one kind of row is stored: its model and the columns that a row may set."""

    model: type[Model]
    columns: tuple[str, ...]


_TABLES: Mapping[LoanKind, _Table] = {
    LoanKind.PRODUCTS: _Table(
        Product,
        ("name_zh", "name_en", "annual_rate", "min_amount", "max_amount", "term_months"),
    ),
    LoanKind.APPLICATIONS: _Table(
        Application,
        ("customer", "product", "amount", "channel", "status", "submitted_at", "decided_at"),
    ),
    LoanKind.LOANS: _Table(
        Loan,
        (
            "customer",
            "product",
            "application",
            "principal_amount",
            "annual_rate",
            "term_months",
            "disbursed_on",
            "closed_on",
            "charged_off_on",
            "status",
            "is_state_reported",
            "outstanding_amount",
        ),
    ),
    LoanKind.INSTALMENTS: _Table(
        Instalment,
        ("number", "due_on", "principal_amount", "interest_amount", "fee_amount"),
    ),
    LoanKind.REPAYMENTS: _Table(Repayment, ("loan", "paid_on", "amount")),
}
_REFERENCES = frozenset({"customer", "product", "application", "loan"})
_Value = int | str | bool | Decimal | date | datetime | None


@dataclass(slots=True)
class LoanCounts:
    """What became of rows: rows = created + updated + unchanged + rejected."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    lines: list[tuple[int, str]] = field(default_factory=list)
    loan_ids: set[int] = field(default_factory=set)
    customer_ids: set[int] = field(default_factory=set)

    @property
    def rejected(self) -> int:
        """Return how many rows were not taken in."""
        return self.reasons.total()

    def add(self, other: "LoanCounts") -> None:
        """Add the counts of another batch."""
        self.rows += other.rows
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.reasons.update(other.reasons)
        self.lines += other.lines
        self.loan_ids |= other.loan_ids
        self.customer_ids |= other.customer_ids


def upsert(*, kind: LoanKind, rows: Sequence[LoanRow], source: str) -> LoanCounts:
    """Insert the rows that are new and change those that differ; the caller owns the transaction.

    Empty values never erase stored ones. A key that comes again in the same batch is taken as a
    later state of the same row.

    Returns:
        The counts, the loans whose state may have changed and the customers concerned.
    """
    counts = LoanCounts(rows=len(rows))
    references = _LoanReferences(rows, source)
    wanted: list[tuple[str, dict[str, Any]]] = []
    for row in rows:
        try:
            wanted.append((row.key, references.resolve(kind, row)))
        except _UnknownReferenceError as err:
            counts.reasons[err.problem.value] += 1
    _write(kind, wanted, source, references, counts)
    return counts


class _UnknownReferenceError(Exception):
    def __init__(self, problem: RowProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class _LoanReferences:
    """The customers, products, applications and loans that a batch refers to."""

    def __init__(self, rows: Sequence[LoanRow], source: str) -> None:
        self.people = identity.customer_ids(
            source=source, external_ids={row.person for row in rows} - {""}
        )
        codes = {row.product for row in rows} - {""}
        self.products = dict(Product.objects.filter(code__in=codes).values_list("code", "pk"))
        self.applications = _by_external_id(Application, source, {x.application for x in rows})
        self.loans = _by_external_id(Loan, source, {row.loan for row in rows})

    def resolve(self, kind: LoanKind, row: LoanRow) -> dict[str, Any]:
        """Return the row's columns with ids for what it refers to."""
        found: dict[str, int | None] = {}
        if row.person:
            found["customer"] = _known(self.people, row.person, RowProblem.PERSON_UNKNOWN)
        if row.product:
            found["product"] = _known(self.products, row.product, RowProblem.PRODUCT_UNKNOWN)
        if row.application:
            problem = RowProblem.APPLICATION_UNKNOWN
            found["application"] = _known(self.applications, row.application, problem)
        if row.loan:
            found["loan"] = _known(self.loans, row.loan, RowProblem.LOAN_UNKNOWN)
        return {**row.values, **found}


def _known(ids: Mapping[str, int], key: str, problem: RowProblem) -> int:
    if key not in ids:
        raise _UnknownReferenceError(problem)
    return ids[key]


def _by_external_id(
    model: type[Loan] | type[Application], source: str, ids: set[str]
) -> dict[str, int]:
    found: QuerySet[Any] = model._default_manager.filter(  # noqa: SLF001 - Django's own name
        source=source, external_id__in=ids - {""}
    )
    return dict(found.values_list("external_id", "pk"))


def _write(
    kind: LoanKind,
    wanted: Sequence[tuple[str, dict[str, Any]]],
    source: str,
    references: _LoanReferences,
    counts: LoanCounts,
) -> None:
    table = _TABLES[kind]
    stored = _stored(kind, [key for key, _ in wanted], source, references)
    fresh: dict[str, dict[str, Any]] = {}
    changed: dict[str, dict[str, Any]] = {}
    for key, values in wanted:
        given = {name: value for name, value in values.items() if value is not None}
        if key not in stored and key not in fresh:
            fresh[key] = values
            counts.created += 1
            continue
        state = fresh.get(key) or stored[key]
        if all(state.get(name) == value for name, value in given.items()):
            counts.unchanged += 1
            continue
        state.update(given)
        counts.updated += 1
        if key not in fresh:
            changed[key] = state
    objects = [_object(kind, key, values, source) for key, values in fresh.items()]
    table.model._default_manager.bulk_create(objects)  # noqa: SLF001 - Django's own name
    bulk.update_rows(
        table.model,
        key="id",
        columns=table.columns,
        rows=[(x["pk"], *(x.get(name) for name in table.columns)) for x in changed.values()],
    )
    _note_touched(kind, [*objects], [*changed.values()], counts)


def _stored(
    kind: LoanKind, keys: Collection[str], source: str, references: _LoanReferences
) -> dict[str, dict[str, Any]]:
    """Return {key: stored columns with `pk`}; references as ids under their own names."""
    table = _TABLES[kind]
    rows: QuerySet[Any] = table.model._default_manager.all()  # noqa: SLF001 - Django's own name
    match kind:
        case LoanKind.PRODUCTS:
            rows = rows.filter(code__in=keys).values("pk", "code", *table.columns)
            return {row["code"]: row for row in rows}
        case LoanKind.INSTALMENTS:
            names = {pk: external_id for external_id, pk in references.loans.items()}
            rows = rows.filter(loan_id__in=names).values("pk", "loan", *table.columns)
            return {f"{names[row['loan']]}/{row['number']}": row for row in rows}
        case LoanKind.APPLICATIONS | LoanKind.LOANS | LoanKind.REPAYMENTS:
            rows = rows.filter(source=source, external_id__in=keys)
            rows = rows.values("pk", "external_id", *table.columns)
            return {row["external_id"]: row for row in rows}


def _object(kind: LoanKind, key: str, values: Mapping[str, Any], source: str) -> Any:
    columns = {
        f"{name}_id" if name in _REFERENCES else name: value
        for name, value in values.items()
        if value is not None
    }
    match kind:
        case LoanKind.PRODUCTS:
            columns["code"] = key
        case LoanKind.INSTALMENTS:
            pass
        case LoanKind.APPLICATIONS | LoanKind.LOANS | LoanKind.REPAYMENTS:
            columns |= {"external_id": key, "source": source}
    return _TABLES[kind].model(**columns)


def _note_touched(
    kind: LoanKind, objects: Sequence[Any], changed: Sequence[Mapping[str, Any]], counts: LoanCounts
) -> None:
    match kind:
        case LoanKind.LOANS:
            counts.loan_ids.update(loan.pk for loan in objects)
            counts.loan_ids.update(row["pk"] for row in changed)
            counts.customer_ids.update(loan.customer_id for loan in objects)
            counts.customer_ids.update(row["customer"] for row in changed)
        case LoanKind.INSTALMENTS | LoanKind.REPAYMENTS:
            counts.loan_ids.update(row.loan_id for row in objects)
            counts.loan_ids.update(row["loan"] for row in changed)
        case LoanKind.PRODUCTS | LoanKind.APPLICATIONS:
            pass
