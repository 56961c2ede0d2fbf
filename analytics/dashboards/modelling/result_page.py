"""What the page of a version shows of a model that foretells a probability."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from analytics.dashboards.cards import Tile
from analytics.dashboards.modelling import charts, words
from analytics.domain.modelling.bands import BandResult, band_problems
from analytics.domain.modelling.binning import BinKind, BinnedFeature
from analytics.domain.modelling.trained import TrainedModel
from analytics.domain.rates import wilson
from analytics.labels.modelling import BAND_PROBLEMS, BIN_KINDS, SELECTION_REASONS
from customers import labels as customer_labels


def found(model: TrainedModel, names: Mapping[str, str]) -> dict[str, Any]:
    """Return tiles, charts and tables.

    Args:
        names: Of columns, in the language of the reader.
    """
    measured = model.measured
    return {
        "tiles": _tiles(measured),
        "charts": [
            charts.roc(measured["roc"]),
            charts.separation(measured["ks_curve"]),
            charts.calibration(measured["calibration"]["deciles"]),
        ],
        "bands": _bands(measured["bands"]),
        "features": [
            {"name": names[feature.name], "bins": bins(model, at, feature)}
            for at, feature in enumerate(model.bins)
        ],
        "has_points": model.scorecard is not None,
        "rounding": rounding(model),
        "selection": _selection(model, names),
        "groups": _groups(measured),
        "stability": words.stability(measured, names),
    }


def _bands(measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what came of each band out of time, with the interval and what is wrong with it."""
    results = [BandResult(**band) for band in measured]
    found = []
    for band, problems in zip(results, band_problems(results), strict=True):
        share = wilson(band.events, band.rows)
        found.append(
            {
                "name": band.name,
                "rows": band.rows,
                "events": band.events,
                "rate": band.rate,
                "low": share.low,
                "high": share.high,
                "problems": [BAND_PROBLEMS.label(problem) for problem in problems],
            }
        )
    return found


def rounding(model: TrainedModel) -> str:
    """Return by how much the sum of rounded points may be off; empty where there are no points."""
    if model.scorecard is None:
        return ""
    return f"{model.scorecard.rounding_bound:g}"


def _tiles(result: Mapping[str, Any]) -> list[Tile]:
    test, line = result["test"], result["calibration"]
    found = []
    for title, figure, icon in (
        ("AUC", test["auc"], "show_chart"),
        ("KS", test["ks"], "stacked_line_chart"),
        ("Gini", test["gini"], "percent"),
        (_("Brier score"), test["brier"], "straighten"),
        (_("Slope of the calibration"), line["slope"], "balance"),
    ):
        value, interval = words.estimate(figure)
        found.append(Tile(title, value, interval, icon))
    return found


def bins(model: TrainedModel, at: int, feature: BinnedFeature) -> list[dict[str, Any]]:
    """Return the bins of a feature with what they give, as they are and in whole points."""
    card_at = {}
    if model.scorecard is not None:
        card_at = {name: place for place, name in enumerate(model.scorecard.names)}
    given = (
        model.scorecard.points_of(card_at[feature.name])
        if model.scorecard is not None and feature.name in card_at
        else None
    )
    column = model.preparation.columns[at]
    rows = []
    for place, one in enumerate(feature.bins):
        rate = one.event_rate
        rows.append(
            {
                "label": _bin_label(one, column.words),
                "rows": int(one.rows),
                "events": int(one.events),
                "rate": "–" if rate is None else f"{rate:.1%}",
                "woe": f"{one.woe:+.3f}",
                "points": "–" if given is None else f"{given[place]:.1f}",
                "rounded": "–" if given is None else f"{given[place]:.0f}",
            }
        )
    return rows


def _bin_label(one: Any, known: tuple[str, ...]) -> str:
    if one.kind is BinKind.RANGE:
        low = "−∞" if one.low is None else f"{one.low:,.6g}"
        high = "∞" if one.high is None else f"{one.high:,.6g}"
        return f"[{low}, {high})"
    if one.kind is BinKind.WORDS:
        return ", ".join(known[place] for place in one.words)
    return BIN_KINDS.label(one.kind)


def _selection(model: TrainedModel, names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": names.get(entry.feature, entry.feature),
            "reason": SELECTION_REASONS.term(entry.reason),
            "information": "–" if entry.information is None else f"{entry.information:.3f}",
            "figure": "–" if entry.figure is None else f"{entry.figure:.3f}",
            "bound": "–" if entry.bound is None else f"{entry.bound:.3f}",
            "other": names.get(entry.other, entry.other),
        }
        for entry in model.selection
    ]


def _groups(result: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return group, rows, cases and AUC of each gender; measured by, never learned from."""
    found = []
    for name, figures in result["groups"].items():
        label = customer_labels.GENDERS.label(name)
        if figures is None:
            found.append((label, "–", "–", _("too few to tell")))
            continue
        value, interval = words.estimate(figures["auc"])
        found.append((label, str(figures["rows"]), str(figures["events"]), f"{value} ({interval})"))
    return found
