"""Targeting in three steps, the list of what was targeted, and the page of one result."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.dashboards.targeting import result as shown
from analytics.dashboards.targeting.forms import (
    ChannelsForm,
    HowMuchForm,
    OffersForm,
    WhomForm,
    how_much_of,
    offers_of,
    what_of,
    whom_of,
)
from analytics.domain.targeting.list_names import list_places
from analytics.labels.targeting import TARGETING_STATES
from analytics.models import TargetingRun
from analytics.selectors.targeting import standings
from analytics.selectors.targeting.people import known_models
from analytics.services.targeting import retiring, runs
from campaigns.models import Channel
from loancrm import admin_pages
from loancrm.kernel import clock
from loancrm.kernel.models import WorkState

VIEW = "analytics.view_targetingrun"
RUNS_SHOWN = 50
REFRESH_SECONDS = "2"
# Where the answers of the steps before are kept until the last one.
_BEGUN = "targeting_begun"


def index(request: HttpRequest) -> HttpResponse:
    """List the targetings, newest first."""
    admin_pages.require(request, VIEW)
    rows = TargetingRun.objects.select_related("work").order_by("-work__created_at", "-pk")
    return admin_pages.page(
        request,
        "analytics/targetings.html",
        title=_("Targeting"),
        runs=[
            {
                "run": run,
                "name": run.spec.get("name") or run.slug,
                "state": TARGETING_STATES.term(run.work.state),
                "people": run.result.get("people"),
                "profit": run.result.get("profit"),
            }
            for run in rows[:RUNS_SHOWN]
        ],
        may_start=request.user.has_perm(runs.PERMISSION),
        has_scores=bool(known_models()),
    )


def whom(request: HttpRequest) -> HttpResponse:
    """Step one: the people and their scores."""
    admin_pages.require(request, runs.PERMISSION)
    begun = _begun(request)
    form = WhomForm(request.POST or None, initial=_whom_initial(begun))
    if request.method == "POST" and form.is_valid():
        request.session[_BEGUN] = {**begun, **whom_of(form.cleaned_data)}
        return HttpResponseRedirect(reverse("targeting:what"))
    return _step(request, 1, form=form, has_scores=bool(known_models()))


def what(request: HttpRequest) -> HttpResponse:
    """Step two: the offers and channels."""
    admin_pages.require(request, runs.PERMISSION)
    begun = _begun(request)
    if "whom" not in begun:
        return HttpResponseRedirect(reverse("targeting:whom"))
    offers = OffersForm(
        request.POST or None,
        prefix="offers",
        initial=_offers_initial(begun),
        form_kwargs={
            "has_risk": bool(begun["scores"].get("pd")),
            "has_response": bool(begun["scores"].get("response")),
        },
    )
    channels = ChannelsForm(request.POST or None, initial=_channels_initial(begun))
    if request.method == "POST" and offers.is_valid() & channels.is_valid():
        request.session[_BEGUN] = {**begun, **what_of(offers_of(offers), channels.cleaned_data)}
        return HttpResponseRedirect(reverse("targeting:how_much"))
    return _step(
        request,
        2,
        offers=offers,
        form=channels,
        has_channels=Channel.objects.filter(is_active=True).exists(),
    )


def how_much(request: HttpRequest) -> HttpResponse:
    """Step three: the caps, and the start."""
    admin_pages.require(request, runs.PERMISSION)
    begun = _begun(request)
    if (sent := _sent_before(request)) is not None:
        return sent
    if "offers" not in begun:
        return HttpResponseRedirect(reverse("targeting:what"))
    slugs = [one["channel"] for one in begun["channels"]]
    form = HowMuchForm(request.POST or None, channels=slugs)
    if request.method == "POST" and form.is_valid():
        with admin_pages.attempt(request, ""):
            run = runs.start_run(
                actor=admin_pages.actor_of(request),
                data={**begun, **how_much_of(form.cleaned_data)},
                now=clock.now(),
                form_token=form.cleaned_data["token"],
            )
            request.session.pop(_BEGUN, None)
            return HttpResponseRedirect(reverse("targeting:run", args=[run.pk]))
    places = list_places([one["slug"] for one in begun["offers"]], slugs)
    left_out = retiring.left_out(targeting=begun["slug"], places=places)
    return _step(request, 3, form=form, left_out=left_out)


def _sent_before(request: HttpRequest) -> HttpResponse | None:
    """Return the way to the targeting that this very form has started already."""
    with suppress(ValueError):
        token = UUID(request.POST.get("token", ""))
        if (run := runs.started_by(token)) is not None:
            messages.info(request, _("This targeting was started already; this is it."))
            return HttpResponseRedirect(reverse("targeting:run", args=[run.pk]))
    return None


def show(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show how far a targeting is, or what it brings."""
    admin_pages.require(request, VIEW)
    run = get_object_or_404(TargetingRun.objects.select_related("work"), pk=run_id)
    is_done = run.work.state == WorkState.DONE and bool(run.result)
    answer = admin_pages.page(
        request,
        "analytics/targeting.html",
        title=run.spec.get("name") or run.slug,
        run=run,
        state=TARGETING_STATES.label(run.work.state),
        tone=TARGETING_STATES.tone(run.work.state),
        is_working=run.work.is_open,
        choices=shown.choices(run),
        may_start=request.user.has_perm(runs.PERMISSION),
        may_write_campaigns=request.user.has_perm("campaigns.author_campaign"),
        **(shown.found(run) if is_done else {}),
    )
    if run.work.is_open:
        # The browser asks again by itself until the targeting is over.
        answer["Refresh"] = REFRESH_SECONDS
    return answer


def _step(request: HttpRequest, number: int, **context: Any) -> HttpResponse:
    names = (_("Whom"), _("What"), _("How much"))
    pages = ("whom", "what", "how_much")
    return admin_pages.page(
        request,
        "analytics/targeting_step.html",
        title=names[number - 1],
        number=number,
        way=[
            (name, "done" if at < number else "now" if at == number else "next")
            for at, name in enumerate(names, start=1)
        ],
        back=reverse(f"targeting:{pages[number - 2]}") if number > 1 else "",
        **context,
    )


def _begun(request: HttpRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.session.get(_BEGUN) or {}
    return found


def _whom_initial(begun: dict[str, Any]) -> dict[str, Any]:
    uplift = standings.uplift_in_use(now=clock.now())
    first = {"slug": f"{clock.today():%Y%m%d}", "uplift": uplift}
    if "whom" not in begun:
        return first
    return {
        "slug": begun["slug"],
        "name": begun["name"],
        "segment": begun["whom"]["segment"],
        **begun["scores"],
    }


def _offers_initial(begun: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**offer, "lgd": offer["lgd"] * 100} for offer in begun.get("offers", ())]


def _channels_initial(begun: dict[str, Any]) -> dict[str, Any]:
    channels = begun.get("channels", ())
    if not channels:
        return {"parts": 1}
    return {"channels": [one["channel"] for one in channels], "parts": channels[0]["parts"]}
