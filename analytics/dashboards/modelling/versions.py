"""One version: its card, figures and points, the reasons of one person; and decisions on it."""

import csv
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analytics.dashboards.modelling import result_page, uplift_page, words
from analytics.domain.modelling.life.choices import TrainingChoices
from analytics.domain.modelling.life.lifecycle import MOVES, VersionState
from analytics.domain.modelling.trained import TrainedModel
from analytics.domain.uplift.stored import problems_of
from analytics.domain.uplift.trained import TrainedUplift
from analytics.labels.modelling import (
    APPROVAL_PROBLEMS,
    CHAMPION_REASONS,
    EXCLUSIONS,
    LIMITATIONS,
    PURPOSES,
    VERSION_STATES,
)
from analytics.models import ModelVersion
from analytics.services.modelling import artefacts, comparing, explaining, life
from analytics.services.modelling.errors import StoredModelChanged
from customers.selectors.profile.person import masked_name
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "analytics.view_modelversion"
_WAITING = (VersionState.CANDIDATE, VersionState.APPROVED, VersionState.CHALLENGER)


def show(request: HttpRequest, version_id: int) -> HttpResponse:
    """Show everything that is known of a version."""
    admin_pages.require(request, VIEW)
    version = _version(version_id)
    state = VersionState(version.state)
    try:
        model = artefacts.read_version(version)
    except StoredModelChanged as error:
        return admin_pages.page(
            request,
            "analytics/modelling/changed.html",
            title=_title(version),
            version=version,
            why=error.message,
        )
    actor = admin_pages.actor_of(request)
    may_decide = request.user.has_perm(life.right_to_decide(actor, version.model.purpose))
    champion = version.model.versions.filter(state=VersionState.CHAMPION).first()
    names = words.column_names(version.card)
    return admin_pages.page(
        request,
        "analytics/modelling/version.html",
        title=_title(version),
        version=version,
        state=VERSION_STATES.term(version.state),
        problems=[APPROVAL_PROBLEMS.label(p) for p in problems_of(model)],
        card=_card(version),
        limitations=[LIMITATIONS.label(each) for each in version.card["limitations"]],
        person=_person(request, version, names),
        may_see_people=request.user.has_perm(explaining.SEES),
        may_approve=may_decide
        and VersionState.APPROVED in MOVES[state]
        and state is VersionState.CANDIDATE,
        is_own=version.trained_by_id == request.user.pk,
        may_promote=may_decide and state in {VersionState.APPROVED, VersionState.CHALLENGER},
        may_challenge=may_decide and state is VersionState.APPROVED,
        may_retire=may_decide and VersionState.RETIRED in MOVES[state],
        has_champion=champion is not None,
        rule=_rule(version, champion) if champion and state in _WAITING else None,
        needs_reason=champion is not None and not comparing.is_for(version, champion),
        is_uplift=isinstance(model, TrainedUplift),
        **(
            uplift_page.found(model, names)
            if isinstance(model, TrainedUplift)
            else result_page.found(model, names)
        ),
    )


@require_POST
def decide(request: HttpRequest, version_id: int) -> HttpResponse:
    """Approve, turn down, promote, challenge or retire, and show the version again."""
    actor, now = admin_pages.actor_of(request), clock.now()
    match request.POST.get("what"):
        case "approve":
            with admin_pages.attempt(request, _("The version is approved.")):
                life.approve_version(actor=actor, version_id=version_id, now=now)
        case "reject":
            with admin_pages.attempt(request, _("The version is turned down.")):
                life.reject_version(
                    actor=actor,
                    version_id=version_id,
                    reason=request.POST.get("reason", ""),
                    now=now,
                )
        case "promote":
            done = _("The version is champion; people are scored with it by the next run.")
            with admin_pages.attempt(request, done):
                life.promote_version(
                    actor=actor,
                    version_id=version_id,
                    reason=request.POST.get("reason", ""),
                    now=now,
                )
        case "challenge":
            with admin_pages.attempt(request, _("The version is challenger.")):
                share = request.POST.get("share", "0")
                life.make_challenger(
                    actor=actor,
                    version_id=version_id,
                    share=int(share) / 100 if admin_pages.is_key(share) else -1.0,
                    now=now,
                )
        case "retire":
            with admin_pages.attempt(request, _("The version is retired.")):
                life.retire_version(actor=actor, version_id=version_id, now=now)
        case _:
            pass
    return HttpResponseRedirect(reverse("models:version", args=[version_id]))


def points(request: HttpRequest, version_id: int) -> HttpResponse:
    """Hand out the table of points of a scorecard as CSV."""
    admin_pages.require(request, VIEW)
    version = _version(version_id)
    model = artefacts.read_version(version)
    if not isinstance(model, TrainedModel) or model.scorecard is None:
        raise Http404
    names = words.column_names(version.card)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="points-{version.label}.csv"'
    # Spreadsheets take a file without this mark for one of another encoding.
    answer.write("\ufeff")
    sheet = csv.writer(answer)
    sheet.writerow(
        [_("Column"), _("Bin"), _("Rows"), _("Cases"), "WOE", _("Points"), _("Whole points")]
    )
    for at, feature in enumerate(model.bins):
        for row in result_page.bins(model, at, feature):
            sheet.writerow(
                [names[feature.name], row["label"], row["rows"], row["events"], row["woe"],
                 row["points"], row["rounded"]]
            )  # fmt: skip
    sheet.writerow([_rounding(model)])
    return answer


def _version(version_id: int) -> ModelVersion:
    rows = ModelVersion.objects.select_related("model__owner", "trained_by", "approved_by")
    return get_object_or_404(rows, pk=version_id)


def _title(version: ModelVersion) -> str:
    return _("%(purpose)s, version %(number)s") % {
        "purpose": PURPOSES.label(version.model.purpose),
        "number": version.number,
    }


def _rounding(model: TrainedModel) -> str:
    return _("Whole points add up to within %(bound)s points of the score.") % {
        "bound": result_page.rounding(model)
    }


def _rule(version: ModelVersion, champion: ModelVersion) -> dict[str, Any]:
    """Return what the rule says of a version against the champion, in words."""
    found = version.comparison
    if not found or found["champion"] != champion.label:
        return {"champion": champion, "is_there": False}
    terms = [CHAMPION_REASONS.term(reason) for reason in found["reasons"]]
    return {
        "champion": champion,
        "is_there": True,
        "reasons": terms,
        "gain": words.gain(found, version.model.purpose),
        "rows": f"{found['rows']:,}",
        "events": f"{found['events']:,}",
        "at": found["at"][:16].replace("T", " "),
    }


def _contest(version: ModelVersion) -> list[tuple[str, str]]:
    """Return what the rule said where a scorecard and trees were fitted."""
    found = version.card["contest"]
    if not found:
        return []
    reasons = ", ".join(CHAMPION_REASONS.label(reason) for reason in found["reasons"])
    gain = words.gain(found, version.model.purpose)
    return [(_("Trees against the scorecard"), f"{reasons}; {gain}")]


def _held_out(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    if "held_out" not in card:
        return []
    return [
        (_("To be written to"), f"{card['treated']:,}"),
        (_("Held out by chance"), f"{card['held_out']:,}"),
    ]


def _card(version: ModelVersion) -> list[tuple[str, str]]:
    card = version.card
    choices = TrainingChoices.from_json(card["choices"])
    told = [
        (_("Purpose"), PURPOSES.label(choices.purpose)),
        (_("Target"), words.target(choices)),
        (_("Kind of model"), words.kind(version)),
        *_contest(version),
        (_("Rows"), f"{card['rows']:,}"),
        (_("Cases"), f"{card['events']:,}"),
        *_held_out(card),
        (_("Rows looked at from"), f"{card['first_row'][:10]} – {card['last_row'][:10]}"),
        (
            _("Left out"),
            ", ".join(
                f"{EXCLUSIONS.label(reason)}: {count:,}"
                for reason, count in card["excluded"].items()
            )
            or _("nobody"),
        ),
        (
            _("Protected attributes"),
            _("none read; a column that stands for one shows in the figures by group"),
        ),
        (_("Snapshot of the data"), card["snapshot"][:16]),
        (_("Digest"), version.digest[:16]),
        (_("Code"), card["code_version"]),
        (_("Random seed"), str(choices.seed)),
        (_("Owner"), str(version.model.owner or "–")),
        (_("Trained by"), str(version.trained_by or _("the schedule"))),
        (_("Approved by"), str(version.approved_by or "–")),
        (_("Valid until"), str(version.expires_on or "–")),
    ]
    if version.previous_id:
        told.append((_("Roll-back to"), version.previous.label if version.previous else ""))
    return told


def _person(
    request: HttpRequest, version: ModelVersion, names: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the version says of the person who was asked for, masked."""
    asked = request.GET.get("person", "")
    if not asked:
        return {}
    with admin_pages.attempt(request, ""):
        found = explaining.explain(
            actor=admin_pages.actor_of(request),
            version=version,
            external_id=asked,
            now=clock.now(),
        )
        return {
            "asked": asked,
            "name": masked_name(found.customer) or "–",
            "url": reverse("admin:customers_customer_change", args=[found.customer.pk]),
            "probability": words.probability(found.probability, version.model.purpose),
            "points": f"{found.points:.0f}",
            "band": found.band,
            "reasons": [
                (
                    names[name],
                    _("unknown")
                    if value is None
                    else f"{value:,.6g}"
                    if isinstance(value, float)
                    else value,
                )
                for name, value in found.reasons
            ],
        }
    return {"asked": asked}
