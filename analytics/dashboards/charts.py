"""Charts as plain data: an ECharts option, and the same numbers as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from analytics import labels
from analytics.domain.campaign_report import Breakdown, Counts
from analytics.domain.figures import Figure

TIP = {"trigger": "item", "formatter": "fn:tip"}
# Pixels that “100.0%” takes in a cell, and the names of the rows beside the cells.
_CELL_WIDTH, _NAMES_WIDTH = 42, 140
# At the end of an axis its name would be cut off by the edge of the chart.
_NAMED_BELOW = {"nameLocation": "middle", "nameGap": 28}


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Attributes:
        key: Unique on its page.
        size: short, normal or tall.
        option: For ECharts; strings that start with "fn:" name functions of charts.ts.
    """

    key: str
    title: str
    option: Mapping[str, Any]
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    size: str = "normal"
    note: str = ""
    is_empty: bool = False

    @property
    def option_id(self) -> str:
        """Return the id of the block that carries the option."""
        return f"option-{self.key}"


def lines_by_day(
    key: str, title: str, days: Sequence[date], series: Mapping[str, Mapping[date, int]]
) -> Chart:
    """Return counts a day, one stacked bar a day and a colour a series."""
    written = [f"{day:%m-%d}" for day in days]
    return Chart(
        key=key,
        title=title,
        option={
            "tooltip": {"trigger": "axis"},
            "legend": {"bottom": 0},
            "grid": {"left": 8, "right": 16, "top": 16, "bottom": 32, "containLabel": True},
            "xAxis": {"type": "category", "data": written},
            "yAxis": {"type": "value", "minInterval": 1},
            "series": [
                {
                    "name": name,
                    "type": "bar",
                    "stack": "all",
                    "data": [found.get(day, 0) for day in days],
                }
                for name, found in series.items()
            ],
        },
        headers=[_("Day"), *series],
        rows=[
            [f"{day:%Y-%m-%d}", *(f"{found.get(day, 0):,}" for found in series.values())]
            for day in reversed(days)
            if any(found.get(day) for found in series.values())
        ],
        is_empty=not any(sum(found.values()) for found in series.values()),
    )


def bars(key: str, title: str, counts: Sequence[tuple[str, int]]) -> Chart:
    """Return named counts as horizontal bars, largest on top."""
    shown = list(reversed(counts[:8]))
    return Chart(
        key=key,
        title=title,
        option={
            "tooltip": {"trigger": "item"},
            "grid": {"left": 8, "right": 48, "top": 8, "bottom": 8, "containLabel": True},
            "xAxis": {"type": "value", "minInterval": 1},
            "yAxis": {"type": "category", "data": [name for name, _count in shown]},
            "series": [
                {
                    "type": "bar",
                    "data": [count for _name, count in shown],
                    "label": {"show": True, "position": "right", "formatter": "fn:count"},
                }
            ],
        },
        headers=[_("Reason"), _("People")],
        rows=[[name, f"{count:,}"] for name, count in counts],
        is_empty=not counts,
    )


def funnel(counts: Counts) -> Chart:
    """Return the way from the audience to the conversion, with the loss at every step."""
    steps = [
        (_("Audience"), counts.audience),
        (_("Eligible"), counts.eligible),
        (_("Sent"), counts.sent),
        (_("Delivered"), counts.delivered),
        (_("Clicked"), counts.clicked),
        (_("Clicked and converted"), counts.converted_of_clicked),
        (_("Converted in all, clicked or not"), counts.converted),
    ]
    data, rows = [], []
    for position, (name, count) in enumerate(steps):
        before = steps[position - 1][1] if position else count
        # The last is no step of the one before: people convert without a click too.
        is_step = 0 < position < len(steps) - 1
        share = f"{count / before * 100:.1f}%" if before and is_step else "–"
        tip = f"{name}: {count:,}" + ("\n" + _("%(share)s of the step before") % {"share": share})
        data.append({"name": name, "value": count, "tip": tip if is_step else f"{name}: {count:,}"})
        rows.append([name, f"{count:,}", share])
    names = [name for name, _count in steps]
    return Chart(
        key="funnel",
        title=_("From audience to conversion"),
        option={
            "tooltip": TIP,
            "grid": {"left": 8, "right": 64, "top": 8, "bottom": 8, "containLabel": True},
            "xAxis": {"type": "value", "minInterval": 1, "axisLabel": {"formatter": "fn:count"}},
            "yAxis": {"type": "category", "data": names, "inverse": True},
            "series": [
                {
                    "type": "bar",
                    "barWidth": "62%",
                    "itemStyle": {"borderRadius": [0, 4, 4, 0]},
                    "label": {"show": True, "position": "right", "formatter": "fn:count"},
                    "data": data,
                }
            ],
        },
        headers=[_("Step"), _("People"), _("Of the step before")],
        rows=rows,
        is_empty=counts.audience == 0,
    )


def rates_with_intervals(
    key: str, title: str, figures: Sequence[tuple[str, Figure]], *, as_points: bool = False
) -> Chart:
    """Return rates as dots with their 95 % intervals; unknown ones are left out of the picture."""
    known = [(name, figure) for name, figure in figures if figure.value is not None]
    places = [name for name, _figure in known]
    whiskers = [
        [position, float(figure.low), float(figure.high)]
        for position, (_name, figure) in enumerate(known)
        if figure.low is not None and figure.high is not None
    ]
    return Chart(
        key=key,
        title=title,
        option={
            "tooltip": TIP,
            "xAxis": {"type": "category", "data": places},
            "yAxis": {
                "type": "value",
                "scale": as_points,
                "axisLabel": {"formatter": "fn:percent"},
            },
            "series": [
                {
                    "type": "custom",
                    "renderItem": "fn:whisker",
                    "encode": {"x": 0, "y": [1, 2]},
                    "data": whiskers,
                    "silent": True,
                },
                {
                    "type": "scatter",
                    "symbolSize": 14,
                    "data": [
                        {"value": [position, float(figure.value or 0)], "tip": labels.parts(figure)}
                        for position, (_name, figure) in enumerate(known)
                    ],
                    "label": {"show": True, "position": "right", "formatter": "fn:percent"},
                },
            ],
        },
        headers=figure_headers(),
        rows=[[name, *figure_cells(figure)] for name, figure in figures],
        size="short",
        is_empty=not known,
    )


def curves(
    key: str, title: str, series: Mapping[str, Sequence[Figure]], *, axis: str, note: str = ""
) -> Chart:
    """Return rates by month as lines; months that are not ripe yet are gaps, never zeros."""
    months = sorted({f.window.length or 0 for figures in series.values() for f in figures})
    return Chart(
        key=key,
        title=title,
        option={
            "tooltip": TIP,
            "legend": {"bottom": 0},
            "grid": {"left": 8, "right": 16, "top": 24, "bottom": 64, "containLabel": True},
            "xAxis": {
                "type": "category",
                "data": [str(month) for month in months],
                "name": axis,
                **_NAMED_BELOW,
            },
            "yAxis": {
                "type": "value",
                "min": 0,
                "max": _ceiling(series),
                "axisLabel": {"formatter": "fn:percent"},
            },
            "series": [
                {
                    "name": name,
                    "type": "line",
                    "connectNulls": False,
                    "symbolSize": 8,
                    "data": _by_month(figures, months),
                }
                for name, figures in series.items()
            ],
        },
        headers=figure_headers(),
        rows=[
            [f"{name} · {figure.window.length}", *figure_cells(figure)]
            for name, figures in series.items()
            for figure in figures
        ],
        note=note,
        is_empty=not any(f.value is not None for figures in series.values() for f in figures),
    )


def heat_map(key: str, title: str, series: Mapping[str, Sequence[Figure]], *, axis: str) -> Chart:
    """Return rates by month as coloured cells; unripe months stay blank."""
    months = sorted({f.window.length or 0 for figures in series.values() for f in figures})
    names = list(series)
    cells = [
        {
            "value": [months.index(f.window.length or 0), names.index(name), float(f.value)],
            "tip": f"{name}\n{labels.parts(f)}",
        }
        for name, figures in series.items()
        for f in figures
        if f.value is not None
    ]
    return Chart(
        key=key,
        title=title,
        option={
            "tooltip": TIP,
            "grid": {"left": 8, "right": 16, "top": 8, "bottom": 72, "containLabel": True},
            "xAxis": {
                "type": "category",
                "data": [str(month) for month in months],
                "name": axis,
                **_NAMED_BELOW,
            },
            "yAxis": {"type": "category", "data": names, "inverse": True},
            "visualMap": {
                "min": 0,
                "max": 1,
                "orient": "horizontal",
                "left": "center",
                "bottom": 0,
                "formatter": "fn:percent",
                "inRange": {"color": ["#dbeafe", "#60a5fa", "#1d4ed8"]},
            },
            "series": [
                {
                    "type": "heatmap",
                    "data": cells,
                    "label": {"show": True, "formatter": "fn:percent"},
                }
            ],
            "media": _written_upwards_below(_CELL_WIDTH * len(months) + _NAMES_WIDTH),
        },
        headers=figure_headers(),
        rows=[
            [f"{name} · {figure.window.length}", *figure_cells(figure)]
            for name, figures in series.items()
            for figure in figures
        ],
        size="short",
        is_empty=not cells,
    )


def _written_upwards_below(width: int) -> list[dict[str, Any]]:
    """Return how cells are written in upwards in a chart where they are narrower than a rate."""
    return [
        {"query": {"maxWidth": width}, "option": {"series": [{"label": {"rotate": 90}}]}},
        {"option": {"series": [{"label": {"rotate": 0}}]}},
    ]


def variant_rates(variants: Sequence[Breakdown], control: Figure | None) -> Chart:
    """Return the conversion of each variant and of the control group, with intervals."""
    figures = [
        (_("Variant %(key)s") % {"key": part.key or "–"}, part.figures["conversion_rate"])
        for part in variants
    ]
    if control is not None and control.denominator:
        figures.append((_("Control group"), control))
    return rates_with_intervals("variants", _("Conversion by variant"), figures)


def figure_headers() -> list[str]:
    """Return the headers of the table below a chart of figures."""
    return [
        "",
        _("Value"),
        _("Interval"),
        _("Numerator"),
        _("Denominator"),
        _("Window"),
        _("As of"),
        _("Note"),
    ]


def figure_cells(figure: Figure) -> list[str]:
    """Return a figure's cells below those headers, after the name."""
    cells = labels.row(figure)
    return [
        cells[name]
        for name in ("value", "interval", "numerator", "denominator", "window", "as_of", "note")
    ]


def _ceiling(series: Mapping[str, Sequence[Figure]]) -> float:
    """Return where the axis of rates ends: a little above the largest, at least at 5 %."""
    known = [float(f.value) for figures in series.values() for f in figures if f.value is not None]
    return min(1.0, max(0.05, round(max(known, default=0.0) * 1.25, 2)))


def _by_month(figures: Sequence[Figure], months: Sequence[int]) -> list[dict[str, Any] | None]:
    known = {figure.window.length or 0: figure for figure in figures}
    points: list[dict[str, Any] | None] = []
    for month in months:
        figure = known.get(month)
        if figure is None or figure.value is None:
            points.append(None)
        else:
            points.append({"value": float(figure.value), "tip": labels.parts(figure)})
    return points
