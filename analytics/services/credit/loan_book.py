"""Derive the loan book by month, and what it tells about losses to come."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from analytics.domain.credit import recoveries, rolling
from analytics.domain.credit.assumptions import AssumptionName
from analytics.domain.credit.default_ranges import default_ranges
from analytics.domain.credit.month_ends import (
    OPEN_STATES,
    BookedLoan,
    BookState,
    months_of_loan,
)
from analytics.domain.credit.vintages import month_of_reaching
from analytics.models import CreditEstimate, LoanHistory, LoanMonthEnd
from analytics.selectors.credit import loan_book
from analytics.selectors.credit.loan_book import FLOW_COLUMNS, THRESHOLDS
from customers.domain.loans.loan import first_reached_dates, loan_state
from customers.models import Loan
from customers.selectors import loan_books
from customers.selectors.loan_books import DEFAULT_DAYS, LoanBook
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database.bulk_load import load_rows

PERMISSION = "analytics.add_loanmonthend"
ESTIMATION_MONTHS = 12
LEAST_LOANS = 100
_BATCH = 500
_CENTS = 100
_HISTORY_COLUMNS = (
    "loan",
    "cohort",
    "booked_on",
    "amount_cents",
    *(f"month_{days}" for days in THRESHOLDS),
    "defaulted_on",
    "default_cents",
    "as_of",
)


@dataclass(frozen=True, slots=True)
class BookDerived:
    """How many loans and months were derived, and which values the book was large enough for."""

    loan_count: int
    month_count: int
    estimates: tuple[str, ...]


def derive_loan_book(*, actor: Actor, as_of: date, now: datetime) -> BookDerived:
    """Write every loan's months up to `as_of` and when it went bad; then estimate what follows.

    Days past due are those of `customers.domain.loans.loan`. Every 500 loans are replaced in a
    transaction of their own, so that readers see each loan whole; a repeated run writes the same.

    Raises:
        PermissionRefused: The actor may not derive the loan book.
    """
    act = acting(actor, PERMISSION, now=now)
    loans = months = 0
    last_pk: int | None = 0
    while last_pk is not None:
        with transaction.atomic():
            # Held, so that nobody takes a loan away, or derives it a second time, meanwhile.
            rows = Loan.objects.select_for_update(no_key=True).filter(pk__gt=last_pk)
            batch = list(rows.order_by("pk")[:_BATCH])
            written = _derive(batch, as_of) if batch else (0, 0)
        last_pk = batch[-1].pk if batch else None
        loans, months = loans + written[0], months + written[1]
    with act:
        estimates = _estimate(as_of)
        act.record(
            "loan_book.refresh",
            on=(LoanMonthEnd, "all"),
            facts={"as_of": as_of.isoformat(), "loans": loans, "months": months},
        )
    return BookDerived(loans, months, estimates)


def _derive(batch: Sequence[Loan], as_of: date) -> tuple[int, int]:
    ids = [loan.pk for loan in batch]
    wanted = set(loan_book.derivable_loans().filter(pk__in=ids).values_list("pk", flat=True))
    books = loan_books.load_books(loan_ids=wanted)
    histories, months = [], []
    for loan in batch:
        book = books.get(loan.pk)
        if loan.pk not in wanted or book is None or not book.schedule or loan.disbursed_on > as_of:
            continue
        histories.append(_history(loan, book, as_of))
        booked = BookedLoan(
            loan.disbursed_on, book.schedule, book.payments, loan.closed_on, loan.charged_off_on
        )
        months += [
            (loan.pk, *asdict(month).values()) for month in months_of_loan(booked, as_of=as_of)
        ]
    LoanHistory.objects.filter(loan_id__in=ids).delete()
    LoanMonthEnd.objects.filter(loan_id__in=ids).delete()
    load_rows(LoanHistory, _HISTORY_COLUMNS, histories)
    load_rows(LoanMonthEnd, ("loan", *FLOW_COLUMNS), months)
    return len(histories), len(months)


def _history(loan: Loan, book: LoanBook, as_of: date) -> tuple[object, ...]:
    ends = [day for day in (loan.closed_on, loan.charged_off_on) if day is not None]
    reached = first_reached_dates(
        schedule=book.schedule,
        payments=book.payments,
        as_of=min([*ends, as_of]),
        thresholds=THRESHOLDS,
    )
    bad = [day for day in (reached.get(DEFAULT_DAYS), loan.charged_off_on) if day is not None]
    defaulted = min((day for day in bad if day <= as_of), default=None)
    owed = None
    if defaulted is not None:
        state = loan_state(
            schedule=book.schedule,
            payments=book.payments,
            disbursed_date=loan.disbursed_on,
            as_of=defaulted,
        )
        owed = _cents(state.outstanding_amount)
    return (
        loan.pk,
        loan.disbursed_on.replace(day=1),
        loan.disbursed_on,
        _cents(loan.principal_amount),
        *(
            month_of_reaching(loan.disbursed_on, reached[days]) if days in reached else None
            for days in THRESHOLDS
        ),
        defaulted,
        owed,
        as_of,
    )


def _estimate(as_of: date) -> tuple[str, ...]:
    """Write today's estimates, and take away those that the book no longer tells; return names."""
    found = [*_loss(as_of), *_default_rates(as_of)]
    CreditEstimate.objects.filter(as_of=as_of).delete()
    if not found:
        # The last day that told something is in use: nothing older may stand in for today.
        CreditEstimate.objects.filter(as_of__lt=as_of).delete()
    CreditEstimate.objects.bulk_create(found)
    return tuple(estimate.name for estimate in found)


def _loss(as_of: date) -> list[CreditEstimate]:
    cases = loan_book.load_default_cases(as_of=as_of)
    found = recoveries.loss_given_default(cases, as_of=as_of)
    if found is None:
        return []
    return [
        CreditEstimate(
            name=AssumptionName.LOSS_GIVEN_DEFAULT,
            value=found.value,
            low=found.low,
            high=found.high,
            case_count=found.case_count,
            details={
                "curve": found.curve,
                "months": found.months,
                "open_count": found.open_count,
            },
            as_of=as_of,
        )
    ]


_BUCKETS = {
    AssumptionName.DEFAULT_M0: BookState.M0,
    AssumptionName.DEFAULT_M1: BookState.M1,
    AssumptionName.DEFAULT_M2: BookState.M2,
    AssumptionName.DEFAULT_M3: BookState.M3,
}


def _default_rates(as_of: date) -> list[CreditEstimate]:
    """Return the chances of default within a year by bucket, and of all performing loans."""
    last = loan_book.load_cover().last_month
    if last is None:
        return []
    first = loan_book.window_of(last, ESTIMATION_MONTHS)
    rolls = loan_book.load_rolls(first=first, last=last)
    cells = rolling.roll_matrix(rolls)
    chances = rolling.default_within(cells, months=12, least_loans=LEAST_LOANS)
    if chances is None:
        return []
    standing = {
        state: sum(x.loan_count for x in rolls if x.month == last and x.closing is state)
        for state in OPEN_STATES[:-1]
    }
    total = sum(standing.values())
    ranges, of_all = default_ranges(cells, months=12, standing=standing)
    rows = [
        CreditEstimate(
            name=name,
            value=chances[state],
            low=ranges[state][0],
            high=ranges[state][1],
            case_count=cells[state, state].opening_count,
            as_of=as_of,
        )
        for name, state in _BUCKETS.items()
    ]
    if total:
        rows.append(
            CreditEstimate(
                name=AssumptionName.PERFORMING_DEFAULT_RATE,
                value=sum(chances[state] * count for state, count in standing.items()) / total,
                low=None if of_all is None else of_all[0],
                high=None if of_all is None else of_all[1],
                case_count=total,
                as_of=as_of,
            )
        )
    return rows


def _cents(amount: Decimal) -> int:
    return int(amount * _CENTS)
