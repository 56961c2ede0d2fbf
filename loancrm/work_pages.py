"""All long work on one page: how far it is, what is stuck, and what can be asked of it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from loancrm import admin_pages
from loancrm.kernel import clock
from loancrm.kernel.manifest import WorkAction, WorkKind
from loancrm.kernel.models import Work, WorkState
from loancrm.kernel.words import audit_words
from loancrm.kernel.work import kinds, labels, listing, service
from loancrm.kernel.work.listing import WorkRow

ROWS_A_PAGE = 50
REFRESH_SECONDS = 3
_FILTERS = {
    "": gettext_lazy("All"),
    listing.STUCK: gettext_lazy("Stuck"),
    **{state.value: term.label for state, term in labels.STATES.items()},
}


def index(request: HttpRequest) -> HttpResponse:
    """List the work of the kinds that the user may see, open work first."""
    visible = _visible(request)
    state = request.GET.get("state", "")
    if state not in _FILTERS:
        raise Http404
    counts = listing.counts(visible)
    paginator = Paginator(listing.latest(visible, state=state), ROWS_A_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    rows = listing.rows_of(page.object_list)  # type: ignore[arg-type] # a slice of the query
    actions = service.actions_of([row.work for row in rows])
    return admin_pages.page(
        request,
        "loancrm/work.html",
        title=_("Work"),
        filters=_filters(counts, state),
        state=state,
        page=page,
        page_query=f"{urlencode({'state': state})}&" if state else "",
        rows=[_shown(request, row, actions[row.work.pk]) for row in rows],
        is_going_on=any(row.work.is_open for row in rows),
        refresh_seconds=REFRESH_SECONDS,
    )


@require_http_methods(["GET", "POST"])
def steer(request: HttpRequest, work_id: int, action: str) -> HttpResponse:
    """Ask something of a piece of work and show the list again; ask back first where it is due."""
    if action not in set(WorkAction):
        raise Http404
    work = get_object_or_404(Work, pk=work_id, kind__in=[kind.name for kind in _visible(request)])
    kind = kinds.kind_of(work.kind)
    admin_pages.require(request, kind.steer)
    if request.method == "GET":
        return _question(request, work, kind, WorkAction(action))
    with admin_pages.attempt(request, ""):
        service.request_action(
            actor=admin_pages.actor_of(request),
            work_id=work.pk,
            action=WorkAction(action),
            now=clock.now(),
        )
    return HttpResponseRedirect(_list(request.POST.get("state", "")))


def _question(request: HttpRequest, work: Work, kind: WorkKind, action: WorkAction) -> HttpResponse:
    """Say what an action means before it is asked for."""
    if not _asks_back(kind, action):
        return HttpResponseNotAllowed(["POST"])
    state = request.GET.get("state", "")
    return admin_pages.page(
        request,
        "loancrm/work_confirm.html",
        title=f"{labels.ACTIONS.label(action)}: {work.title or kind.title}",
        meaning=kind.cancel_question,
        button=labels.ACTIONS.label(action),
        state=state,
        back=_list(state),
    )


def _asks_back(kind: WorkKind, action: WorkAction) -> bool:
    return action is WorkAction.CANCEL and bool(kind.cancel_question)


def _list(state: str) -> str:
    """Return the address of the list as it was filtered."""
    query = f"?{urlencode({'state': state})}" if state in set(_FILTERS) - {""} else ""
    return reverse("work:index") + query


def _visible(request: HttpRequest) -> tuple[WorkKind, ...]:
    """Return the kinds that the user may see.

    Raises:
        PermissionDenied: There is none.
    """
    if visible := kinds.visible_kinds(admin_pages.actor_of(request)):
        return visible
    raise PermissionDenied


def _filters(counts: Any, chosen: str) -> Sequence[tuple[str, Any, int, bool]]:
    """Return (value, text, how many, whether it is chosen) of each way to filter."""
    total = sum(counts[state.value] for state in WorkState)
    return [
        (value, text, counts[value] if value else total, value == chosen)
        for value, text in _FILTERS.items()
    ]


def _shown(request: HttpRequest, row: WorkRow, actions: Sequence[WorkAction]) -> dict[str, Any]:
    work, may_steer = row.work, request.user.has_perm(row.kind.steer)
    return {
        "work": work,
        "kind": row.kind.title,
        "about": work.title or f"#{row.subject_id or work.pk}",
        "address": reverse(row.kind.page, args=[row.subject_id]) if row.subject_id else "",
        "who": work.actor_label if work.requested_by_id else audit_words.system(work.actor_label),
        "state": labels.STATES.label(work.state),
        "tone": labels.STATES.tone(work.state),
        "is_stuck": row.is_stuck,
        "is_silent": row.is_silent,
        "requested": labels.REQUESTED.label(work.requested_action),
        "actions": [
            (action.value, labels.ACTIONS.label(action), _asks_back(row.kind, action))
            for action in (actions if may_steer else ())
        ],
    }
