"""Champion and challenger side by side, and whom the challenger would swap in and out."""

from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from analytics.dashboards.modelling import words
from analytics.domain.credit.assumptions import AssumptionName
from analytics.domain.credit.swap_set import swap_set
from analytics.domain.modelling.life.choices import ModelPurpose
from analytics.domain.modelling.life.lifecycle import VersionState
from analytics.labels.credit import SWAP_GROUPS
from analytics.labels.modelling import PURPOSES
from analytics.models import ModelVersion, RegisteredModel
from analytics.selectors.credit.values import load_values
from analytics.selectors.modelling import swaps
from analytics.services.modelling import artefacts
from analytics.services.modelling.errors import StoredModelChanged
from loancrm import admin_pages

VIEW = "analytics.view_modelversion"
_SHARES = (10, 20, 30, 50, 70, 80, 90)


def show(request: HttpRequest, model_id: int) -> HttpResponse:
    """Compare the two versions that score now."""
    admin_pages.require(request, VIEW)
    model = get_object_or_404(RegisteredModel, pk=model_id)
    by_state = {row.state: row for row in model.versions.select_related("model")}
    champion = by_state.get(VersionState.CHAMPION)
    challenger = by_state.get(VersionState.CHALLENGER)
    purpose = ModelPurpose(model.purpose)
    given = request.GET.get("share", "")
    share = int(given) if given in map(str, _SHARES) else (80 if purpose.is_risk else 10)
    found: dict[str, Any] = {}
    if champion and challenger:
        found = {
            "figures": _figures(champion, challenger),
            **_swap(purpose, champion, challenger, share),
        }
    return admin_pages.page(
        request,
        "analytics/modelling/compare.html",
        title=_("Compare: %(purpose)s") % {"purpose": PURPOSES.label(model.purpose)},
        model=model,
        champion=champion,
        challenger=challenger,
        share=share,
        shares=_SHARES,
        is_risk=purpose.is_risk,
        **found,
    )


def _figures(champion: ModelVersion, challenger: ModelVersion) -> list[tuple[str, str, str]]:
    """Return the figures of both, each on its own test rows; none of one that was changed."""
    results = []
    for version in (champion, challenger):
        try:
            results.append(artefacts.read_version(version).measured)
        except StoredModelChanged:
            return []
    rows = [(_("Kind of model"), words.kind(champion), words.kind(challenger))]
    of_uplift = (
        (_("Qini, for 1,000 treated"), "worth", "qini_per_thousand"),
        (_("AUUC, for 1,000 people"), "worth", "auuc_per_thousand"),
        (_("Slope of the calibration"), "predictor", "heterogeneity"),
    )
    of_probability = (
        ("AUC", "test", "auc"),
        ("KS", "test", "ks"),
        (_("Brier score"), "test", "brier"),
        (_("Slope of the calibration"), "calibration", "slope"),
    )
    is_uplift = champion.model.purpose == ModelPurpose.UPLIFT
    for title, part, key in of_uplift if is_uplift else of_probability:
        cells = [" ".join(words.estimate(result[part][key])) for result in results]
        rows.append((title, cells[0], cells[1]))
    return rows


def _swap(
    purpose: ModelPurpose, champion: ModelVersion, challenger: ModelVersion, share: int
) -> dict[str, Any]:
    """Return whom both would take at the same share of people: the best of each."""
    pairs = swaps.load_pairs(champion, challenger)
    if not pairs.customer_ids:
        return {"lines": [], "people": 0}
    applicants = swaps.load_applicants(pairs)
    if not purpose.is_better_low:
        applicants = [
            type(one)(1 - one.old_chance, 1 - one.new_chance, one.exposure_amount, 0.0)
            for one in applicants
        ]
    loss = load_values()[AssumptionName.LOSS_GIVEN_DEFAULT].value if purpose.is_risk else 0.0
    found = swap_set(
        applicants,
        old_cut_off=float(np.quantile([one.old_chance for one in applicants], share / 100)),
        new_cut_off=float(np.quantile([one.new_chance for one in applicants], share / 100)),
        loss_given_default=loss,
    )
    return {
        "people": len(applicants),
        "lines": [
            {
                "name": SWAP_GROUPS.label(line.group),
                "count": line.count,
                "profit": f"¥{line.profit_amount:,.0f}",
                "loss": f"¥{line.loss_amount:,.0f}",
            }
            for line in found.lines
        ],
        "profit_change": f"¥{found.profit_change:+,.0f}",
        "loss_change": f"¥{found.loss_change:+,.0f}",
    }
