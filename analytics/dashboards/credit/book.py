"""Pages of the loan book by vintage, by month and by stage."""

from math import isnan
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from analytics.dashboards.credit import book_charts
from analytics.dashboards.credit.book_charts import percent
from analytics.dashboards.credit.tabs import tabs
from analytics.domain.credit import rolling, vintages
from analytics.domain.credit.assumptions import AssumptionName, CreditValue
from analytics.domain.credit.month_ends import END_STATES, OPEN_STATES, BookState
from analytics.domain.credit.rolling import BucketFlow, RollCell
from analytics.domain.credit.vintages import DefaultCell, VintageRow
from analytics.labels.credit import ASSUMPTIONS, BOOK_STATES, ORIGINS, STAGES
from analytics.models import CreditEstimate
from analytics.selectors.credit import loan_book, staging, values
from analytics.selectors.credit.loan_book import THRESHOLDS, BookCover
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "campaigns.view_report"
MONTHS_ON_BOOK = 18
COHORTS_SHOWN = 24
MONTHS_SHOWN = 12


def vintage_page(request: HttpRequest) -> HttpResponse:
    """Show how each month's loans went bad."""
    admin_pages.require(request, VIEW)
    cover = loan_book.load_cover()
    days = _choice(request, "days", THRESHOLDS, THRESHOLDS[0])
    by_amount = request.GET.get("by") == "amount"
    rows: tuple[VintageRow, ...] = ()
    if cover.as_of is not None:
        rows = vintages.triangle(
            loan_book.load_cohorts(threshold_days=days),
            threshold_days=days,
            as_of=cover.as_of,
            months=MONTHS_ON_BOOK,
        )[-COHORTS_SHOWN:]
    return _page(
        request,
        "vintages",
        cover,
        title=_("Vintages"),
        charts=[
            book_charts.vintage_curves(rows, by_amount=by_amount),
            book_charts.triangle_map(rows, by_amount=by_amount),
        ],
        days=days,
        by_amount=by_amount,
        choices=_vintage_choices(days, by_amount=by_amount),
        months=[str(month) for month in range(1, MONTHS_ON_BOOK + 1)],
        rows=[
            {
                "cohort": f"{row.cohort:%Y-%m}",
                "count": row.loan_count,
                "amount": f"¥{row.amount:,.2f}",
                "url": _loans_url(kind="vintage", cohort=f"{row.cohort:%Y-%m-%d}"),
                "cells": [_vintage_cell(row, cell, by_amount=by_amount) for cell in row.cells],
            }
            for row in rows
        ],
    )


def roll_page(request: HttpRequest) -> HttpResponse:
    """Show how loans roll between buckets, and the flow of balances."""
    admin_pages.require(request, VIEW)
    cover = loan_book.load_cover()
    months = _choice(request, "months", (1, 3, 6, 12), 1)
    by_amount = request.GET.get("by") == "amount"
    rolls = []
    if cover.last_month is not None:
        first = loan_book.window_of(cover.last_month, MONTHS_SHOWN)
        rolls = loan_book.load_rolls(first=first, last=cover.last_month)
    since = loan_book.window_of(cover.last_month, months) if cover.last_month else None
    chosen = [roll for roll in rolls if since is not None and roll.month >= since]
    cells = rolling.roll_matrix(chosen)
    flows = rolling.bucket_flows(rolls)
    span = {"first": str(since), "last": str(cover.last_month)}
    rates = rolling.flow_rates(chosen)
    known = [rate for rate in rates if rate is not None]
    lost = rolling.gross_loss_rate(known) if len(known) == len(rates) else None
    return _page(
        request,
        "rolls",
        cover,
        title=_("Rolls and flows"),
        charts=[
            book_charts.roll_map(cells, by_amount=by_amount),
            book_charts.flow_bars(flows),
        ],
        choices=_roll_choices(months, by_amount=by_amount),
        endings=[BOOK_STATES.label(state) for state in END_STATES],
        matrix=[
            {
                "name": BOOK_STATES.label(opening),
                "cells": [
                    _roll_cell(cells[opening, closing], span, by_amount=by_amount)
                    for closing in END_STATES
                ],
            }
            for opening in OPEN_STATES
        ],
        rates=[
            (BOOK_STATES.label(state), percent(rate))
            for state, rate in zip(OPEN_STATES, rates, strict=True)
        ]
        + [(_("Their product: of a balance in M0 lost in the end"), percent(lost))],
        flows=[_flow_row(flow) for flow in reversed(flows) if flow.month == cover.last_month][::-1],
        last_month=cover.last_month,
    )


def stage_page(request: HttpRequest) -> HttpResponse:
    """Show stages, expected losses and what they are reckoned with."""
    admin_pages.require(request, VIEW)
    cover = loan_book.load_cover()
    in_use = values.load_values()
    lines = staging.load_stages(values=in_use, today=clock.today())
    latest = None
    if cover.as_of is not None:
        # A curve of an earlier day is not today's.
        latest = CreditEstimate.objects.filter(
            name=AssumptionName.LOSS_GIVEN_DEFAULT, as_of=cover.as_of
        ).first()
    return _page(
        request,
        "stages",
        cover,
        title=_("Stages and expected loss"),
        charts=[book_charts.recovery_curve(latest.details["curve"] if latest else [])],
        lines=[
            {
                "term": STAGES.term(line.stage),
                "count": line.loan_count,
                "amount": f"¥{line.outstanding_amount:,.2f}",
                "loss": f"¥{line.loss_amount:,.2f}",
                "share": percent(
                    line.loss_amount / float(line.outstanding_amount)
                    if line.outstanding_amount
                    else None
                ),
                "url": _loans_url(kind="stage", stage=line.stage.value),
            }
            for line in lines
        ],
        total_loss=f"¥{sum(line.loss_amount for line in lines):,.2f}",
        has_loans=any(line.loan_count for line in lines),
        values=[_value_row(value) for value in in_use.values()],
        may_set=request.user.has_perm("analytics.add_creditassumption"),
    )


def _page(
    request: HttpRequest, name: str, cover: BookCover, *, title: str, **context: Any
) -> HttpResponse:
    return admin_pages.page(
        request,
        f"analytics/credit/{name}.html",
        title=title,
        tabs=tabs(name),
        cover=cover,
        **context,
    )


def _choice(request: HttpRequest, name: str, known: tuple[int, ...], default: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text in map(str, known) else default


def _vintage_choices(days: int, *, by_amount: bool) -> list[tuple[str, str, bool]]:
    """Return (words, query, is current) of what the page can be switched to."""
    by = "amount" if by_amount else "count"
    found = [
        (
            _("%(days)s days and more") % {"days": each},
            urlencode({"days": str(each), "by": by}),
            each == days,
        )
        for each in THRESHOLDS
    ]
    return [*found, *_by_choices({"days": str(days)}, by_amount=by_amount)]


def _roll_choices(months: int, *, by_amount: bool) -> list[tuple[str, str, bool]]:
    by = "amount" if by_amount else "count"
    found = [
        (
            _("last %(count)s months") % {"count": each} if each > 1 else _("last month"),
            urlencode({"months": str(each), "by": by}),
            each == months,
        )
        for each in (1, 3, 6, 12)
    ]
    return [*found, *_by_choices({"months": str(months)}, by_amount=by_amount)]


def _by_choices(fixed: dict[str, str], *, by_amount: bool) -> list[tuple[str, str, bool]]:
    return [
        (_("by number of loans"), urlencode({**fixed, "by": "count"}), not by_amount),
        (_("by amount"), urlencode({**fixed, "by": "amount"}), by_amount),
    ]


def _vintage_cell(row: VintageRow, cell: DefaultCell, *, by_amount: bool) -> dict[str, str]:
    rate = book_charts.rate_of(cell, by_amount=by_amount)
    if rate is None:
        return {"text": "", "interval": "", "url": "", "tip": ""}
    return {
        "text": percent(rate),
        # A balance is no count of independent trials: by amount there is no such interval.
        "interval": "" if by_amount else book_charts.interval(cell.bad_count, cell.loan_count),
        "tip": book_charts.cell_tip(row.cohort, cell, by_amount=by_amount),
        "url": _loans_url(
            kind="vintage",
            cohort=f"{row.cohort:%Y-%m-%d}",
            days=str(cell.threshold_days),
            month=str(cell.month),
        )
        if cell.bad_count
        else "",
    }


def _roll_cell(cell: RollCell, span: dict[str, str], *, by_amount: bool) -> dict[str, Any]:
    return {
        "text": percent(cell.amount_rate if by_amount else cell.rate),
        "count": cell.loan_count,
        "url": _loans_url(
            kind="roll", opening=cell.opening.value, closing=cell.closing.value, **span
        )
        if cell.loan_count
        else "",
    }


def _flow_row(flow: BucketFlow) -> dict[str, Any]:
    month = flow.month.isoformat()
    amounts = (
        flow.opening_amount,
        flow.new_amount,
        flow.paid_amount,
        flow.charged_off_amount,
        flow.rolled_in_amount,
        flow.rolled_out_amount,
        flow.closing_amount,
    )
    return {
        "name": BOOK_STATES.label(flow.bucket),
        "amounts": [f"¥{amount:,.2f}" for amount in amounts],
        "url": _loans_url(
            kind="roll", opening="", closing=flow.bucket.value, first=month, last=month
        )
        if flow.closing_amount
        else "",
    }


def _value_row(value: CreditValue) -> dict[str, Any]:
    interval = ""
    if not isnan(value.low):
        interval = _("95%% interval %(low)s to %(high)s") % {
            "low": percent(value.low),
            "high": percent(value.high),
        }
    cases = _("%(count)s cases") % {"count": f"{value.case_count:,}"} if value.case_count else ""
    return {
        "name": ASSUMPTIONS.label(value.name),
        "value": percent(value.value),
        "origin": ORIGINS.term(value.origin),
        "note": " · ".join(part for part in (interval, cases, value.source) if part),
    }


def _loans_url(**query: str) -> str:
    return f"{reverse('reports:book_loans')}?{urlencode(query)}"


def state_of(text: str) -> BookState | None:
    """Return a state of an address, or None where it names none."""
    return BookState(text) if text in set(BookState) else None
