"""How the score in use treats groups of people."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from analytics.domain.modelling.life.choices import ModelPurpose
from analytics.labels.modelling import PURPOSES
from analytics.models import RegisteredModel
from analytics.selectors.modelling import score_fairness
from campaigns.domain.campaigns.fairness import FairnessReport
from campaigns.labels import fairness as fairness_labels
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "analytics.view_modelversion"


def show(request: HttpRequest, model_id: int) -> HttpResponse:
    """Show impact ratios of the better half, and standardised differences of the scores."""
    admin_pages.require(request, VIEW)
    model = get_object_or_404(RegisteredModel, pk=model_id)
    found = score_fairness.load_fairness(
        model.name,
        is_better_low=ModelPurpose(model.purpose).is_better_low,
        today=clock.today(),
    )
    return admin_pages.page(
        request,
        "analytics/modelling/fairness.html",
        title=_("Fairness: %(purpose)s") % {"purpose": PURPOSES.label(model.purpose)},
        model=model,
        **(
            {
                "rows": _rows(found.report),
                "median": f"{found.median:.2%}",
                "limit": f"{found.report.limit:.2f}",
                "people": found.report.base,
            }
            if found
            else {}
        ),
    )


def _rows(report: FairnessReport) -> list[dict[str, Any]]:
    differences = {
        (attribute, one.group): one
        for by_attribute in report.differences.values()
        for attribute, rows in by_attribute.items()
        for one in rows
    }
    return [
        {
            "attribute": fairness_labels.FAIRNESS_ATTRIBUTES.label(attribute),
            "group": fairness_labels.group(attribute, one.group),
            "size": one.size,
            "rate": _number(one.rate, "{:.1%}"),
            "ratio": _number(one.ratio, "{:.2f}"),
            "interval": _interval(one.low, one.high, "{:.2f}"),
            "finding": fairness_labels.GROUP_FINDINGS.term(one.finding),
            "difference": _number(
                differences[attribute, one.group].value
                if (attribute, one.group) in differences
                else None,
                "{:+.3f}",
            ),
        }
        for attribute, rows in report.ratios.items()
        for one in rows
    ]


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _interval(low: float | None, high: float | None, form: str) -> str:
    if low is None or high is None:
        return ""
    return _("%(low)s to %(high)s") % {"low": form.format(low), "high": form.format(high)}
