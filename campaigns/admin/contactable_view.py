"""Whether one person may be written to, and what is on the stop list, as a piece of their page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from campaigns import labels
from campaigns.labels import receipts as receipt_labels
from campaigns.models import Suppression
from campaigns.selectors.sending import contactable
from customers import labels as customer_labels
from customers.models import Customer
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock


@require_GET
def customer_contact(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Return what decides about marketing to one customer, channel by channel."""
    customer = get_object_or_404(Customer, pk=customer_id)
    admin_pages.require(request, "customers.view_customer", customer)
    now = clock.now()
    paused_until = customer.marketing_paused_until
    return render(
        request,
        "campaigns/customer_contact.html",
        {
            "channels": [
                (
                    customer_labels.CHANNELS.label(found.channel),
                    [labels.SKIP_REASONS.label(reason) for reason in found.objections],
                )
                for found in contactable.of_customer(customer, now=now, zone=clock.company_zone())
            ],
            "paused_until": paused_until if paused_until and paused_until > now else None,
            "weekly_limit": customer.weekly_message_limit,
            "stops": [_stop(request, stop) for stop in contactable.stops_of(customer)],
        },
    )


def _stop(request: HttpRequest, stop: Suppression) -> dict[str, object]:
    may_view = request.user.has_perm("campaigns.view_suppression")
    return {
        "at": stop.at,
        "channel": customer_labels.CHANNELS.label(stop.channel)
        if stop.channel
        else _("all channels"),
        "purpose": customer_labels.PURPOSES.label(stop.purpose)
        if stop.purpose
        else _("all purposes"),
        "reason": receipt_labels.STOP_REASONS.label(stop.reason),
        "url": object_url(stop) if may_view else "",
    }
