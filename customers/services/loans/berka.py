"""Take in the folder of the Berka bank: products, loans, plans, repayments, accounts, cards."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from customers.domain.loans import berka
from customers.domain.loans.berka import Owners
from customers.domain.loans.rows import LoanKind
from customers.models import Loan
from customers.services.events import from_file
from customers.services.events.from_file import RowsRefused
from customers.services.loans import from_file as loans
from customers.services.loans.from_file import LoanImport
from customers.services.loans.upserts import LoanCounts
from customers.services.sources import registry
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

_BATCH = 1000
_TRANSACTION_FILES = ("trans.csv", "trans.csv.gz", "trans_preloan_354.csv.gz")


@dataclass(frozen=True, slots=True)
class BerkaImport:
    """The counts over all files, and for each kind of row by itself."""

    total: LoanImport
    by_kind: Mapping[str, LoanImport]


def import_berka(
    *,
    actor: Actor,
    folder: Path,
    now: datetime,
    source: str = berka.SOURCE,
    on_progress: Callable[[int], object] | None = None,
) -> BerkaImport:
    """Read loan.csv, disp.csv, account.csv, card.csv and, where present, the transactions.

    The clients are imported first, with the mapping berka_clients: an account belongs to the client
    who is its OWNER, and rows of unknown clients are rejected. Accounts, cards and transactions
    become events. Transactions marked as loan payments become repayments. Running it again changes
    nothing.

    Args:
        actor: Who imports.
        folder: The folder of the files.
        now: When.
        source: The source under which the clients were imported.
        on_progress: Called with the number of rows done.

    Raises:
        PermissionRefused: The actor may not add loans.
        RowsRefused: A file is missing or cannot be read.
        SourceUnknown: The source is not registered, and only registered ones may hand in data.
        SourceBarred: The source's contract is not in force.
    """
    act = acting(actor, "customers.add_loan", now=now)
    registry.admit(actor=actor, name=source, now=now)
    book = _BerkaCounts(source, now, on_progress or (lambda _count: None))
    _read_folder(folder, book)
    result = book.result()
    with act:
        act.record(
            "berka.import",
            on=(Loan, source),
            facts={"rows": result.total.rows, "created": result.total.created},
        )
    return result


def _read_folder(folder: Path, book: "_BerkaCounts") -> None:
    credit, dispositions = _rows(folder / "loan.csv"), _rows(folder / "disp.csv")
    owners = Owners.of(dispositions, credit)
    clients = {row["disp_id"]: row["client_id"] for row in dispositions}
    book.take(LoanKind.PRODUCTS, berka.products(credit))
    book.take(LoanKind.LOANS, (berka.loan_row(loan, owners) for loan in credit))
    book.take(
        LoanKind.INSTALMENTS, (line for loan in credit for line in berka.instalment_rows(loan))
    )
    book.record("accounts", (berka.account_event(x, owners) for x in _rows(folder / "account.csv")))
    book.record("cards", (berka.card_event(x, clients) for x in _rows(folder / "card.csv")))
    moves = next((_rows(folder / x) for x in _TRANSACTION_FILES if (folder / x).exists()), [])
    paid = (row for move in moves if (row := berka.repayment_row(move, owners)))
    book.take(LoanKind.REPAYMENTS, paid)
    book.record("transactions", (berka.transaction_event(move, owners) for move in moves))


class _BerkaCounts:
    """The counts by kind while the folder is read."""

    def __init__(self, source: str, now: datetime, on_progress: Callable[[int], object]) -> None:
        self.source = source
        self.now = now
        self.on_progress = on_progress
        self.counts_by_kind: dict[str, LoanCounts] = {}

    def take(self, kind: LoanKind, rows: Iterable[Mapping[str, Any]]) -> None:
        counts = self.counts_by_kind.setdefault(kind.value, LoanCounts())
        for batch in from_file.batches(rows, _BATCH):
            counts.add(loans.take_in(kind=kind, rows=batch, source=self.source, now=self.now))
            self.on_progress(len(batch))

    def record(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        counts = self.counts_by_kind.setdefault(name, LoanCounts())
        for batch in from_file.batches(rows, _BATCH):
            taken = from_file.take_in(rows=batch, source=self.source, now=self.now)
            counts.rows += taken.rows
            counts.created += taken.created
            counts.unchanged += taken.duplicates
            counts.reasons.update(Counter(taken.by_reason))
            self.on_progress(len(batch))

    def result(self) -> BerkaImport:
        total = LoanCounts()
        for counts in self.counts_by_kind.values():
            total.add(counts)
        by_kind = {
            name: LoanImport.of(self.source, x, ()) for name, x in self.counts_by_kind.items()
        }
        return BerkaImport(LoanImport.of(self.source, total, ()), by_kind)


def _rows(path: Path) -> list[Mapping[str, Any]]:
    if not path.is_file():
        raise RowsRefused(_("The file %(name)s is missing.") % {"name": path.name}, name=path.name)
    with from_file.opened(path) as records:
        return list(records.rows)
