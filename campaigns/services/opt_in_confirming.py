"""Confirming a consent: the grant, and the end of the person's own earlier opt-out."""

from datetime import datetime

from django.db import transaction

from campaigns.models import Suppression
from campaigns.services.preferences import StopReason
from customers.models import OptInRequest
from customers.services import opt_ins
from customers.services.opt_ins import Confirmation
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
            Suppression.objects.filter(
                customer_id=request.customer_id,
                channel=request.channel,
                purpose=request.purpose,
                reason=StopReason.OPTED_OUT,
                at__lte=request.requested_at,
                lifted_at__isnull=True,
            ).update(lifted_at=now)
    return state
