"""All models, and one model: its versions, its runs, and what people decide about it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analytics.dashboards.modelling import charts, words
from analytics.domain.modelling.life.lifecycle import VersionState, judge_drift
from analytics.labels.modelling import (
    HALT_REASONS,
    PURPOSES,
    TRAINING_STATES,
    VERSION_STATES,
)
from analytics.models import ModelVersion, RegisteredModel, ScoringRun, TrainingRun
from analytics.services.modelling import artefacts, life
from customers import labels as customer_labels
from customers.models import ScoreStanding
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "analytics.view_modelversion"
RUNS_SHOWN = 60
TRAININGS_SHOWN = 20


def index(request: HttpRequest) -> HttpResponse:
    """List the models with their champions, and offer what can be trained."""
    admin_pages.require(request, VIEW)
    champions = {
        row.model_id: row for row in ModelVersion.objects.filter(state=VersionState.CHAMPION)
    }
    waiting = set(
        ModelVersion.objects.filter(state=VersionState.CANDIDATE).values_list("model_id", flat=True)
    )
    standings = {row.model_name: row for row in ScoreStanding.objects.all()}
    trainings = TrainingRun.objects.select_related("work", "model").order_by("-pk")
    return admin_pages.page(
        request,
        "analytics/modelling/index.html",
        title=_("Models"),
        purposes=[
            (purpose.value, term.label, term.icon, term.hint) for purpose, term in PURPOSES.items()
        ],
        models=[
            {
                "model": model,
                "purpose": PURPOSES.label(model.purpose),
                "score": customer_labels.score_model(model.name),
                "champion": champions.get(model.pk),
                "has_candidate": model.pk in waiting,
                "standing": standings.get(model.name),
            }
            for model in RegisteredModel.objects.order_by("name")
        ],
        trainings=[
            {
                "run": run,
                "purpose": PURPOSES.label(run.model.purpose),
                "state": TRAINING_STATES.term(run.work.state),
            }
            for run in trainings[:TRAININGS_SHOWN]
        ],
        may_train=request.user.has_perm(life.TRAINS),
    )


def show(request: HttpRequest, model_id: int) -> HttpResponse:
    """Show one model."""
    admin_pages.require(request, VIEW)
    model = get_object_or_404(RegisteredModel.objects.select_related("owner"), pk=model_id)
    versions = list(
        model.versions.select_related("model", "trained_by", "approved_by", "previous").order_by(
            "-number"
        )
    )
    by_state = {row.state: row for row in versions}
    champion = by_state.get(VersionState.CHAMPION)
    return admin_pages.page(
        request,
        "analytics/modelling/model.html",
        title=PURPOSES.label(model.purpose),
        model=model,
        score=customer_labels.score_model(model.name),
        champion=champion,
        challenger=by_state.get(VersionState.CHALLENGER),
        halted=HALT_REASONS.label(model.halt_reason) if model.halted_at else "",
        versions=[
            {
                "version": row,
                "kind": words.kind(row),
                "state": VERSION_STATES.term(row.state),
                "is_whole": artefacts.is_whole(row),
            }
            for row in versions
        ],
        standing=ScoreStanding.objects.filter(model_name=model.name).first(),
        may_decide=request.user.has_perm(
            life.right_to_decide(admin_pages.actor_of(request), model.purpose)
        ),
        may_train=request.user.has_perm(life.TRAINS),
        **_runs(champion),
    )


@require_POST
def steer(request: HttpRequest, model_id: int) -> HttpResponse:
    """Roll back, resume, let use or schedule, and show the model again."""
    actor, now = admin_pages.actor_of(request), clock.now()
    given = request.POST
    match given.get("what"):
        case "roll_back":
            with admin_pages.attempt(request, _("The champion before is champion again.")):
                life.roll_back(actor=actor, model_id=model_id, now=now)
        case "resume":
            with admin_pages.attempt(request, _("The model scores again.")):
                life.resume_model(
                    actor=actor, model_id=model_id, reason=given.get("reason", ""), now=now
                )
        case "marketing":
            with admin_pages.attempt(request, _("Your decision is recorded.")):
                life.allow_marketing(
                    actor=actor,
                    model_id=model_id,
                    is_allowed=given.get("is_allowed") == "1",
                    reason=given.get("reason", ""),
                    now=now,
                )
        case "schedule":
            with admin_pages.attempt(request, _("The schedule is set.")):
                life.set_schedule(
                    actor=actor,
                    model_id=model_id,
                    score_every_days=_number(given.get("score_every_days")),
                    retrain_days=_number(given.get("retrain_days")),
                    stale_after_days=_number(given.get("stale_after_days")),
                    now=now,
                )
        case _:
            pass
    return HttpResponseRedirect(reverse("models:model", args=[model_id]))


def _number(text: str | None) -> int:
    """Return a number of days, out of every bound where the text is none."""
    return int(text) if text and admin_pages.is_key(text) else -1


def _runs(champion: ModelVersion | None) -> dict[str, Any]:
    """Return the latest runs of the champion, the newest first, and their drift as a chart."""
    if champion is None:
        return {"runs": [], "charts": []}
    rows = ScoringRun.objects.filter(version=champion, role=VersionState.CHAMPION)
    runs = list(rows.order_by("-scored_at", "-pk")[:RUNS_SHOWN])
    names = words.column_names(champion.card)
    found = [(run, judge_drift(run.points or None, run.features)) for run in runs]
    return {
        "runs": [
            {
                "run": run,
                "psi": "–" if drift.score is None else f"{drift.score:.3f}",
                "worst": names.get(drift.worst_feature, ""),
                "csi": f"{drift.worst:.3f}",
            }
            for run, drift in found
        ],
        "charts": [charts.drift(list(reversed(found)))] if runs else [],
    }
