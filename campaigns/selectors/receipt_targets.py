"""Which message or person a report is about."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from campaigns.domain.receipts import DeliveryEvent, DeliveryKind, key_space_of, message_id_of
from campaigns.models import Channel, Message
from customers.domain.contact import ContactKind
from customers.domain.emails import parse_email
from customers.domain.quality import ValueRefused
from customers.models import ContactPoint
from loancrm.kernel import crypto
from loancrm.kernel.phones import PhoneRefused, parse_phone

KIND_OF_CHANNEL = {"sms": ContactKind.PHONE, "email": ContactKind.EMAIL}


@dataclass(frozen=True, slots=True)
class Target:
    """The message that a report is about, as far as its effects need it."""

    message_id: int
    customer_id: int
    slug: str
    contact_point_id: int | None = None


@dataclass(slots=True)
class Found:
    """What was found, by the provider's id of the report.

    Attributes:
        targets: Reports about a message of the channel.
        people: Refusals and replies that name no message we know, by the customer who has the
            address.
        addresses: The blind index of the address that a refusal or reply came from.
    """

    targets: dict[str, Target] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)


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
    columns = (
        *("pk", "customer_id", "dispatch__campaign__slug", "provider_message_id"),
        *("contact_point_id", "dispatch__key_space"),
    )
    spaces = {event.provider_event_id: key_space_of(event.message_key) for event in events}
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
        row = rows_by_id.get(message_id)
        # A key of another deployment on the same account names one of its messages, not ours.
        if row is not None and spaces[event_id] in ("", row[5]):
            found.targets[event_id] = Target(row[0], row[1], row[2], row[4])
    for event_id, provider_id in by_provider.items():
        if (row := rows_by_provider.get(provider_id)) is not None:
            found.targets[event_id] = Target(row[0], row[1], row[2], row[4])
    found.addresses, as_written = _addresses(channel, events)
    owners = _owners(channel, {*found.addresses.values(), *as_written.values()})
    # What is no address anywhere is kept only where somebody was stored under it all the same.
    found.addresses |= {name: index for name, index in as_written.items() if index in owners}
    found.people = {
        event_id: owners[index]
        for event_id, index in found.addresses.items()
        if index in owners and event_id not in found.targets
    }
    return found


def normal_address(kind: ContactKind, text: str) -> str:
    """Return an address in the form that is stored and compared; empty where it is none.

    Gateways write a number with `+`, with `00`, with the country's code alone or without any.
    """
    try:
        return parse_email(text) if kind is ContactKind.EMAIL else _phone(text)
    except (PhoneRefused, ValueRefused):
        return ""


def _phone(text: str) -> str:
    try:
        return parse_phone(text).e164
    except PhoneRefused:
        digits = text.strip()
        if not digits.isascii() or not digits.isdigit():
            raise
        return parse_phone(f"+{digits}").e164


def _addresses(
    channel: Channel, events: Sequence[DeliveryEvent]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the blind index of who wrote, for what a person says; apart, of what is no address."""
    kind = KIND_OF_CHANNEL.get(channel.kind)
    found: dict[str, str] = {}
    as_written: dict[str, str] = {}
    for event in events:
        if kind is None or event.kind not in {DeliveryKind.REPLIED, DeliveryKind.COMPLAINED}:
            continue
        address = normal_address(kind, event.address) if event.address else ""
        if address:
            found[event.provider_event_id] = address_index(address)
        elif event.address:
            as_written[event.provider_event_id] = address_index(event.address)
        elif event.address_index:
            found[event.provider_event_id] = event.address_index
    return found, as_written


def address_index(normal: str) -> str:
    """Return the blind index of an address in normal form, as contact points have it."""
    return crypto.vault().blind_index(ContactPoint.VALUE_COLUMN, normal)


def _owners(channel: Channel, indexes: set[str]) -> dict[str, int]:
    """Return who has each address; it is nobody's twice."""
    if not indexes:
        return {}
    points = ContactPoint.objects.filter(
        kind=KIND_OF_CHANNEL[channel.kind], value_index__in=indexes
    )
    return dict(points.values_list("value_index", "customer_id"))
