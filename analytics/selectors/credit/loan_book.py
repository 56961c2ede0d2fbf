"""The loan book by vintage and by month, summed in the database; and the loans behind each cell."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from analytics.domain.credit.month_ends import BookState, MonthOfLoan
from analytics.domain.credit.recoveries import DefaultCase
from analytics.domain.credit.rolling import RollCount
from analytics.domain.credit.vintages import CohortCount
from analytics.models import LoanHistory, LoanMonthEnd
from customers.domain.loans.instalments import add_months
from customers.models import Loan
from customers.selectors.loan_books import NOT_BOOKED
from loancrm.kernel.database.named_sql import statement

THRESHOLDS = (30, 60, 90)
FLOW_COLUMNS = tuple(MonthOfLoan.__dataclass_fields__)
_CENTS = 100


@dataclass(frozen=True, slots=True)
class BookCover:
    """What of the book is derived by month.

    Attributes:
        as_of: The day it was derived for; None before the first time.
        last_month: The last month that has ended.
        derived_count: Loans with a plan, which are in it.
        left_out_count: Loans that were paid out and are not: without a plan, or in a state that
            their source reports without repayments.
    """

    as_of: date | None
    first_month: date | None
    last_month: date | None
    derived_count: int
    left_out_count: int


def load_cover() -> BookCover:
    """Return what is derived (3 queries)."""
    seen = LoanHistory.objects.aggregate(as_of=Max("as_of"), count=Count("pk"))
    months = LoanMonthEnd.objects.aggregate(first=Min("month"), last=Max("month"))
    booked = Loan.objects.exclude(status__in=NOT_BOOKED).count()
    return BookCover(
        as_of=seen["as_of"],
        first_month=months["first"],
        last_month=months["last"],
        derived_count=seen["count"],
        left_out_count=max(booked - seen["count"], 0),
    )


def load_cohorts(*, threshold_days: int) -> list[CohortCount]:
    """Return the loans of each month of disbursement by when they reached a threshold (1 query)."""
    column = month_column(threshold_days)
    rows = (
        LoanHistory.objects.values_list("cohort", column)
        .annotate(n=Count("pk"), cents=Sum("amount_cents"), last=Max("booked_on"))
        .order_by("cohort", column)
    )
    return [
        CohortCount(cohort, month, count, Decimal(cents) / _CENTS, last)
        for cohort, month, count, cents, last in rows
    ]


def load_rolls(*, first: date, last: date) -> list[RollCount]:
    """Return what went from state to state in the months from `first` to `last` (1 query)."""
    rows = (
        LoanMonthEnd.objects.filter(month__gte=first, month__lte=last)
        .values_list("month", "opening", "closing")
        .annotate(
            n=Count("pk"),
            opened=Sum("opening_cents"),
            new=Sum("new_cents"),
            paid=Sum("paid_cents"),
            lost=Sum("charged_off_cents"),
            closed=Sum("closing_cents"),
        )
        .order_by("month", "opening", "closing")
    )
    return [
        RollCount(month, BookState(opening), BookState(closing), *sums)
        for month, opening, closing, *sums in rows
    ]


def load_default_cases(*, as_of: date) -> list[DefaultCase]:
    """Return every default with what came in after it (2 queries)."""
    came_in: dict[int, list[tuple[date, float]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(statement("analytics", "credit/recoveries"), {"as_of": as_of.isoformat()})
        for loan_id, day, amount in cursor.fetchall():
            paid = day if isinstance(day, date) else date.fromisoformat(day)
            came_in[loan_id].append((paid, float(amount)))
    rows = (
        LoanHistory.objects.filter(defaulted_on__lte=as_of, default_cents__gt=0)
        .order_by("pk")
        .values_list(
            "loan_id",
            "defaulted_on",
            "default_cents",
            "loan__annual_rate",
            "loan__settled_on",
            "loan__closed_on",
        )
    )
    return [
        DefaultCase(
            defaulted_date=day,
            exposure=cents / _CENTS,
            annual_rate=float(rate or 0),
            recoveries=came_in.get(loan_id, ()),
            resolved_date=settled or closed,
        )
        for loan_id, day, cents, rate, settled, closed in rows
        if day is not None and cents is not None
    ]


def vintage_loans(*, cohort: date, threshold_days: int, month: int | None) -> QuerySet[Loan]:
    """Return the loans of a cohort; with a month those that reached the threshold by then."""
    wanted = Q(cohort=cohort)
    if month is not None:
        wanted &= Q(**{f"{month_column(threshold_days)}__lte": month})
    found = LoanHistory.objects.filter(wanted).values("loan_id")
    return Loan.objects.filter(pk__in=found)


def rolled_loans(
    *,
    first: date,
    last: date,
    opening: Sequence[BookState],
    closing: Sequence[BookState],
) -> QuerySet[LoanMonthEnd]:
    """Return the month-ends behind a cell of the matrix or of the flow, one a loan and month."""
    return LoanMonthEnd.objects.filter(
        month__gte=first, month__lte=last, opening__in=opening, closing__in=closing
    )


def month_column(threshold_days: int) -> str:
    """Return the column of the month by which a threshold was reached.

    Raises:
        ValueError: It is none of `THRESHOLDS`.
    """
    if threshold_days not in THRESHOLDS:
        raise ValueError(threshold_days)
    return f"month_{threshold_days}"


def derivable_loans() -> QuerySet[Any]:
    """Return the loans of which months can be derived, should they have a plan."""
    return Loan.objects.exclude(status__in=NOT_BOOKED).filter(is_state_reported=False)


def window_of(last_month: date, months: int) -> date:
    """Return the first day of the window of so many months that ends with `last_month`."""
    return add_months(last_month.replace(day=1), 1 - months)
