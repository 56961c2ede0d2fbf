"""The timeline of one person as a piece of their page: filtered, a page at a time."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from customers import labels
from customers.domain.segments.columns import CHANNELS
from customers.domain.timeline import TimelineItem, decoded, read_filter
from customers.models import Customer
from customers.selectors.profile import timeline as timelines
from customers.selectors.profile.page import CustomerProfile
from customers.selectors.profile.timeline_names import Named, names_in
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock

_FILTERS = ("kind", "channel", "event", "first", "last")


@require_GET
def timeline_view(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Return a page of what happened to one person, to be put into or below what is shown."""
    customer = get_object_or_404(Customer, pk=customer_id)
    admin_pages.require(request, "customers.view_customer", customer)
    chosen = {name: request.GET.get(name, "") for name in _FILTERS}
    cursor, zone = request.GET.get("after", ""), clock.company_zone()
    context: dict[str, Any] = {"is_first": not cursor, "is_filtered": any(chosen.values())}
    try:
        found = timelines.page(
            customer.pk,
            wanted=read_filter(zone=zone, **chosen),
            after=decoded(cursor) if cursor else None,
            zone=zone,
            may=request.user.has_perm,
        )
    except ValueError:
        context["problem"] = _("This choice of entries cannot be read.")
        return TemplateResponse(request, "customers/timeline.html", context, status=400)
    names = names_in(found.entries)
    context["entries"] = [
        {
            "kind": labels.TIMELINE_KINDS.label(entry.kind),
            "subject": _shown(request, names.subjects.get((entry.name, entry.subject)))
            or (entry.subject, ""),
            "details": _details(entry),
            "source": _shown(request, names.sources.get(entry.source)),
            "entry": entry,
        }
        for entry in found.entries
    ]
    if found.older:
        query = {name: value for name, value in chosen.items() if value} | {"after": found.older}
        context["older_url"] = f"{url_of(customer)}?{urlencode(query)}"
    return TemplateResponse(request, "customers/timeline.html", context)


def _details(entry: TimelineItem) -> str:
    return " · ".join(part for part in (labels.event_channel(entry.channel), *entry.notes) if part)


def _shown(request: HttpRequest, named: Named | None) -> tuple[str, str] | None:
    """Return a name and the address that it leads to, empty where the reader may not go there."""
    if named is None or named.row is None:
        return (named.text, "") if named else None
    meta = named.row._meta  # noqa: SLF001 - Django's documented way to a model's names
    may = access.is_allowed(
        admin_pages.actor_of(request), f"{meta.app_label}.view_{meta.model_name}", named.row
    )
    return named.text, object_url(named.row) if may else ""


def choices(request: HttpRequest, found: CustomerProfile) -> dict[str, Any]:
    """Return what the filters of a person's timeline offer."""
    channels = [*CHANNELS, *(name for name in found.event_channels if name not in CHANNELS)]
    return {
        "timeline_kinds": [
            (kind.value, labels.TIMELINE_KINDS.label(kind))
            for kind in timelines.kinds(may=request.user.has_perm)
        ],
        "timeline_channels": [(str(name), labels.event_channel(name)) for name in channels],
        "event_names": [(name, labels.event(name)) for name in found.event_names],
    }


def url_of(customer: Customer) -> str:
    """Return where a person's timeline is read."""
    return reverse("admin:customers_customer_timeline", args=[customer.pk])


def urls() -> list[URLPattern]:
    """Return the addresses to be put before those of the customers' admin."""
    return [
        path(
            "<int:customer_id>/timeline/",
            admin.site.admin_view(timeline_view),
            name="customers_customer_timeline",
        )
    ]
