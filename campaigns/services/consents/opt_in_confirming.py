"""Confirming a consent: the grant, and the end of the person's own earlier opt-out."""

from datetime import datetime

from django.db import transaction

from campaigns.services.consents import stop_list
from customers.domain.consents.consent import contact_kind_of
from customers.models import ContactPoint, OptInRequest
from customers.services.consents import opt_ins
from customers.services.consents.opt_ins import Confirmation
from loancrm.kernel.access import Actor


def confirm(*, actor: Actor, request_id: int, now: datetime) -> Confirmation:
    """Grant what was asked for; a stop that the person set before asking ends with it.

    Raises:
        PermissionRefused: The actor may not change consents.
    """
    with transaction.atomic():
        state = opt_ins.confirm(actor=actor, request_id=request_id, now=now)
        if state is Confirmation.CONFIRMED:
            request = OptInRequest.objects.get(pk=request_id)
            kind = contact_kind_of(request.channel)
            points = ContactPoint.objects.filter(
                customer_id=request.customer_id, kind=kind, is_primary=True
            )
            stop_list.lift_own(
                customer_id=request.customer_id,
                channel=request.channel,
                purpose=request.purpose,
                address_indexes=points.values_list("value_index", flat=True),
                since=request.requested_at,
                now=now,
            )
    return state
