"""What held for one person at the end of a past day: consents from the ledger, and segments."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from customers import labels
from customers.domain.consents.consent import is_in_force
from customers.models import Customer
from customers.selectors import consents
from customers.selectors.segments import history
from loancrm import admin_pages
from loancrm.kernel import clock


@require_GET
def past_view(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Return what held for a person at the end of a day, as a piece of their page."""
    customer = get_object_or_404(Customer, pk=customer_id)
    admin_pages.require(request, "customers.view_customer", customer)
    context: dict[str, Any] = {"customer": customer, "past_url": url_of(customer)}
    try:
        day = date.fromisoformat(request.GET.get("day", "") or clock.today().isoformat())
        at = _end_of(day)
    except (ValueError, OverflowError):
        context["problem"] = _("This is no day.")
        return TemplateResponse(request, "customers/past.html", context, status=400)
    context |= {
        "day": day,
        "consents": _consents(customer, at),
        "stays": [
            stay
            for stay in history.stays_of(customer_id=customer.pk)
            if stay.entered_at < at and (stay.left_at is None or stay.left_at >= at)
        ],
    }
    return TemplateResponse(request, "customers/past.html", context)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=clock.company_zone())


def _consents(customer: Customer, at: datetime) -> Sequence[tuple[str, str, str]]:
    """Return (channel and purpose, tone, state in words), by channel and purpose."""
    found = consents.states_at(customer.pk, at=at)
    rows = []
    for (channel, purpose), fact in sorted(found.items()):
        if is_in_force(fact, now=at):
            tone, state = "good", _("granted")
        else:
            tone, state = "bad", _("expired") if fact.is_granted else _("withdrawn")
        name = f"{labels.CHANNELS.label(channel)} · {labels.PURPOSES.label(purpose)}"
        rows.append((name, tone, state))
    return rows


def url_of(customer: Customer) -> str:
    """Return where what held for a person on a past day is read."""
    return reverse("admin:customers_customer_past", args=[customer.pk])


def urls() -> list[URLPattern]:
    """Return the addresses to be put before those of the customers' admin."""
    return [
        path(
            "<int:customer_id>/past/",
            admin.site.admin_view(past_view),
            name="customers_customer_past",
        )
    ]
