"""The page of the loan book: how much is lent, and how much of it went bad."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from analytics import labels
from analytics.dashboards.cards import Tile, figure_tile
from analytics.dashboards.credit.tabs import tabs
from analytics.domain.figures import Figure
from analytics.selectors.credit import portfolio
from customers import labels as customer_labels
from loancrm import admin_pages
from loancrm.kernel import clock

_ICONS = {"default_rate": "report", "finished_default_rate": "task_alt"}


def page(request: HttpRequest) -> HttpResponse:
    """Show the whole book as its loans stand."""
    admin_pages.require(request, "campaigns.view_report")
    book = portfolio.load_portfolio(as_of=clock.now())
    figures = (book.default_rate, book.finished_default_rate)
    statuses = [
        (
            customer_labels.LOAN_STATUSES.label(status),
            count,
            customer_labels.LOAN_STATUSES.hint(status),
        )
        for status, count in book.by_status.items()
    ]
    return admin_pages.page(
        request,
        "analytics/loan_book.html",
        title=_("Loan book"),
        book=book,
        tabs=tabs("loan_book"),
        outstanding=labels.number("cost", book.outstanding_amount),
        tiles=[_tile(figure) for figure in figures],
        statuses=statuses,
        as_of=labels.moment(book.default_rate.as_of),
    )


def _tile(figure: Figure) -> Tile:
    """Return a rate with how many loans it stands for, in words that are always there."""
    tile = figure_tile(figure, _ICONS[figure.metric])
    counted = _("%(share)s loans") % {"share": labels.share(figure)}
    return replace(tile, basis=f"{counted} · {tile.basis}")
