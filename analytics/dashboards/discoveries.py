"""Searches for segments: what was found, a new search, and a segment made of a group."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analytics.dashboards import discovery_charts
from analytics.dashboards.cards import Tile
from analytics.dashboards.discovery_forms import FORMS, choices_of
from analytics.domain.discovery_choices import Method
from analytics.labels import METHODS, RUN_STATES
from analytics.models import DiscoveryRun
from analytics.services import discovery_runs
from analytics.services.discovery_writing import PERMISSION
from customers import labels as customer_labels
from customers.models import Segment
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.models import WorkState

VIEW = "analytics.view_discoveryrun"
RUNS_SHOWN = 50
REFRESH_SECONDS = "2"


def index(request: HttpRequest) -> HttpResponse:
    """List the searches, newest first, and offer the ways of searching."""
    admin_pages.require(request, VIEW)
    runs = DiscoveryRun.objects.select_related("work").order_by("-work__created_at", "-pk")
    return admin_pages.page(
        request,
        "analytics/discoveries.html",
        title=_("Discoveries"),
        methods=[
            (method.value, term.label, term.icon, term.hint) for method, term in METHODS.items()
        ],
        runs=[
            {
                "run": run,
                "method": METHODS.label(run.method),
                "state": RUN_STATES.term(run.work.state),
            }
            for run in runs[:RUNS_SHOWN]
        ],
        may_start=request.user.has_perm(PERMISSION),
    )


def start(request: HttpRequest, method: str) -> HttpResponse:
    """Choose and start a search."""
    admin_pages.require(request, PERMISSION)
    if method not in METHODS:
        raise Http404
    form = FORMS[Method(method)](request.POST or None)
    if request.method == "POST" and form.is_valid():
        with admin_pages.attempt(request, ""):
            run = discovery_runs.start_run(
                actor=admin_pages.actor_of(request),
                choices=choices_of(Method(method), form.cleaned_data),
                now=clock.now(),
            )
            return HttpResponseRedirect(reverse("discoveries:run", args=[run.pk]))
    return admin_pages.page(
        request,
        "analytics/discovery_form.html",
        title=METHODS.label(method),
        meaning=METHODS.hint(method),
        form=form,
        fields=[field for field in form if field.name != "features"],
        features=form["features"] if "features" in form.fields else None,
    )


def show(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show how far a search is, or what it found."""
    admin_pages.require(request, VIEW)
    run = get_object_or_404(DiscoveryRun.objects.select_related("work"), pk=run_id)
    is_working = run.work.is_open
    answer = admin_pages.page(
        request,
        "analytics/discovery.html",
        title=METHODS.label(run.method),
        run=run,
        state=RUN_STATES.label(run.work.state),
        tone=RUN_STATES.tone(run.work.state),
        is_working=is_working,
        choices=_choices(run),
        may_make=request.user.has_perm("customers.add_segment"),
        **(_found(run) if run.work.state == WorkState.DONE else {}),
    )
    if is_working:
        # The browser asks again by itself until the search is over.
        answer["Refresh"] = REFRESH_SECONDS
    return answer


@require_POST
def make_segment(request: HttpRequest, run_id: int) -> HttpResponse:
    """Keep a group's people as a segment of one's own and open it."""
    run = get_object_or_404(DiscoveryRun, pk=run_id)
    with admin_pages.attempt(request, _("The segment is made.")):
        segment = discovery_runs.make_segment(
            actor=admin_pages.actor_of(request),
            run_id=run.pk,
            group=request.POST.get("group", ""),
            name=request.POST.get("name", ""),
            now=clock.now(),
        )
        return HttpResponseRedirect(object_url(segment))
    return HttpResponseRedirect(reverse("discoveries:run", args=[run.pk]))


def _choices(run: DiscoveryRun) -> list[tuple[str, str]]:
    """Return what was chosen, in words."""
    given = run.parameters
    told = [(_("Looked at"), _segment_name(given["segment"]) or _("Everybody"))]
    match run.method:
        case Method.RFM:
            told.append((_("What counts"), customer_labels.event(given["event"])))
            told.append((_("Of the last … days"), str(given["within_days"])))
        case Method.CLUSTERS:
            told.append((_("At most … groups"), str(given["max_clusters"])))
            if share := given.get("explained"):
                told.append((_("Differences to keep"), f"{share * 100:g}%"))
        case _:
            told.append((_("People like those of"), _segment_name(given["seed_segment"])))
            told.append((_("Take the best … % of the others"), f"{given['share'] * 100:g}"))
    if by_leave := run.result.get("overrides"):
        told.append((_("Protected, by recorded leave"), ", ".join(by_leave)))
    if given["features"]:
        told.append((_("Columns to look at"), ", ".join(given["features"])))
    return told


def _segment_name(slug: str) -> str:
    found = Segment.objects.filter(slug=slug).values_list("name", flat=True).first()
    return found or slug


def _found(run: DiscoveryRun) -> dict[str, Any]:
    """Return what a finished search shows: tiles, groups with their lifts, charts."""
    result = run.result
    stored = dict(
        Segment.objects.filter(slug__in=[group["slug"] for group in result["groups"]]).values_list(
            "slug", "pk"
        )
    )
    groups = [
        {
            **group,
            "name": _in_language(group["name"]),
            "share": f"{group['size'] / result['people'] * 100:.1f}%" if result["people"] else "–",
            "differences": [_difference(item) for item in group["differences"]],
            "url": object_url(Segment(pk=stored[group["slug"]])) if group["slug"] in stored else "",
        }
        for group in result["groups"]
    ]
    charts = [discovery_charts.sizes(groups), discovery_charts.profile(groups)]
    if "drivers" in result:
        weights = [(_read(item["feature"]), item["weight"]) for item in result["drivers"]]
        charts[0] = discovery_charts.drivers(weights)
    return {"tiles": _tiles(result), "groups": groups, "charts": charts}


def _tiles(result: Mapping[str, Any]) -> list[Tile]:
    tiles = [
        Tile(_("People looked at"), f"{result['people']:,}", "", "group"),
        Tile(_("Groups found"), str(len(result["groups"])), result["version"], "hub"),
    ]
    if "stability" in result:
        tiles.append(
            Tile(
                _("Stability"),
                f"{result['stability']:.2f}",
                _("agreement over 10 repeated samples; 1 is the same every time"),
                "verified",
            )
        )
        tiles.append(
            Tile(
                _("Separation"),
                f"{result['silhouette']:.2f}",
                _("silhouette; 1 is far apart, 0 is touching"),
                "blur_on",
            )
        )
    if "explained" in result:
        shares = result["explained"]
        tiles.append(
            Tile(
                _("Explained variance"),
                f"{sum(shares):.1%}",
                _("of %(count)s components: %(shares)s")
                % {"count": len(shares), "shares": ", ".join(f"{s:.1%}" for s in shares)},
                "compress",
            )
        )
    if "lift" in result:
        lift = result["lift"]
        parts = _("%(found)s of %(all)s held-out people are in the best tenth") % {
            "found": lift["found"],
            "all": lift["held_out"],
        }
        value = f"{lift['value']:.2f}×"
        tiles.append(Tile(_("Better than chance"), value, parts, "trending_up"))
        tiles.append(Tile(_("At least (95 %)"), f"{lift['low']:.2f}×", "", "straighten"))
    return tiles


def _difference(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a difference with its feature, and its lift if it has one, in words."""
    lift = item.get("lift")
    times = "" if lift is None else f"×{lift:.2f}"
    return {**item, "feature": _read(item["feature"]), "times": times}


def _read(names: Mapping[str, str]) -> str:
    return names["zh" if (get_language() or "en").startswith("zh") else "en"]


def _in_language(both: str) -> str:
    """Return the half of a name stored in both languages that the reader reads."""
    chinese, mark, english = both.partition(" · ")
    if not mark:
        return both
    return chinese if (get_language() or "en").startswith("zh") else english
