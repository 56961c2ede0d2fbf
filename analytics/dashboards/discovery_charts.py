"""Charts of what a search for segments found."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from analytics.dashboards.charts import Chart

_ROOM = {"left": 8, "right": 56, "top": 8, "bottom": 8, "containLabel": True}


def sizes(groups: Sequence[Mapping[str, Any]]) -> Chart:
    """Return how many people are in each group."""
    return Chart(
        key="sizes",
        title=_("People in each group"),
        option={
            "tooltip": {"trigger": "item"},
            "grid": _ROOM,
            "xAxis": {"type": "value", "minInterval": 1},
            "yAxis": {
                "type": "category",
                "data": [group["name"] for group in groups],
                "inverse": True,
                "axisLabel": {"width": 220, "overflow": "truncate"},
            },
            "series": [
                {
                    "type": "bar",
                    "data": [group["size"] for group in groups],
                    "label": {"show": True, "position": "right", "formatter": "fn:count"},
                }
            ],
        },
        headers=[_("Group of customers"), _("People")],
        rows=[[group["name"], f"{group['size']:,}"] for group in groups],
        is_empty=not any(group["size"] for group in groups),
    )


def profile(groups: Sequence[Mapping[str, Any]]) -> Chart:
    """Return by how many deviations each group lies above or below everybody, a bar a column."""
    shown = [group for group in groups if group["differences"]]
    columns = list(dict.fromkeys(d["feature"] for group in shown for d in group["differences"]))
    by_group = {
        group["name"]: {d["feature"]: d["z"] for d in group["differences"]} for group in shown
    }
    return Chart(
        key="profile",
        title=_("What sets the groups apart"),
        option={
            "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
            "legend": {"bottom": 0, "type": "scroll"},
            "grid": {**_ROOM, "right": 16, "bottom": 40},
            "xAxis": {"type": "value"},
            "yAxis": {"type": "category", "data": columns, "inverse": True},
            "series": [
                {"name": name, "type": "bar", "data": [found.get(c) for c in columns]}
                for name, found in by_group.items()
            ],
        },
        headers=[_("Group of customers"), *columns],
        rows=[
            [name, *(f"{found[c]:+.2f}" if c in found else "–" for c in columns)]
            for name, found in by_group.items()
        ],
        note=_("In standard deviations; 0 is everybody. Only the strongest of each group."),
        size="tall" if len(by_group) > 4 else "normal",
        is_empty=not shown,
    )


def drivers(weights: Sequence[tuple[str, float]]) -> Chart:
    """Return the weights that decide most about resemblance."""
    return Chart(
        key="drivers",
        title=_("What decides about resemblance"),
        option={
            "tooltip": {"trigger": "item"},
            "grid": _ROOM,
            "xAxis": {"type": "value"},
            "yAxis": {
                "type": "category",
                "data": [name for name, _weight in weights],
                "inverse": True,
            },
            "series": [{"type": "bar", "data": [weight for _name, weight in weights]}],
        },
        headers=[_("Column"), _("Weight")],
        rows=[[name, f"{weight:+.2f}"] for name, weight in weights],
        size="short",
        is_empty=not weights,
    )
