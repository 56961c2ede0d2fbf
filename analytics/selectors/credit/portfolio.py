"""The loan book as a whole: how much of it went bad, counted in the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum

from analytics.domain.campaign_report import proportion
from analytics.domain.figures import Figure, Window, WindowKind, filters_of
from customers.domain.loans.loan import LoanStatus
from customers.models import Loan
from customers.selectors.loan_books import IS_BAD, NOT_BOOKED

_IS_FINISHED = Q(status__in=[LoanStatus.SETTLED, LoanStatus.CHARGED_OFF])


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The loan book at the last refresh of the loan states.

    Attributes:
        default_rate: Loans ever in default ÷ loans booked, running ones included.
        finished_default_rate: Likewise of the loans that have come to their end.
        by_status: Loans in each status.
    """

    loan_count: int
    outstanding_amount: Decimal
    default_rate: Figure
    finished_default_rate: Figure
    by_status: Mapping[str, int]


def load_portfolio(*, as_of: datetime, source: str = "") -> Portfolio:
    """Return the loan book, or the part of one source; two queries.

    A loan counts as defaulted when it was ever 90 days past due, was charged off, or when its
    source, which knows the state and not the repayments, reports it as in debt.
    """
    loans = Loan.objects.exclude(status__in=NOT_BOOKED)
    if source:
        loans = loans.filter(source=source)
    sums: dict[str, Any] = loans.aggregate(
        count=Count("pk"),
        bad=Count("pk", filter=IS_BAD),
        finished=Count("pk", filter=_IS_FINISHED),
        finished_bad=Count("pk", filter=_IS_FINISHED & IS_BAD),
        outstanding=Sum("outstanding_amount"),
    )
    statuses = loans.values_list("status").annotate(n=Count("pk")).order_by("status")
    window = Window(WindowKind.AFTER_DISBURSEMENT)
    filters = filters_of({"source": source} if source else None)
    return Portfolio(
        loan_count=sums["count"],
        outstanding_amount=sums["outstanding"] or Decimal(0),
        default_rate=proportion(
            "default_rate",
            (sums["bad"], sums["count"]),
            window=window,
            as_of=as_of,
            filters=filters,
        ),
        finished_default_rate=proportion(
            "finished_default_rate",
            (sums["finished_bad"], sums["finished"]),
            window=window,
            as_of=as_of,
            excluded=sums["count"] - sums["finished"],
            filters=filters,
        ),
        by_status=dict(statuses),
    )
