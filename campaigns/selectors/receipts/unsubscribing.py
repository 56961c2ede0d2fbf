"""What the unsubscribe page shows about a message."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from campaigns.models import Message, Suppression
from customers.domain.consents.consent import Purpose
from customers.models import ConsentState


@dataclass(frozen=True, slots=True)
class UnsubscribeSubject:
    """Which channel would be stopped, and in which language to say so."""

    customer_id: int
    channel: str
    language: str


def subject_of(message_id: int) -> UnsubscribeSubject | None:
    """Return what the link in a message is about; None when there is no such message."""
    row = (
        Message.objects.filter(pk=message_id)
        .values_list("customer_id", "dispatch__channel_kind", "customer__language")
        .first()
    )
    return UnsubscribeSubject(*row) if row is not None else None


def stopped_since(subject: UnsubscribeSubject) -> datetime | None:
    """Return since when a person gets no marketing through the channel; None while they may.

    Whoever has agreed again after a refusal is asked again.
    """
    marketing = Q(purpose__in=["", Purpose.MARKETING]) & Q(channel__in=["", subject.channel])
    stop = (
        Suppression.objects.filter(
            marketing, customer_id=subject.customer_id, lifted_at__isnull=True
        )
        .order_by("at")
        .first()
    )
    if stop is not None:
        return stop.at
    refused = ConsentState.objects.filter(
        customer_id=subject.customer_id,
        channel=subject.channel,
        purpose=Purpose.MARKETING,
        is_granted=False,
    ).first()
    return refused.changed_at if refused is not None else None
