"""The ties of one person as a piece of their page, for somebody with a risk purpose."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from customers import labels
from customers.domain.relationships import RiskPurpose
from customers.models import Customer
from customers.selectors import sources
from customers.selectors.relationships.network import Network, Tie
from customers.services import relationships
from loancrm import admin_pages
from loancrm.kernel import clock

_TEMPLATE = "customers/relationships.html"


@never_cache
@require_POST
def relationships_view(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Return the picture and the list of a person's ties; the look is noted with its purpose."""
    customer = get_object_or_404(Customer, pk=customer_id)
    admin_pages.require(request, relationships.READ, customer)
    context: dict[str, Any] = {"customer": customer, **choices()}
    chosen = request.POST.get("purpose", "")
    if chosen not in list(RiskPurpose):
        context["problem"] = _("Say what you need to know it for.")
        return TemplateResponse(request, _TEMPLATE, context)
    network = relationships.look_at(
        actor=admin_pages.actor_of(request),
        customer_id=customer.pk,
        purpose=RiskPurpose(chosen),
        now=clock.now(),
    )
    context |= {
        "network": network,
        "source_names": sources.names(),
        "lines": _lines(network),
        "nodes": _nodes(network),
        "ties": [(labels.tie(tie.kind), _meaning(tie), tie) for tie in network.ties],
        "more": max(network.first_count - sum(p.place.hop == 1 for p in network.people), 0),
    }
    return TemplateResponse(request, _TEMPLATE, context)


def _lines(network: Network) -> Sequence[dict[str, Any]]:
    at = {person.place.customer_id: person.place for person in network.people}
    return [
        {
            "one": at[link.one],
            "other": at[link.other],
            "title": " · ".join(labels.tie(kind) for kind in link.kinds),
            "width": min(len(link.kinds), 4),
        }
        for link in network.links
    ]


def _nodes(network: Network) -> Sequence[dict[str, Any]]:
    return [
        {
            "person": person,
            "radius": (26, 20, 14)[person.place.hop],
            "label_y": person.place.y + (44, 38, 32)[person.place.hop],
            "url": reverse("admin:customers_customer_change", args=[person.place.customer_id]),
            "title": _standing(person.has_defaulted),
        }
        for person in network.people
    ]


def _standing(has_defaulted: bool | None) -> str:  # noqa: FBT001 - three values
    if has_defaulted is None:
        return _("never had a loan")
    return _("was in default") if has_defaulted else _("never in default")


def _meaning(tie: Tie) -> str:
    """Return what a tie means, in words."""
    if tie.other_id is not None:
        words = _("names #%(id)s") if tie.is_named else _("is named by #%(id)s")
        return words % {"id": tie.other_id}
    if tie.is_hub:
        return _("shared by %(count)s people: too many to say anything") % {"count": tie.people}
    return _("shared with %(count)s others") % {"count": tie.people - 1}


def choices() -> dict[str, Any]:
    """Return the purposes that somebody may look for."""
    return {"risk_purposes": labels.RISK_PURPOSES.choices()}


def urls() -> list[URLPattern]:
    """Return the addresses to be put before those of the customers' admin."""
    return [
        path(
            "<int:customer_id>/relationships/",
            admin.site.admin_view(relationships_view),
            name="customers_customer_relationships",
        )
    ]
