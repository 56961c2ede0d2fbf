"""Charts of what a model does: ROC, the two distributions, calibration, and drift."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from analytics.dashboards.charts import Chart
from analytics.domain.modelling.life.lifecycle import DriftFinding
from analytics.domain.modelling.stability import ACTED_ON_FROM
from analytics.models import ScoringRun

GRID = {"left": 16, "right": 24, "top": 24, "bottom": 48, "containLabel": True}
_LOWER = {"nameLocation": "middle", "nameGap": 28}


def roc(points: Sequence[Sequence[float]]) -> Chart:
    """Return the share of cases found against the share of the others that is taken for cases."""
    shown = [[round(x, 4), round(y, 4)] for x, y in points]
    return Chart(
        key="roc",
        title=_("ROC curve"),
        option={
            "grid": GRID,
            "xAxis": {"type": "value", "min": 0, "max": 1, "name": _("others taken"), **_LOWER},
            "yAxis": {"type": "value", "min": 0, "max": 1, "name": _("cases found")},
            "series": [
                {"type": "line", "data": shown, "showSymbol": False},
                {
                    "type": "line",
                    "data": [[0, 0], [1, 1]],
                    "showSymbol": False,
                    "lineStyle": {"type": "dashed"},
                },
            ],
        },
        headers=[_("others taken"), _("cases found")],
        rows=[[f"{x:.3f}", f"{y:.3f}"] for x, y in shown[:: max(1, len(shown) // 20)]],
        is_empty=not shown,
    )


def separation(points: Sequence[Sequence[float]]) -> Chart:
    """Return the distributions whose largest gap is the KS statistic."""
    events = [[round(x, 5), round(e, 4)] for x, e, _o in points]
    others = [[round(x, 5), round(o, 4)] for x, _e, o in points]
    gap = max((abs(o - e) for _x, e, o in points), default=0.0)
    return Chart(
        key="ks",
        title=_("How far cases and others lie apart (KS)"),
        option={
            "grid": GRID,
            "legend": {"bottom": 0},
            "xAxis": {"type": "value", "name": _("probability"), **_LOWER},
            "yAxis": {"type": "value", "min": 0, "max": 1},
            "series": [
                {"name": _("cases"), "type": "line", "data": events, "showSymbol": False},
                {"name": _("others"), "type": "line", "data": others, "showSymbol": False},
            ],
        },
        headers=[_("probability"), _("cases"), _("others")],
        rows=[
            [f"{x:.4f}", f"{e:.3f}", f"{o:.3f}"] for x, e, o in points[:: max(1, len(points) // 20)]
        ],
        note=_("Largest gap: %(gap)s") % {"gap": f"{gap:.3f}"},
        is_empty=not points,
    )


def by_tenth(observed: Sequence[float | None], predicted: Sequence[float]) -> dict[str, Any]:
    """Return the picture of what came, as bars, and what was foretold, as a line; both rates."""
    return {
        "grid": GRID,
        "legend": {"bottom": 0},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [str(n) for n in range(1, len(predicted) + 1)]},
        "yAxis": {"type": "value", "axisLabel": {"formatter": "fn:percent"}},
        "series": [
            {
                "name": _("observed"),
                "type": "bar",
                "data": [None if rate is None else round(rate, 5) for rate in observed],
            },
            {
                "name": _("predicted"),
                "type": "line",
                "data": [round(rate, 5) for rate in predicted],
            },
        ],
    }


def calibration(deciles: Sequence[Mapping[str, Any]]) -> Chart:
    """Return what was predicted against what came, tenth by tenth."""
    return Chart(
        key="calibration",
        title=_("Calibration: predicted and observed"),
        option=by_tenth([d["rate"] for d in deciles], [d["predicted"] for d in deciles]),
        headers=[
            _("Tenth"),
            _("Rows"),
            _("Cases"),
            _("predicted"),
            _("observed"),
            _("interval"),
            _("covered"),
        ],
        rows=[
            [
                str(at),
                str(d["rows"]),
                str(d["events"]),
                f"{d['predicted']:.2%}",
                f"{d['rate']:.2%}",
                f"{d['low']:.2%} – {d['high']:.2%}",
                _("yes") if d["is_covered"] else _("no"),
            ]
            for at, d in enumerate(deciles, start=1)
        ],
        is_empty=not deciles,
    )


def drift(found: Sequence[tuple[ScoringRun, DriftFinding]]) -> Chart:
    """Return how far score and the worst feature had moved at each run."""
    days = [f"{localtime(run.scored_at):%Y-%m-%d %H:%M}" for run, _drift in found]
    return Chart(
        key="drift",
        title=_("Drift since the training"),
        option={
            "grid": GRID,
            "legend": {"bottom": 0},
            "tooltip": {"trigger": "axis"},
            "xAxis": {"type": "category", "data": days},
            "yAxis": {"type": "value", "min": 0},
            "series": [
                {
                    "name": _("score (PSI)"),
                    "type": "line",
                    "data": [None if d.score is None else round(d.score, 4) for _run, d in found],
                },
                {
                    "name": _("worst feature (CSI)"),
                    "type": "line",
                    "data": [round(d.worst, 4) for _run, d in found],
                },
            ],
        },
        headers=[_("Run"), _("score (PSI)"), _("worst feature (CSI)")],
        rows=[
            [day, "–" if d.score is None else f"{d.score:.3f}", f"{d.worst:.3f}"]
            for day, (_run, d) in zip(days, found, strict=True)
        ],
        note=_("From %(limit)s on somebody has to act; two such runs in a row halt the score.")
        % {"limit": ACTED_ON_FROM},
        size="short",
        is_empty=not found,
    )
