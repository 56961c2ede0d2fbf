"""Start a training and follow it."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.dashboards.modelling import words
from analytics.dashboards.modelling.forms import FORMS
from analytics.domain.modelling.life.choices import ModelPurpose, TrainingChoices
from analytics.labels.modelling import PURPOSES, TRAINING_STATES
from analytics.models import TrainingRun
from analytics.services.modelling import training_runs
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "analytics.view_modelversion"
REFRESH_SECONDS = "2"


def start(request: HttpRequest, purpose: str) -> HttpResponse:
    """Choose and start a training."""
    admin_pages.require(request, training_runs.TRAINS)
    if purpose not in PURPOSES:
        raise Http404
    form = FORMS[ModelPurpose(purpose)](request.POST or None)
    if request.method == "POST" and form.is_valid():
        with admin_pages.attempt(request, ""):
            run = training_runs.start_training(
                actor=admin_pages.actor_of(request), choices=form.choices(), now=clock.now()
            )
            return HttpResponseRedirect(reverse("models:training", args=[run.pk]))
    return admin_pages.page(
        request,
        "analytics/modelling/form.html",
        title=PURPOSES.label(purpose),
        meaning=PURPOSES.hint(purpose),
        form=form,
        fields=[field for field in form if field.name != "excluded"],
        columns=form["excluded"],
    )


def show(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show how far a training is; one that is done leads to its version."""
    admin_pages.require(request, VIEW)
    run = get_object_or_404(
        TrainingRun.objects.select_related("work", "model", "version"), pk=run_id
    )
    if run.version_id:
        return HttpResponseRedirect(reverse("models:version", args=[run.version_id]))
    answer = admin_pages.page(
        request,
        "analytics/modelling/training.html",
        title=_("Training: %(purpose)s") % {"purpose": PURPOSES.label(run.model.purpose)},
        run=run,
        state=TRAINING_STATES.term(run.work.state),
        is_working=run.work.is_open,
        choices=words.of_choices(TrainingChoices.from_json(run.parameters)),
        may_start=request.user.has_perm(training_runs.TRAINS),
    )
    if run.work.is_open:
        # The browser asks again by itself until the training is over.
        answer["Refresh"] = REFRESH_SECONDS
    return answer
