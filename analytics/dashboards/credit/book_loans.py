"""The loans behind a cell of the loan book: masked, page by page."""

from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.dashboards.credit.book import state_of
from analytics.dashboards.credit.tabs import tabs
from analytics.domain.credit.annual_cost import cost_of_plan
from analytics.domain.credit.expected_loss import Stage
from analytics.domain.credit.month_ends import BookState
from analytics.labels.credit import BOOK_STATES, STAGES
from analytics.models import LoanMonthEnd
from analytics.selectors.credit import loan_book, staging
from customers import labels as customer_labels
from customers.models import Loan
from customers.selectors import loan_books
from customers.selectors.loan_books import LoanBook
from customers.selectors.profile.person import masked_name
from loancrm import admin_pages

VIEW = "customers.view_customer"
PAGE_SIZE = 50
# Further than any loan runs, and within what the column holds.
_MOST_MONTHS = 1200
_TABS = {"vintage": "vintages", "roll": "rolls", "stage": "stages"}


def page(request: HttpRequest) -> HttpResponse:
    """List the loans of a cell."""
    admin_pages.require(request, VIEW)
    kind = request.GET.get("kind", "")
    if kind not in _TABS:
        raise Http404
    try:
        loans, meaning = _BEHIND[kind](request.GET)
    except ValueError as error:
        raise Http404 from error
    found = Paginator(loans, PAGE_SIZE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    items = list(found)
    books = loan_books.load_books(loan_ids=[_loan(item).pk for item in items])
    return admin_pages.page(
        request,
        "analytics/credit/loans.html",
        title=_("Loans behind a figure"),
        tabs=tabs(_TABS[kind]),
        meaning=meaning,
        count=found.paginator.count,
        rows=[_row(item, books.get(_loan(item).pk)) for item in items],
        page=found,
        page_query=f"{query.urlencode()}&",
    )


def _vintage(query: QueryDict) -> tuple[QuerySet[Any], str]:
    cohort = date.fromisoformat(query.get("cohort", ""))
    given = query.get("month")
    month = None if given is None else int(given)
    if month is not None and not 0 <= month <= _MOST_MONTHS:
        raise ValueError(query)
    days = int(query.get("days", "30"))
    loans = loan_book.vintage_loans(cohort=cohort, threshold_days=days, month=month)
    meaning = _("Lent in %(month)s") % {"month": f"{cohort:%Y-%m}"}
    if month is not None:
        meaning = _("Lent in %(cohort)s, ever %(days)s+ days past due by month %(month)s") % {
            "cohort": f"{cohort:%Y-%m}",
            "days": days,
            "month": month,
        }
    return _ordered(loans), meaning


def _roll(query: QueryDict) -> tuple[QuerySet[Any], str]:
    first = date.fromisoformat(query.get("first", ""))
    last = date.fromisoformat(query.get("last", ""))
    opening, closing = state_of(query.get("opening", "")), state_of(query.get("closing", ""))
    if closing is None:
        raise ValueError(query)
    rows = loan_book.rolled_loans(
        first=first,
        last=last,
        opening=list(BookState) if opening is None else [opening],
        closing=[closing],
    )
    rows = rows.select_related("loan__customer", "loan__product")
    meaning = _("At the end of %(month)s: %(closing)s") % {
        "month": f"{last:%Y-%m}",
        "closing": BOOK_STATES.label(closing),
    }
    if opening is not None:
        meaning = _("%(first)s to %(last)s: from %(opening)s to %(closing)s") % {
            "first": f"{first:%Y-%m}",
            "last": f"{last:%Y-%m}",
            "opening": BOOK_STATES.label(opening),
            "closing": BOOK_STATES.label(closing),
        }
    return rows.order_by("-month", "-closing_cents", "pk"), meaning


def _stage(query: QueryDict) -> tuple[QuerySet[Any], str]:
    stage = Stage(query.get("stage", ""))
    loans = staging.staged_loans(score_model=staging.score_model_in_use()).filter(stage=stage.value)
    return _ordered(loans), STAGES.label(stage)


_BEHIND = {"vintage": _vintage, "roll": _roll, "stage": _stage}


def _ordered(loans: QuerySet[Loan]) -> QuerySet[Loan]:
    return loans.select_related("customer", "product").order_by("-dpd_days", "-disbursed_on", "pk")


def _loan(item: Loan | LoanMonthEnd) -> Loan:
    return item.loan if isinstance(item, LoanMonthEnd) else item


def _cost(loan: Loan, book: LoanBook | None) -> str:
    """Return what a loan costs in all, by simple and by compound interest."""
    found = None
    if book is not None:
        found = cost_of_plan(
            principal_amount=loan.principal_amount,
            disbursed_on=loan.disbursed_on,
            plan=book.schedule,
        )
    return "–" if found is None else f"{found.simple_rate:.2%} / {found.compound_rate:.2%}"


def _row(item: Loan | LoanMonthEnd, book: LoanBook | None) -> dict[str, Any]:
    loan = _loan(item)
    return {
        "external_id": loan.external_id,
        "name": masked_name(loan.customer) or loan.customer.external_id,
        "url": reverse("admin:customers_customer_change", args=[loan.customer_id]),
        "product": str(loan.product) if loan.product else "–",
        "disbursed_on": loan.disbursed_on,
        "amount": f"¥{loan.principal_amount:,.2f}",
        "cost": _cost(loan, book),
        "outstanding": f"¥{loan.outstanding_amount:,.2f}",
        "dpd_days": loan.dpd_days,
        "status": customer_labels.LOAN_STATUSES.label(loan.status),
        "month": f"{item.month:%Y-%m}" if isinstance(item, LoanMonthEnd) else "",
    }
