"""Charts of the loan book: vintage curves, the triangle, the matrix of rolls, flows, recoveries."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from analytics.dashboards.charts import TIP, Chart
from analytics.domain.credit.month_ends import END_STATES, OPEN_STATES, BookState
from analytics.domain.credit.rolling import BucketFlow, RollCell
from analytics.domain.credit.vintages import DefaultCell, VintageRow
from analytics.domain.rates import wilson
from analytics.labels.credit import BOOK_STATES

_CURVES_SHOWN = 12
_BLUES = ["#dbeafe", "#60a5fa", "#1d4ed8"]
_NAMED = {"nameLocation": "middle", "nameGap": 28}
UNKNOWN = "–"


def percent(rate: float | None) -> str:
    """Return a rate as people write it; a dash where it is unknown."""
    return UNKNOWN if rate is None else f"{rate * 100:.2f}%"


def interval(bad_count: int, total_count: int) -> str:
    """Return the Wilson interval of a rate, 95 %; a dash without any."""
    found = wilson(bad_count, total_count)
    if found.low is None or found.high is None:
        return UNKNOWN
    return _("%(low)s to %(high)s") % {"low": percent(found.low), "high": percent(found.high)}


def rate_with_interval(bad_count: int, total_count: int) -> str:
    """Return a rate with its interval; a dash without any."""
    if not total_count:
        return UNKNOWN
    return f"{percent(bad_count / total_count)} ({interval(bad_count, total_count)})"


def rate_of(cell: DefaultCell, *, by_amount: bool) -> float | None:
    """Return the rate of a cell of the triangle."""
    return cell.amount_rate if by_amount else cell.rate


def vintage_curves(rows: Sequence[VintageRow], *, by_amount: bool) -> Chart:
    """Return a line for each of the last cohorts; months that are not ripe are gaps."""
    shown = rows[-_CURVES_SHOWN:]
    months = [cell.month for cell in rows[0].cells] if rows else []
    series = [
        {
            "name": f"{row.cohort:%Y-%m}",
            "type": "line",
            "connectNulls": False,
            "symbolSize": 6,
            "data": [
                None
                if (rate := rate_of(cell, by_amount=by_amount)) is None
                else {"value": rate, "tip": cell_tip(row.cohort, cell, by_amount=by_amount)}
                for cell in row.cells
            ],
        }
        for row in shown
    ]
    return Chart(
        key="vintage-curves",
        title=_("Curves of the last cohorts"),
        option={
            "tooltip": TIP,
            "legend": {"bottom": 0, "type": "scroll"},
            "grid": {"left": 8, "right": 16, "top": 24, "bottom": 64, "containLabel": True},
            "xAxis": {
                "type": "category",
                "data": [str(month) for month in months],
                "name": _("months on book"),
                **_NAMED,
            },
            "yAxis": {"type": "value", "min": 0, "axisLabel": {"formatter": "fn:percent"}},
            "series": series,
        },
        headers=[],
        rows=[],
        note=_("Months that only part of the loans have reached stay blank; they are not zero."),
        is_empty=not any(point for line in series for point in _points(line)),
    )


def _points(line: Mapping[str, Any]) -> Sequence[Any]:
    data: Sequence[Any] = line["data"]
    return data


def triangle_map(rows: Sequence[VintageRow], *, by_amount: bool) -> Chart:
    """Return the triangle as coloured cells; unripe ones stay blank."""
    cells: list[dict[str, Any]] = [
        {
            "value": [cell.month - 1, at, rate],
            "tip": cell_tip(row.cohort, cell, by_amount=by_amount),
        }
        for at, row in enumerate(rows)
        for cell in row.cells
        if (rate := rate_of(cell, by_amount=by_amount)) is not None
    ]
    most = max((cell["value"][2] for cell in cells), default=0.0)
    return _map(
        "vintage-triangle",
        _("Triangle of vintages"),
        columns=[str(cell.month) for cell in rows[0].cells] if rows else [],
        names=[f"{row.cohort:%Y-%m}" for row in rows],
        cells=cells,
        most=max(most, 0.01),
    )


def roll_map(cells: Mapping[tuple[BookState, BookState], RollCell], *, by_amount: bool) -> Chart:
    """Return the matrix of rolls as coloured cells."""
    found = [
        {
            "value": [END_STATES.index(closing), OPEN_STATES.index(opening), rate],
            "tip": f"{_name(opening)} → {_name(closing)}\n{percent(rate)}\n"
            + _("%(part)s of %(whole)s loans")
            % {"part": f"{cell.loan_count:,}", "whole": f"{cell.opening_count:,}"},
        }
        for (opening, closing), cell in cells.items()
        if (rate := cell.amount_rate if by_amount else cell.rate) is not None
    ]
    return _map(
        "roll-matrix",
        _("Roll rates within a month"),
        columns=[_name(state) for state in END_STATES],
        names=[_name(state) for state in OPEN_STATES],
        cells=found,
        most=1.0,
        is_worded=True,
    )


def flow_bars(flows: Sequence[BucketFlow]) -> Chart:
    """Return the closing balance of each bucket by month, stacked."""
    months = sorted({flow.month for flow in flows})
    by_bucket: dict[BookState, dict[date, float]] = {bucket: {} for bucket in OPEN_STATES}
    for flow in flows:
        by_bucket[flow.bucket][flow.month] = float(flow.closing_amount)
    return Chart(
        key="flow-bars",
        title=_("Balance by bucket at the end of each month"),
        option={
            "tooltip": {"trigger": "axis"},
            "legend": {"bottom": 0, "type": "scroll"},
            "grid": {"left": 8, "right": 16, "top": 16, "bottom": 40, "containLabel": True},
            "xAxis": {"type": "category", "data": [f"{month:%Y-%m}" for month in months]},
            "yAxis": {"type": "value"},
            "series": [
                {
                    "name": _name(bucket),
                    "type": "bar",
                    "stack": "all",
                    "data": [found.get(month, 0) for month in months],
                }
                for bucket, found in by_bucket.items()
            ],
        },
        headers=[],
        rows=[],
        is_empty=not any(flow.closing_amount for flow in flows),
    )


def recovery_curve(shares: Sequence[float]) -> Chart:
    """Return the share of defaulted balances that is not recovered, by months since default."""
    return Chart(
        key="recovery-curve",
        title=_("Not recovered, by months since default"),
        option={
            "tooltip": {"trigger": "axis"},
            "grid": {"left": 8, "right": 16, "top": 16, "bottom": 40, "containLabel": True},
            "xAxis": {
                "type": "category",
                "data": [str(month) for month in range(len(shares) + 1)],
                "name": _("months since default"),
                **_NAMED,
            },
            "yAxis": {
                "type": "value",
                "min": 0,
                "max": 1,
                "axisLabel": {"formatter": "fn:percent"},
            },
            "series": [{"type": "line", "data": [1.0, *shares]}],
        },
        headers=[_("months since default"), _("Not recovered")],
        rows=[[str(month), percent(share)] for month, share in enumerate(shares, start=1)],
        size="short",
        is_empty=not shares,
    )


def cell_tip(cohort: date, cell: DefaultCell, *, by_amount: bool) -> str:
    """Return what stands behind a cell of the triangle, in words."""
    if by_amount:
        parts = {"part": f"¥{cell.bad_amount:,.2f}", "whole": f"¥{cell.booked_amount:,.2f}"}
    else:
        parts = {"part": f"{cell.bad_count:,}", "whole": f"{cell.loan_count:,}"}
    text = _("%(part)s of %(whole)s") % parts
    rate = percent(rate_of(cell, by_amount=by_amount))
    if not by_amount:
        # Balances are no independent trials: by amount there is no such interval.
        rate = f"{rate} ({interval(cell.bad_count, cell.loan_count)})"
    return f"{cohort:%Y-%m} · {cell.month}\n{rate}\n{text}"


def _map(
    key: str,
    title: str,
    *,
    columns: Sequence[str],
    names: Sequence[str],
    cells: Sequence[Mapping[str, Any]],
    most: float,
    is_worded: bool = False,
) -> Chart:
    return Chart(
        key=key,
        title=title,
        option={
            "tooltip": TIP,
            "grid": {"left": 8, "right": 16, "top": 8, "bottom": 56, "containLabel": True},
            # Every column has its name: one that is left out cannot be guessed.
            "xAxis": {
                "type": "category",
                "data": list(columns),
                "axisLabel": {"interval": 0, "rotate": 30 if is_worded else 0},
            },
            "yAxis": {"type": "category", "data": list(names), "inverse": True},
            "visualMap": {
                "min": 0,
                "max": most,
                "orient": "horizontal",
                "left": "center",
                "bottom": 0,
                "text": [percent(most), percent(0)],
                "formatter": "fn:percent",
                "inRange": {"color": _BLUES},
            },
            "series": [{"type": "heatmap", "data": list(cells)}],
        },
        headers=[],
        rows=[],
        size="tall",
        is_empty=not cells,
    )


def _name(state: BookState) -> str:
    return BOOK_STATES.label(state)
