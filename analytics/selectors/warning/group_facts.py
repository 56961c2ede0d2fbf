"""What partners' loans and segments look like, counted in the database."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Count, DecimalField, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from customers.domain.loans.loan import LoanStatus
from customers.domain.sources import SourceKind
from customers.models import DataSource, Instalment, Loan, Repayment, SegmentMember
from customers.selectors.loan_books import NOT_BOOKED
from loancrm.kernel.database import named_sql

_NOTHING = Value(Decimal(0), output_field=DecimalField(max_digits=14, decimal_places=2))


@dataclass(frozen=True, slots=True)
class BadLoans:
    """Loans of a group, and how many of them are bad by the measure at hand."""

    bad: int
    total: int


def first_payment_defaults(*, on: date, days: int, window_days: int) -> Mapping[str, BadLoans]:
    """Return {source: first payments missed} of partners' customers; two queries.

    Of the loans paid out within the window whose first instalment was due so many days ago: bad is
    one of which that instalment was not paid in full so many days after it was due.
    """
    partners = DataSource.objects.filter(kind=SourceKind.PARTNER).values_list("name", flat=True)
    received = (
        Repayment.objects.filter(
            loan=OuterRef("loan"), paid_on__lte=OuterRef("due_on") + timedelta(days=days)
        )
        .order_by()
        .values("loan")
        .annotate(total=Sum("amount"))
        .values("total")
    )
    owed = F("principal_amount") + F("interest_amount") + F("fee_amount")
    rows = (
        Instalment.objects.filter(
            number=1,
            due_on__lte=on - timedelta(days=days),
            loan__disbursed_on__gt=on - timedelta(days=window_days),
            loan__disbursed_on__lte=on,
            loan__customer__source__in=list(partners),
        )
        .exclude(loan__status__in=NOT_BOOKED)
        .annotate(received=Coalesce(Subquery(received), _NOTHING))
        .values_list("loan__customer__source")
        .annotate(total=Count("pk"), bad=Count("pk", filter=Q(received__lt=owed)))
        .order_by()
    )
    return {source: BadLoans(bad, total) for source, total, bad in rows}


def arrears_by_segment(*, days: int) -> tuple[BadLoans, Mapping[str, BadLoans]]:
    """Return the arrears of the whole book and of each stored segment's members; two queries.

    Of the loans that run: bad is one that is so many days past due, by the last refresh of states.
    """
    running = (LoanStatus.ACTIVE, LoanStatus.OVERDUE)
    book = Loan.objects.filter(status__in=running).aggregate(
        total=Count("pk"), bad=Count("pk", filter=Q(dpd_days__gte=days))
    )
    rows = (
        SegmentMember.objects.filter(left_at=None, customer__loans__status__in=running)
        .values_list("segment__slug")
        .annotate(
            total=Count("customer__loans"),
            bad=Count("customer__loans", filter=Q(customer__loans__dpd_days__gte=days)),
        )
        .order_by()
    )
    found = {slug: BadLoans(bad, total) for slug, total, bad in rows}
    return BadLoans(book["bad"], book["total"]), found


def band_counts(*, at: datetime) -> Mapping[tuple[str, str], Mapping[str, int]]:
    """Return {(segment, model): {band: members}} as of a moment; one query."""
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(named_sql.statement("analytics", "warning/band_counts"), {"at": at})
        for slug, model, band, count in cursor.fetchall():
            found[slug, model][band] = int(count)
    return found
