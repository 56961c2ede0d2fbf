"""Confirmations of unknown fate: a part of the page of messages, and what is decided there."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns import labels
from campaigns.admin.unknown import decisions
from campaigns.domain.sending.fates import ConfirmationFate
from campaigns.selectors.receipts import unknown_confirmations
from campaigns.services.consents import confirmation_fates
from customers import labels as customer_labels
from customers.selectors.profile import person
from customers.services.consents import opt_ins
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock

# A worker's death leaves at most ten; of more the oldest are shown until they are decided.
MOST_SHOWN = 50
# The look of each answer's button.
_KINDS = {
    ConfirmationFate.WAS_SENT: "primary",
    ConfirmationFate.SEND_AGAIN: "danger",
}


def section(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """Return what the page shows of them."""
    found = unknown_confirmations.found(now)
    requests = list(found.select_related("customer")[:MOST_SHOWN])
    traces = unknown_confirmations.traces_of(requests) if requests else {}
    may_decide = access.is_allowed(admin_pages.actor_of(request), decisions.DECIDES)
    return {
        "count": found.count() if requests else 0,
        "valid_days": opt_ins.VALID_DAYS,
        "rows": [
            {
                "request": row,
                "trace": traces[row.pk],
                "is_expired": row.expires_at <= now,
                "name": person.masked_name(row.customer) or row.customer_id,
                "customer_url": object_url(row.customer),
                "channel": customer_labels.CHANNELS.label(row.channel),
            }
            for row in requests
        ],
        "buttons": decisions.buttons(
            labels.CONFIRMATION_FATES, _KINDS, offered=_KINDS if may_decide else ()
        ),
        "deciders": [] if may_decide else decisions.deciders(),
    }


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Ask about those chosen, then decide."""
    admin_pages.require(request, decisions.DECIDES)
    ids = decisions.keys(request.POST.getlist("confirmation"), most=MOST_SHOWN)
    return decisions.answer(
        request,
        kind=ConfirmationFate,
        ids=ids,
        ask=lambda fate: _question(request, fate, ids),
        decide=lambda fate: confirmation_fates.decide(
            request_ids=ids, fate=fate, actor=admin_pages.actor_of(request), now=clock.now()
        ),
        back=redirect("admin:campaigns_unknown"),
    )


def _question(request: HttpRequest, fate: ConfirmationFate, ids: list[int]) -> HttpResponse:
    chosen = unknown_confirmations.found(clock.now()).filter(pk__in=ids)
    found = list(chosen.values_list("pk", flat=True))
    return decisions.question(
        request,
        "campaigns/unknown_confirmations_question.html",
        title=_("Confirmations of unknown fate"),
        fate=fate,
        fates=labels.CONFIRMATION_FATES,
        kinds=_KINDS,
        chosen=found,
        total=len(found),
    )
