"""The button on a person's page that shows what is masked, for somebody with a reason."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from customers import labels
from customers.models import Customer
from customers.services.privacy import own_data, reveals
from customers.services.privacy.reveals import RevealRefused
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock


@never_cache
@require_POST
def reveal_view(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Return the whole values as a fragment of the page, or why they are not shown."""
    customer = get_object_or_404(Customer, pk=customer_id)
    admin_pages.require(request, "customers.reveal_pii", customer)
    template = "customers/reveal.html"
    try:
        shown = reveals.reveal(
            actor=admin_pages.actor_of(request),
            customer_id=customer.pk,
            reason=request.POST.get("reason", ""),
            now=clock.now(),
        )
    except RevealRefused as refusal:
        return TemplateResponse(
            request, template, {"customer": customer, "problem": refusal.message}
        )
    contacts = [(labels.CONTACT_KINDS.label(kind), value) for kind, value in shown.contacts]
    return TemplateResponse(request, template, {"shown": shown, "contacts": contacts})


@never_cache
@require_POST
def own_data_view(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Return everything stored about a person as a file, or go back with the reason why not."""
    customer = get_object_or_404(Customer, pk=customer_id)
    admin_pages.require(request, "customers.reveal_pii", customer)
    with admin_pages.attempt(request, ""):
        content = own_data.export_own_data(
            actor=admin_pages.actor_of(request),
            customer_id=customer.pk,
            reason=request.POST.get("reason", ""),
            now=clock.now(),
        )
        answer = JsonResponse(content, json_dumps_params={"ensure_ascii": False, "indent": 2})
        answer["Content-Disposition"] = f'attachment; filename="customer-{customer.pk}.json"'
        return answer
    return HttpResponseRedirect(object_url(customer))


def urls() -> list[URLPattern]:
    """Return the addresses to be put before those of the customers' admin."""
    return [
        path(
            "<int:customer_id>/reveal/",
            admin.site.admin_view(reveal_view),
            name="customers_customer_reveal",
        ),
        path(
            "<int:customer_id>/own-data/",
            admin.site.admin_view(own_data_view),
            name="customers_customer_own_data",
        ),
    ]
