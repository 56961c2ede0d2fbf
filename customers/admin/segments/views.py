"""Beside the builder: the overlap of two segments, suggested values, a count that is stopped."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from customers.models import Segment
from customers.selectors.segments import overlap as segment_overlap
from customers.selectors.segments import preview, suggestions
from customers.selectors.segments.overlap import Overlap
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock

_VIEW = "customers.view_segment"


def suggest(request: HttpRequest) -> HttpResponse:
    """Return values that a text field has."""
    admin_pages.require(request, _VIEW)
    found = suggestions.suggestions(field=request.GET.get("field", ""))
    return JsonResponse({"values": found})


def cancel(request: HttpRequest) -> HttpResponse:
    """Stop a count that this user started and no longer waits for."""
    admin_pages.require(request, _VIEW)
    ticket = preview.ticket(str(request.user.pk), request.POST.get("ticket", ""))
    return JsonResponse({"stopped": preview.cancel(ticket)})


def overlap(request: HttpRequest, *, model_admin: Any) -> HttpResponse:
    """Show how many people two segments share."""
    admin_pages.require(request, _VIEW)
    listed = Segment.objects.select_related("current_version").order_by("name", "pk")
    segments = {str(segment.pk): segment for segment in listed}
    first, second = (segments.get(request.GET.get(key, "")) for key in ("first", "second"))
    shown: dict[str, Any] | None = None
    if first is not None and second is not None:
        with admin_pages.attempt(request, ""):
            found = segment_overlap.overlap(
                first, second, now=clock.now(), zone=clock.company_zone()
            )
            shown = _shown(first, second, found)
    return admin_pages.page(
        request,
        "customers/segment_overlap.html",
        title=_("Overlap of two segments"),
        model_admin=model_admin,
        segments=list(segments.values()),
        first=first,
        second=second,
        found=shown,
    )


def _shown(first: Segment, second: Segment, found: Overlap) -> dict[str, Any]:
    either = found.first_count + found.second_count - found.both_count
    parts = [
        (_("Only in “%(name)s”") % {"name": first.name}, found.first_only_count, "first"),
        (_("In both"), found.both_count, "both"),
        (_("Only in “%(name)s”") % {"name": second.name}, found.second_only_count, "second"),
    ]
    starts = (0, found.first_only_count, found.first_count)
    return {
        "either": either,
        "share": f"{found.share * 100:.1f}%" if found.share is not None else "–",
        "first_count": found.first_count,
        "second_count": found.second_count,
        "first_url": object_url(first),
        "second_url": object_url(second),
        "parts": [
            (text, count, kind, f"{count / either * 100:.1f}%" if either else "–", start)
            for (text, count, kind), start in zip(parts, starts, strict=True)
        ],
    }
