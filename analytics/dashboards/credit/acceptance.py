"""The page of the cut-off: what declining hides from the figures, and whom another rule lets in."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from analytics.dashboards.credit import book_charts
from analytics.dashboards.credit.book_charts import UNKNOWN, percent
from analytics.dashboards.credit.policies import swap_line
from analytics.dashboards.credit.tabs import tabs
from analytics.domain.credit.assumptions import AssumptionName
from analytics.domain.credit.bands import risk_bands
from analytics.domain.credit.reject_inference import (
    RejectMethod,
    RejectSensitivity,
    SeparationFigure,
    reject_sensitivity,
)
from analytics.domain.credit.swap_set import swap_set
from analytics.labels.credit import ORIGINS, REJECT_METHODS
from analytics.selectors.credit import acceptance, values
from analytics.selectors.credit.acceptance import DecidedApplication, ScoreInUse
from customers.labels import score_model
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "campaigns.view_report"
# Fewer loans do not tell bands apart.
LEAST_LOANS = 200


def page(request: HttpRequest) -> HttpResponse:
    """Show the sensitivity to the declined, and the swap set of another score or cut-off."""
    admin_pages.require(request, VIEW)
    in_use = acceptance.score_in_use()
    context: dict[str, Any] = {"in_use": in_use}
    if in_use is not None:
        context |= _figures(request, in_use)
    return admin_pages.page(
        request,
        "analytics/credit/acceptance.html",
        title=_("Accepted and declined"),
        tabs=tabs("acceptance"),
        **context,
    )


def _figures(request: HttpRequest, in_use: ScoreInUse) -> dict[str, Any]:
    today = clock.today()
    models = sorted({in_use.model, *acceptance.chance_models()})
    other = request.GET.get("model", "")
    other = other if other in models else in_use.model
    cut_off = _share(request.GET.get("cut_off", ""), in_use.cut_off)
    decided = acceptance.load_decided(model=in_use.model, other=other, now=clock.now(), today=today)
    lost = values.load_values()[AssumptionName.LOSS_GIVEN_DEFAULT]
    margin = acceptance.margin_share(today=today)
    return {
        "has_applications": bool(decided),
        "old_cut_off": percent(in_use.cut_off),
        "models": [(name, score_model(name), name == other) for name in models],
        "model_name": score_model(in_use.model),
        "cut_off": f"{cut_off * 100:g}",
        "sensitivity": _sensitivity(decided),
        "bands": _bands(decided),
        "least_loans": LEAST_LOANS,
        "swap": None if margin is None else _swap(decided, in_use, cut_off, lost.value, margin),
        "unscored_count": sum(one.new_chance is None for one in decided),
        "lost": percent(lost.value),
        "origin": ORIGINS.term(lost.origin),
        "margin": percent(margin),
    }


def _share(text: str, default: float) -> float:
    try:
        found = float(text.replace(",", ".")) / 100
    except ValueError:
        return default
    return found if isfinite(found) and 0 <= found <= 1 else default


def _sensitivity(decided: Sequence[DecidedApplication]) -> dict[str, Any] | None:
    known = [one for one in decided if one.is_accepted and one.is_bad is not None]
    if not known:
        return None
    found = reject_sensitivity(
        accepted=[one.old_chance for one in known],
        accepted_bad=[int(bool(one.is_bad)) for one in known],
        declined=[one.old_chance for one in decided if not one.is_accepted],
    )
    return {
        "accepted": found.accepted_count,
        "declined": found.declined_count,
        "young": sum(one.is_accepted and one.is_bad is None for one in decided),
        "acceptance_rate": percent(_acceptance(decided)),
        "without_support": found.without_support_count,
        "rows": [_separation(found, one) for one in (found.headline, *found.alternatives)],
        "interval": book_charts.interval(sum(bool(one.is_bad) for one in known), len(known)),
    }


def _bands(decided: Sequence[DecidedApplication]) -> list[dict[str, Any]]:
    """Return bands of the score in use, whose rates rise in the earlier and the later half."""
    known = [one for one in decided if one.is_accepted and one.is_bad is not None]
    if len(known) < LEAST_LOANS:
        return []
    # The newest come first.
    later, earlier = known[: len(known) // 2], known[len(known) // 2 :]
    scale = risk_bands(
        chances=[one.old_chance for one in earlier],
        bad=[float(bool(one.is_bad)) for one in earlier],
        later_chances=[one.old_chance for one in later],
        later_bad=[float(bool(one.is_bad)) for one in later],
    )
    return [
        {
            "name": band.name,
            "range": f"{percent(band.low)} – {percent(band.high)}",
            "count": band.count,
            "rate": book_charts.rate_with_interval(band.bad_count, band.count),
            "later_count": band.later_count,
            "later_rate": book_charts.rate_with_interval(band.later_bad_count, band.later_count),
        }
        for band in scale.bands
    ]


def _acceptance(decided: Sequence[DecidedApplication]) -> float:
    return sum(one.is_accepted for one in decided) / len(decided)


def _separation(found: RejectSensitivity, one: SeparationFigure) -> dict[str, Any]:
    name = str(REJECT_METHODS.label(one.method))
    if one.method is RejectMethod.PARCELLING:
        name = f"{name}: × {one.factor:g}"
    return {
        "name": name,
        "is_headline": one is found.headline,
        "rate": percent(one.default_rate),
        "auc": UNKNOWN if one.auc is None else f"{one.auc:.4f}",
        "ks": UNKNOWN if one.ks is None else f"{one.ks:.4f}",
    }


def _swap(
    decided: Sequence[DecidedApplication],
    in_use: ScoreInUse,
    cut_off: float,
    lost: float,
    margin: float,
) -> dict[str, Any] | None:
    applicants = [each for one in decided if (each := one.swapped(margin)) is not None]
    if not applicants:
        return None
    found = swap_set(
        applicants,
        old_cut_off=in_use.cut_off,
        new_cut_off=cut_off,
        loss_given_default=lost,
    )
    return {
        "lines": [swap_line(line) for line in found.lines],
        "profit_change": f"¥{found.profit_change:+,.0f}",
        "loss_change": f"¥{found.loss_change:+,.0f}",
    }
