"""What the page of a version shows of a model of uplift."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from analytics.dashboards.cards import Tile
from analytics.dashboards.charts import Chart
from analytics.dashboards.modelling import words
from analytics.dashboards.modelling.charts import GRID, by_tenth
from analytics.domain.uplift.trained import TrainedUplift
from analytics.labels.modelling import SELECTION_REASONS
from analytics.labels.uplift import LEARNERS, RANKING_VERDICTS, UPLIFT_BASES
from campaigns.domain.campaigns.fairness import impact_ratios
from campaigns.labels.fairness import GROUP_FINDINGS
from customers import labels as customer_labels


def found(model: TrainedUplift, names: Mapping[str, str]) -> dict[str, Any]:
    """Return tiles, charts and tables.

    Args:
        names: Of columns, in the language of the reader.
    """
    measured = model.measured
    return {
        "verdict": RANKING_VERDICTS.term(measured["verdict"]),
        "tiles": _tiles(measured),
        "charts": [_curve(measured["curve"], measured["people"]), _calibration(measured["bands"])],
        "best": [
            {
                "share": f"{one['share']:.0%}",
                "uplift": _points(one["value"]),
                "interval": _interval(one),
                "by_group": _points(one["by_group"]),
            }
            for one in measured["at"]
        ],
        "dogs": _dogs(measured["dogs"]),
        "predictor": _predictor(measured["predictor"]),
        "tried": [
            {
                "learner": LEARNERS.label(one["learner"]),
                "base": UPLIFT_BASES.label(one["base"]),
                "qini": _number(one["value"]),
                "interval": _range(one, _number),
                "is_chosen": at == 0,
            }
            for at, one in enumerate(model.to_json()["tried"])
        ],
        "groups": _groups(measured["groups"]),
        "selection": [
            {
                "name": names.get(entry.feature, entry.feature),
                "reason": SELECTION_REASONS.term(entry.reason),
            }
            for entry in model.selection
        ],
        "stability": words.stability(measured, names),
    }


def _tiles(measured: Mapping[str, Any]) -> list[Tile]:
    worth = measured["worth"]
    people = _("on %(people)s people, %(treated)s of them treated") % {
        "people": f"{measured['people']:,}",
        "treated": f"{measured['treated']:,}",
    }
    qini, auuc = worth["qini_per_thousand"], worth["auuc_per_thousand"]
    return [
        Tile(
            _("Qini, extra outcomes for 1,000 treated"),
            _number(qini["value"]),
            _range(qini, _number),
            "stacked_line_chart",
        ),
        Tile(
            _("AUUC, extra outcomes for 1,000 people"),
            _number(auuc["value"]),
            _range(auuc, _number),
            "show_chart",
        ),
        Tile(
            _("Average uplift, percentage points"),
            _points(measured["average"]["value"]),
            _range(measured["average"], _points),
            "trending_up",
        ),
        Tile(_("Reached the goal"), f"{measured['events']:,}", people, "flag"),
    ]


def _curve(points: Sequence[Sequence[float]], people: int) -> Chart:
    """Return the extra outcomes among the treated, the likeliest to be moved first."""
    shown = [[round(n / people, 4), round(qini, 2)] for n, qini, _uplift in points]
    return Chart(
        key="qini",
        title=_("Qini curve"),
        option={
            "grid": GRID,
            "legend": {"bottom": 0},
            "xAxis": {
                "type": "value",
                "min": 0,
                "max": 1,
                "axisLabel": {"formatter": "fn:percent"},
            },
            "yAxis": {"type": "value", "name": _("extra outcomes")},
            "series": [
                {
                    "name": _("by this ranking"),
                    "type": "line",
                    "data": shown,
                    "showSymbol": False,
                },
                {
                    "name": _("by lot"),
                    "type": "line",
                    "data": [shown[0], shown[-1]] if shown else [],
                    "showSymbol": False,
                    "lineStyle": {"type": "dashed"},
                },
            ],
        },
        headers=[_("people, the likeliest to be moved first"), _("extra outcomes")],
        rows=[[f"{share:.0%}", f"{qini:.1f}"] for share, qini in shown],
        note=_("Extra outcomes among the treated, against as many of those held out."),
        is_empty=not shown,
    )


def _calibration(bands: Sequence[Mapping[str, Any]]) -> Chart:
    """Return the uplift foretold and the one that came, tenth by tenth of the ranking."""
    return Chart(
        key="uplift-bands",
        title=_("Uplift foretold and observed, the highest tenth first"),
        option=by_tenth([b["value"] for b in bands], [b["predicted"] for b in bands]),
        headers=[
            _("Tenth"),
            _("People"),
            _("To be written to"),
            _("predicted"),
            _("observed"),
            _("interval"),
            _("covered"),
        ],
        rows=[
            [
                str(at),
                str(band["people"]),
                str(band["treated"]),
                _points(band["predicted"]),
                _points(band["value"]),
                _interval(band),
                {True: _("yes"), False: _("no"), None: "–"}[band["is_covered"]],
            ]
            for at, band in enumerate(bands, start=1)
        ],
        is_empty=not bands,
    )


def _dogs(dogs: Mapping[str, Any]) -> dict[str, str]:
    return {
        "people": f"{dogs['people']:,}",
        "share": f"{dogs['share']:.1%}",
        "observed": _points(dogs["value"]),
        "interval": _interval(dogs),
    }


def _predictor(predictor: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the coefficients of the best linear predictor."""
    average, slope = predictor["average"], predictor["heterogeneity"]
    rows = [
        {
            "name": _("Average uplift, percentage points"),
            "value": _points(average["value"]),
            "interval": _range(average, _points),
            "chance": f"{average['p_value']:.3f}",
        }
    ]
    if slope is not None:
        rows.append(
            {
                "name": _("Slope: 1 where the uplift is as foretold, 0 where it says nothing"),
                "value": _number(slope["value"]),
                "interval": _range(slope, _number),
                "chance": f"{slope['p_value']:.3f}",
            }
        )
    return rows


def _groups(groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return how each gender fares; measured by, never learned from."""
    ratios = {
        one.group: one
        for one in impact_ratios({g["name"]: (g["better_half"], g["people"]) for g in groups})
    }
    return [
        {
            "name": customer_labels.GENDERS.label(group["name"]),
            "people": f"{group['people']:,}",
            "predicted": _points(group["predicted"]),
            "observed": f"{_points(group['value'])} {_interval(group)}".strip(),
            "better_half": f"{group['better_half'] / group['people']:.1%}",
            "ratio": _number(ratios[group["name"]].ratio),
            "finding": GROUP_FINDINGS.term(ratios[group["name"]].finding),
        }
        for group in groups
    ]


def _interval(found: Mapping[str, Any]) -> str:
    return f"({_range(found, _points)})" if found["low"] is not None else ""


def _range(found: Mapping[str, Any], written: Any) -> str:
    if found["low"] is None:
        return ""
    return _("95%% interval %(low)s to %(high)s") % {
        "low": written(found["low"]),
        "high": written(found["high"]),
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _points(value: float | None) -> str:
    """Return a difference of rates in percentage points, with its sign."""
    return "–" if value is None else f"{value * 100:+.2f}"
