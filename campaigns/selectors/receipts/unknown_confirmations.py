"""Confirmations of which it is not known whether anybody was asked: the answer never came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from campaigns.domain.receipts.report import confirmation_key
from customers.domain.consents.preferences import CONTACT_OF_CHANNEL
from customers.models import ContactPoint, OptInRequest
from customers.selectors.profile import person
from loancrm.kernel.auditing import deployment

# Where the provider knows repeated keys the next run asks again by itself.
WAIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Trace:
    """By what the provider finds it.

    Attributes:
        address: Masked, the primary one of today; empty where there is none.
    """

    key: str
    address: str


def found(now: datetime) -> QuerySet[OptInRequest]:
    """Return those that can still be confirmed, the oldest first."""
    return OptInRequest.objects.filter(
        sent_at__isnull=False,
        next_try_at__lte=now - WAIT,
        confirmed_at__isnull=True,
        expires_at__gt=now,
    ).order_by("pk")


def count(now: datetime) -> int:
    """Return how many there are."""
    return found(now).count()


def traces_of(requests: Sequence[OptInRequest]) -> dict[int, Trace]:
    """Return the traces by request, in two queries."""
    space = deployment.key_space_of(deployment.current())
    points = {
        (point.customer_id, point.kind): point
        for point in ContactPoint.objects.filter(
            customer_id__in={request.customer_id for request in requests}, is_primary=True
        )
    }
    found_points = {
        request.pk: points.get((request.customer_id, CONTACT_OF_CHANNEL[request.channel]))  # type: ignore[index] # a StrEnum equals its text
        for request in requests
    }
    return {
        pk: Trace(confirmation_key(space, pk), person.masked_contact(point) if point else "")
        for pk, point in found_points.items()
    }
