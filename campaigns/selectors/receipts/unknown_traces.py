"""By what a provider finds a message of unknown fate: our key, the masked address and the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from campaigns.domain.receipts.report import message_key
from campaigns.models import Message
from customers.domain.consents.consent import contact_kind_of
from customers.models import ContactPoint
from customers.selectors.profile import person


@dataclass(frozen=True, slots=True)
class MessageTrace:
    """What the provider is told.

    Attributes:
        address: Masked; empty where the address is gone.
    """

    key: str
    provider_message_id: str
    address: str
    handed_over_at: datetime | None


def of_messages(messages: Sequence[Message]) -> dict[int, MessageTrace]:
    """Return the traces by message, in two queries at most; the dispatches are read with them."""
    points = _points(messages)
    return {
        message.pk: MessageTrace(
            key=message_key(message.dispatch.key_space, message.pk),
            provider_message_id=message.provider_message_id,
            address=person.masked_contact(points[message.pk]) if message.pk in points else "",
            handed_over_at=message.attempted_at,
        )
        for message in messages
    }


def _points(messages: Sequence[Message]) -> dict[int, ContactPoint]:
    """Return what each was written to; of one that does not say, the primary address of today."""
    by_id = ContactPoint.objects.in_bulk(
        {message.contact_point_id for message in messages if message.contact_point_id}
    )
    found = {
        message.pk: by_id[message.contact_point_id]
        for message in messages
        if message.contact_point_id in by_id
    }
    rest = [message for message in messages if message.pk not in found]
    if not rest:
        return found
    primary = {
        (point.customer_id, point.kind): point
        for point in ContactPoint.objects.filter(
            customer_id__in={message.customer_id for message in rest}, is_primary=True
        )
    }
    for message in rest:
        kind = contact_kind_of(message.dispatch.channel_kind)
        if (point := primary.get((message.customer_id, kind))) is not None:
            found[message.pk] = point
    return found
