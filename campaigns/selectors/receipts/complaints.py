"""Complaints that reached the event log from elsewhere and have stopped nobody yet."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from campaigns.domain.receipts.stops import StopReason
from campaigns.models import Suppression
from customers.domain.consents.consent import Purpose
from customers.domain.events.event import EventName
from customers.domain.sources import OwnSource
from customers.models import Event

# An older complaint, as a file of history may bring it, stops nobody today.
COMPLAINT_DAYS = 365


def unheard(*, now: datetime, limit: int) -> dict[int, datetime]:
    """Return {customer: when they complained last} of those whom no stop has answered (1 query).

    A complaint is answered by a stop for it that was set after it came in, or was in force when it
    did; ending the stop does not wake the complaint again. What the channels' own reports said is
    a stop already, and is not read here.

    Args:
        limit: Most events that are looked at in one go.
    """
    answered = Suppression.objects.filter(
        Q(at__gte=OuterRef("received_at"))
        | Q(lifted_at__isnull=True)
        | Q(lifted_at__gte=OuterRef("received_at")),
        customer_id=OuterRef("customer_id"),
        channel="",
        purpose=Purpose.MARKETING,
        reason=StopReason.COMPLAINED,
    )
    rows = (
        Event.objects.filter(
            type__name=EventName.COMPLAINT_MADE,
            occurred_at__gte=now - timedelta(days=COMPLAINT_DAYS),
            customer__merged_into__isnull=True,
        )
        .exclude(source=OwnSource.CAMPAIGNS)
        .filter(~Exists(answered))
        .order_by("occurred_at")
    )
    return dict(rows.values_list("customer_id", "occurred_at")[:limit])
