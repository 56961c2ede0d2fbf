"""Whom early warning looks at, page by page of rising keys."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from analytics.models import RiskAlert
from customers.domain.credit.bureau import RISK_PURPOSES
from customers.domain.loans.loan import LoanStatus
from customers.models import BureauPull, Loan, Score


def people_to_watch(*, after: int, count: int) -> list[int]:
    """Return the next people who have a loan that runs, or an alert that is open, by key."""
    return _page(_watched(), after, count)


def people_with_facts(*, after: int, count: int) -> list[int]:
    """Return the next people about whom a signal may speak, with or without a loan that runs.

    For when so much has changed at once that nobody can say whom it is about.
    """
    pulls = BureauPull.objects.filter(purpose__in=RISK_PURPOSES)
    scores = Score.objects.filter(is_latest=True)
    return _page((*_watched(), pulls, scores), after, count)


def _watched() -> Sequence[QuerySet[Any]]:
    return (
        Loan.objects.filter(status__in=(LoanStatus.ACTIVE, LoanStatus.OVERDUE)),
        RiskAlert.objects.filter(ended_at=None, customer__isnull=False),
    )


def _page(sources: Sequence[QuerySet[Any]], after: int, count: int) -> list[int]:
    found: set[int] = set()
    for rows in sources:
        owners = rows.filter(customer_id__gt=after).order_by("customer_id")
        found.update(owners.values_list("customer_id", flat=True).distinct()[:count])
    return sorted(found)[:count]
