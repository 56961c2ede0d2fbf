"""Confirmations of which it is not known whether anybody was asked: the answer never came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.domain.receipts.report import confirmation_key
from customers.domain.consents.consent import contact_kind_of
from customers.models import ConsentState, ContactPoint, OptInRequest
from customers.selectors.profile import person
from loancrm.kernel.auditing import deployment

# Where the provider knows repeated keys the next run asks again by itself.
WAIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ConfirmationTrace:
    """By what the provider finds it.

    Attributes:
        address: Masked, the primary one of today; empty where there is none.
    """

    key: str
    address: str


def found(now: datetime) -> QuerySet[OptInRequest]:
    """Return those that nobody has answered, the oldest first.

    One whose link has expired stays among them, unless its person has said something since or was
    asked anew: nobody else would notice that somebody who wanted to hear from us was never asked.
    """
    same = {name: OuterRef(name) for name in ("customer", "channel", "purpose")}
    said = ConsentState.objects.filter(**same, changed_at__gt=OuterRef("requested_at"))
    asked_anew = OptInRequest.objects.filter(**same, pk__gt=OuterRef("pk"))
    rows = OptInRequest.objects.filter(
        Q(expires_at__gt=now) | (~Exists(said) & ~Exists(asked_anew)),
        sent_at__isnull=False,
        next_try_at__lte=now - WAIT,
        confirmed_at__isnull=True,
    )
    return rows.order_by("pk")


def count(now: datetime) -> int:
    """Return how many there are."""
    return found(now).count()


def traces_of(requests: Sequence[OptInRequest]) -> dict[int, ConfirmationTrace]:
    """Return the traces by request, in two queries."""
    space = deployment.key_space_of(deployment.current())
    points = {
        (point.customer_id, point.kind): point
        for point in ContactPoint.objects.filter(
            customer_id__in={request.customer_id for request in requests}, is_primary=True
        )
    }
    found_points = {
        request.pk: points.get((request.customer_id, contact_kind_of(request.channel)))
        for request in requests
    }
    return {
        pk: ConfirmationTrace(
            confirmation_key(space, pk), person.masked_contact(point) if point else ""
        )
        for pk, point in found_points.items()
    }
