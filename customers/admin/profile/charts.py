"""Charts of one customer's months, as plain data for charts.js and as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from customers.selectors.profile.history import Month


@dataclass(frozen=True, slots=True)
class ProfileChart:
    """One chart: an ECharts option, and the same numbers as rows."""

    key: str
    title: str
    option: Mapping[str, Any]
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_empty: bool
    size: str = "short"
    note: str = ""

    @property
    def option_id(self) -> str:
        """Return the id of the block that carries the option."""
        return f"option-{self.key}"


def of_months(months: Sequence[Month]) -> list[ProfileChart]:
    """Return the charts of activity and balance."""
    names = [f"{month.start:%Y-%m}" for month in months]
    counts = [month.event_count for month in months]
    balances = [float(month.balance_amount) for month in months]
    return [
        ProfileChart(
            key="activity",
            title=_("Activity a month"),
            option=_option(names, {"type": "bar", "data": counts}),
            headers=[_("Month"), _("Events")],
            rows=[[name, f"{count:,}"] for name, count in zip(names, counts, strict=True)],
            is_empty=not any(counts),
        ),
        ProfileChart(
            key="balance",
            title=_("Balance at the end of the month"),
            option=_option(
                names, {"type": "line", "step": "end", "areaStyle": {}, "data": balances}
            ),
            headers=[_("Month"), _("Balance")],
            rows=[
                [name, f"¥{month.balance_amount:,.2f}"]
                for name, month in zip(names, months, strict=True)
            ],
            is_empty=not any(balances),
        ),
    ]


def _option(names: Sequence[str], series: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 16, "top": 16, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": list(names)},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [series],
    }
