"""Write rows about credit by their external ids, in a fixed number of queries a batch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from customers.domain.credit.rows import CreditKind, CreditRow
from customers.domain.loans.cells import RowProblem
from customers.models import BureauPull, IncomeFlow, Inquiry, Tradeline, VendorValue
from customers.selectors.identity import keys
from loancrm.kernel.database import bulk


@dataclass(frozen=True, slots=True)
class CreditTable:
    """How one kind of row is stored: its model, its owner and the columns that a row may set."""

    model: type[Model]
    owner: str
    columns: tuple[str, ...]


TABLES: Mapping[CreditKind, CreditTable] = {
    CreditKind.PULLS: CreditTable(
        BureauPull,
        "customer",
        ("vendor", "purpose", "consent_reference", "pulled_on", "valid_until", "cost_amount"),
    ),
    CreditKind.TRADELINES: CreditTable(
        Tradeline,
        "pull",
        (
            "lender",
            "product",
            "opened_on",
            "closed_on",
            "limit_amount",
            "balance_amount",
            "max_dpd_days",
        ),
    ),
    CreditKind.INQUIRIES: CreditTable(Inquiry, "pull", ("inquired_on", "lender", "reason")),
    CreditKind.FLOWS: CreditTable(
        IncomeFlow,
        "customer",
        (
            "kind",
            "label",
            "monthly_amount",
            "share",
            "joint_reference",
            "is_verified",
            "valid_from",
            "valid_until",
        ),
    ),
    CreditKind.VENDOR_VALUES: CreditTable(
        VendorValue,
        "customer",
        ("vendor", "name", "number", "text", "obtained_on", "valid_until", "cost_amount"),
    ),
}


@dataclass(slots=True)
class CreditCounts:
    """What became of rows: rows = created + updated + unchanged + rejected.

    Attributes:
        lines: (line of the file, reason) of rows that were not taken in.
        customer_ids: Whose facts may be others than before.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    lines: list[tuple[int, str]] = field(default_factory=list)
    customer_ids: set[int] = field(default_factory=set)

    @property
    def rejected(self) -> int:
        """Return how many rows were not taken in."""
        return self.reasons.total()

    def refuse(self, line: int, problem: RowProblem) -> None:
        """Count a row that is not taken in."""
        self.reasons[problem.value] += 1
        self.lines.append((line, problem.value))

    def add(self, other: "CreditCounts") -> None:
        """Add the counts of another batch."""
        self.rows += other.rows
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.reasons.update(other.reasons)
        self.lines += other.lines
        self.customer_ids |= other.customer_ids


def upsert_credit(
    *, kind: CreditKind, rows: Sequence[tuple[int, CreditRow]], source: str
) -> CreditCounts:
    """Insert the rows that are new and change those that differ; the caller owns the transaction.

    Unlike a loan's row, a row here is the whole of what its source says: an empty cell empties. A
    key that comes again in the same batch is taken as a later state of the same row. A row never
    changes whom it is about: an id that the source gives to somebody else is refused.

    Args:
        rows: (line of the file, row).
    """
    table = TABLES[kind]
    counts = CreditCounts(rows=len(rows))
    owners = _owners(table, rows, source)
    stored = _stored(table, [row.key for _line, row in rows], source)
    fresh: dict[str, dict[str, Any]] = {}
    changed: dict[str, dict[str, Any]] = {}
    missing = RowProblem.PULL_UNKNOWN if table.owner == "pull" else RowProblem.PERSON_UNKNOWN
    for line, row in rows:
        owner = owners.get(row.pull or row.person)
        if owner is None:
            counts.refuse(line, missing)
            continue
        state = fresh.get(row.key) or stored.get(row.key)
        if state is not None and state["owner"] != owner:
            counts.refuse(line, RowProblem.REPEATED_IN_FILE)
            continue
        values = dict(row.values)
        if "vendor" in values:
            values["vendor"] = values["vendor"] or source
        if state is None:
            fresh[row.key] = {"owner": owner, **values}
            counts.created += 1
        elif all(state[name] == value for name, value in values.items()):
            counts.unchanged += 1
        else:
            state.update(values)
            counts.updated += 1
            if row.key not in fresh:
                changed[row.key] = state
    _write(table, fresh, changed, source)
    touched = {state["owner"] for state in (*fresh.values(), *changed.values())}
    counts.customer_ids = _people(table, touched)
    return counts


def _owners(
    table: CreditTable, rows: Sequence[tuple[int, CreditRow]], source: str
) -> Mapping[str, int]:
    if table.owner == "customer":
        return keys.customer_ids(source=source, external_ids={row.person for _, row in rows})
    pulls = BureauPull.objects.filter(source=source, external_id__in={row.pull for _, row in rows})
    return dict(pulls.values_list("external_id", "pk"))


def _people(table: CreditTable, owners: set[int]) -> set[int]:
    if table.owner == "customer":
        return owners
    pulls = BureauPull.objects.filter(pk__in=owners)
    return set(pulls.values_list("customer_id", flat=True))


def _stored(table: CreditTable, keys_: Sequence[str], source: str) -> dict[str, dict[str, Any]]:
    rows = table.model._default_manager.filter(  # noqa: SLF001 - Django's own name
        source=source, external_id__in=keys_
    ).values("pk", "external_id", table.owner, *table.columns)
    return {row["external_id"]: {**row, "owner": row[table.owner]} for row in rows}


def _write(
    table: CreditTable,
    fresh: Mapping[str, Mapping[str, Any]],
    changed: Mapping[str, Mapping[str, Any]],
    source: str,
) -> None:
    table.model._default_manager.bulk_create(  # noqa: SLF001 - Django's own name
        table.model(
            source=source,
            external_id=key,
            **{f"{table.owner}_id": state["owner"]},
            **{name: state[name] for name in table.columns},
        )
        for key, state in fresh.items()
    )
    bulk.update_rows(
        table.model,
        key="id",
        columns=table.columns,
        rows=[(x["pk"], *(x[name] for name in table.columns)) for x in changed.values()],
    )
