"""Which message or person a report is about."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from campaigns.domain.receipts import DeliveryEvent, DeliveryKind, message_id_of
from campaigns.models import Channel, Message
from customers.domain.contact import ContactKind
from customers.models import ContactPoint
from loancrm.kernel import crypto

KIND_OF_CHANNEL = {"sms": ContactKind.PHONE, "email": ContactKind.EMAIL}


@dataclass(frozen=True, slots=True)
class Target:
    """The message that a report is about, as far as its effects need it."""

    message_id: int
    customer_id: int
    slug: str


@dataclass(slots=True)
class Found:
    """What was found, by the provider's id of the report.

    Attributes:
        targets: Reports about a message of the channel.
        people: Replies that name no message, by the customer who owns the address.
    """

    targets: dict[str, Target] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)


def find(channel: Channel, events: Sequence[DeliveryEvent]) -> Found:
    """Return what each report is about; those that fit nothing are in neither mapping."""
    by_key: dict[str, int] = {}
    by_provider: dict[str, str] = {}
    for event in events:
        message_id = message_id_of(event.message_key) if event.message_key else None
        if message_id is not None:
            by_key[event.provider_event_id] = message_id
        elif event.provider_message_id:
            by_provider[event.provider_event_id] = event.provider_message_id
    messages = Message.objects.filter(dispatch__channel=channel)
    columns = ("pk", "customer_id", "dispatch__campaign__slug", "provider_message_id")
    rows_by_id = {
        row[0]: row for row in messages.filter(pk__in=set(by_key.values())).values_list(*columns)
    }
    rows_by_provider = {
        row[3]: row
        for row in messages.filter(provider_message_id__in=set(by_provider.values())).values_list(
            *columns
        )
    }
    found = Found()
    for event_id, message_id in by_key.items():
        if (row := rows_by_id.get(message_id)) is not None:
            found.targets[event_id] = Target(row[0], row[1], row[2])
    for event_id, provider_id in by_provider.items():
        if (row := rows_by_provider.get(provider_id)) is not None:
            found.targets[event_id] = Target(row[0], row[1], row[2])
    found.people = _people(channel, [e for e in events if e.provider_event_id not in found.targets])
    return found


def _people(channel: Channel, events: Sequence[DeliveryEvent]) -> dict[str, int]:
    """Return who wrote a reply that names no message, by the address it came from."""
    vault = crypto.vault()
    kind = KIND_OF_CHANNEL.get(channel.kind)
    index_of = {
        event.provider_event_id: vault.blind_index(ContactPoint.VALUE_COLUMN, event.address)
        for event in events
        if event.kind is DeliveryKind.REPLIED and event.address and kind is not None
    }
    if not index_of:
        return {}
    owners = dict(
        ContactPoint.objects.filter(kind=kind, value_index__in=set(index_of.values()))
        .order_by("is_primary", "pk")
        .values_list("value_index", "customer_id")
    )
    return {event_id: owners[index] for event_id, index in index_of.items() if index in owners}
