"""Whether an address is on the stop list: posted, and never in an address of a page.

The address of the found list carries a random key of the session; the session holds the
numbers of the entries that were found, and the address masked.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.models import Suppression
from campaigns.services.consents import stop_list_keeping
from loancrm import admin_lookups, admin_pages
from loancrm.admin_lookups import FIND

_SESSION = "stop_lookups"
_LONGEST = 320
_MOST = 500


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Look for the posted address and show the entries about it."""
    admin_pages.require(request, "campaigns.view_suppression")
    address = reverse("admin:campaigns_suppression_changelist")
    words = request.POST.get("address", "").replace("\x00", "").strip()[:_LONGEST]
    if not words:
        return HttpResponseRedirect(address)
    with admin_pages.attempt(request, ""):
        masked, rows = stop_list_keeping.found(actor=admin_pages.actor_of(request), address=words)
        ids = list(rows.order_by("-pk").values_list("pk", flat=True)[:_MOST])
        if not rows.filter(lifted_at__isnull=True).exists():
            messages.info(request, _("No stop is in force for %(address)s.") % {"address": masked})
        return HttpResponseRedirect(
            f"{address}?{FIND}={admin_lookups.store_lookup(request, _SESSION, [masked, ids])}"
        )
    return HttpResponseRedirect(address)


def narrowed(request: HttpRequest, rows: QuerySet[Suppression]) -> QuerySet[Suppression]:
    """Return the entries that the list's address asks for."""
    if FIND not in request.GET:
        return rows
    return rows.filter(pk__in=_held(request)[1])


def looked_for(request: HttpRequest) -> str | None:
    """Return the address that was looked for, masked; None where the whole list is shown."""
    return str(_held(request)[0]) if FIND in request.GET else None


def url() -> URLPattern:
    """Return the address that the form posts to."""
    return path("search/", admin.site.admin_view(search), name="campaigns_suppression_search")


def _held(request: HttpRequest) -> list[Any]:
    return admin_lookups.held(request, _SESSION) or ["", []]
