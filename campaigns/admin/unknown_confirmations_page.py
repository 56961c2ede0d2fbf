"""Confirmations of unknown fate: a part of the page of messages, and what is decided there."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from campaigns import labels
from campaigns.selectors.receipts import unknown_confirmations
from campaigns.services.consents import confirmation_fates
from campaigns.services.consents.confirmation_fates import ConfirmationFate
from customers.selectors.profile import person
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock

# A worker's death leaves at most ten; of more the oldest are shown until they are decided.
MOST_SHOWN = 50
_DECIDES = "campaigns.launch_campaign"
_FATES = {
    ConfirmationFate.WAS_SENT: ("check", "primary"),
    ConfirmationFate.SEND_AGAIN: ("replay", "danger"),
}


def section(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """Return what the page shows of them."""
    found = unknown_confirmations.found(now)
    requests = list(found.select_related("customer")[:MOST_SHOWN])
    traces = unknown_confirmations.traces_of(requests) if requests else {}
    may_decide = access.is_allowed(admin_pages.actor_of(request), _DECIDES)
    return {
        "count": found.count() if requests else 0,
        "rows": [
            {
                "request": row,
                "trace": traces[row.pk],
                "name": person.masked_name(row.customer) or row.customer_id,
                "customer_url": object_url(row.customer),
                "channel": labels.read(labels.CHANNEL_KINDS, row.channel),
            }
            for row in requests
        ],
        "buttons": [
            {
                "fate": fate.value,
                "text": labels.read(labels.FATES, fate.value),
                "icon": icon,
                "kind": kind,
            }
            for fate, (icon, kind) in _FATES.items()
            if may_decide
        ],
    }


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Ask about those chosen, then decide."""
    admin_pages.require(request, _DECIDES)
    back = redirect("admin:campaigns_unknown")
    fate, named = request.POST.get("fate", ""), request.POST.getlist("confirmation")
    ids = [int(text) for text in named[:MOST_SHOWN] if admin_pages.is_key(text)]
    if fate not in set(ConfirmationFate) or not ids:
        admin_pages.tell(
            request, _("Choose messages and say what happened to them."), is_good=False
        )
        return back
    if "confirmed" not in request.POST:
        return _question(request, ConfirmationFate(fate), ids)
    with admin_pages.attempt(request, ""):
        count = confirmation_fates.decide(
            request_ids=ids,
            fate=ConfirmationFate(fate),
            actor=admin_pages.actor_of(request),
            now=clock.now(),
        )
        text = ngettext("%(count)s message was decided.", "%(count)s messages were decided.", count)
        admin_pages.tell(request, text % {"count": count}, is_good=count > 0)
    return back


def _question(request: HttpRequest, fate: ConfirmationFate, ids: list[int]) -> HttpResponse:
    """Say what a decision will do before it is taken."""
    chosen = unknown_confirmations.found(clock.now()).filter(pk__in=ids)
    found = list(chosen.values_list("pk", flat=True))
    return admin_pages.page(
        request,
        "campaigns/unknown_confirmations_question.html",
        title=_("Confirmations of unknown fate"),
        fate=fate.value,
        answer=labels.read(labels.FATES, fate.value),
        kind=_FATES[fate][1],
        consequence=labels.read(labels.CONFIRMATION_CONSEQUENCES, fate.value),
        chosen=found,
        total=len(found),
    )
