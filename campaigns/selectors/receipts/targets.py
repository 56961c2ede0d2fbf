"""Which message or person a report is about."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from campaigns.domain.content.senders import mailbox_in, number_in
from campaigns.domain.receipts.report import (
    DeliveryEvent,
    DeliveryKind,
    key_space_of,
    message_id_of,
)
from campaigns.domain.sending.states import MessageState
from campaigns.models import Channel, Message
from campaigns.selectors.sending.ways import went_through
from customers.domain.consents.consent import contact_kind_of
from customers.domain.values.contact import ContactKind
from customers.domain.values.quality import ValueRefused
from customers.models import ContactPoint
from loancrm.kernel.phones import PhoneRefused
from loancrm.kernel.security import crypto
from loancrm.kernel.security.masking import mask_email, mask_phone

_WRITTEN_FROM = (ContactKind.PHONE, ContactKind.EMAIL)
_SAID = frozenset({DeliveryKind.REPLIED, DeliveryKind.COMPLAINED, DeliveryKind.UNREADABLE})


@dataclass(frozen=True, slots=True)
class ReceiptTarget:
    """The message that a report is about, as far as its effects need it.

    Attributes:
        is_planned: It is yet to be handed over, perhaps once more because its fate was not clear.
        attempted_at: When it was handed over, as far as that is known.
    """

    message_id: int
    customer_id: int
    slug: str
    contact_point_id: int | None = None
    is_planned: bool = False
    attempted_at: datetime | None = None


@dataclass(slots=True)
class Found:
    """What was found for each report.

    Attributes:
        targets: Reports about a message of the channel.
        people: Refusals and replies that name no message we know, by the customer who has the
            address.
        addresses: The blind index of the address that a refusal or reply came from.
        ambiguous: Reports by an id that the provider gave to several messages, of which nothing
            else says which one is meant.
    """

    targets: dict[DeliveryEvent, ReceiptTarget] = field(default_factory=dict)
    people: dict[DeliveryEvent, int] = field(default_factory=dict)
    addresses: dict[DeliveryEvent, str] = field(default_factory=dict)
    ambiguous: set[DeliveryEvent] = field(default_factory=set)


class _MessageRow(NamedTuple):
    """A message, in the order of `_COLUMNS`."""

    message_id: int
    customer_id: int
    slug: str
    provider_id: str
    contact_point_id: int | None
    key_space: str
    state: str
    attempted_at: datetime | None

    @property
    def target(self) -> ReceiptTarget:
        return ReceiptTarget(
            self.message_id,
            self.customer_id,
            self.slug,
            self.contact_point_id,
            is_planned=self.state == MessageState.PLANNED,
            attempted_at=self.attempted_at,
        )


_COLUMNS = (
    *("pk", "customer_id", "dispatch__subject", "provider_message_id"),
    *("contact_point_id", "dispatch__key_space", "state", "attempted_at"),
)
# Some gateways give one id to all messages of a request, and a few give one to all that they take.
_SHARED_AT_MOST = 1_000
_READ_OF_ONE_ID = 50


def match_targets(
    channel: Channel, events: Sequence[DeliveryEvent], *, shared_at_most: int = _SHARED_AT_MOST
) -> Found:
    """Return what each report is about; those that fit nothing are in no mapping.

    Args:
        shared_at_most: Up to so many messages that share ids are read in one query.
    """
    found = Found(targets=_by_key(channel, events))
    named = [
        event
        for event in events
        if event.provider_message_id and message_id_of(event.message_key) is None
    ]
    rows = _rows_by_provider_id(
        channel, {event.provider_message_id for event in named}, shared_at_most
    )
    shared: dict[DeliveryEvent, list[_MessageRow]] = {}
    for event in named:
        match rows[event.provider_message_id]:
            case []:
                pass
            case [row]:
                found.targets[event] = row.target
            case several:
                shared[event] = several
    _find_by_address(channel, events, shared, found)
    return found


def _find_by_address(
    channel: Channel,
    events: Sequence[DeliveryEvent],
    shared: Mapping[DeliveryEvent, Sequence[_MessageRow]],
    found: Found,
) -> None:
    """Find who wrote, and which message an id that several share means by whose address it is."""
    found.addresses, as_written = _addresses(channel, events)
    others, _unread = _addresses(channel, list(shared), is_said=False)
    written = {*found.addresses.values(), *as_written.values(), *others.values()}
    owners = _owners(channel, written)
    # What is no address anywhere is kept only where somebody was stored under it all the same.
    found.addresses |= {event: index for event, index in as_written.items() if index in owners}
    for event, rows in shared.items():
        owner = owners.get(found.addresses.get(event) or others.get(event, ""))
        hers = [row for row in rows if owner is not None and row.customer_id == owner]
        if len(hers) == 1:
            found.targets[event] = hers[0].target
        else:
            found.ambiguous.add(event)
    found.people = {
        event: owners[index]
        for event, index in found.addresses.items()
        if index in owners and event not in found.targets
    }


def _by_key(
    channel: Channel, events: Sequence[DeliveryEvent]
) -> dict[DeliveryEvent, ReceiptTarget]:
    named = {event: message_id_of(event.message_key) for event in events if event.message_key}
    rows = {
        row.message_id: row
        for row in map(
            _MessageRow._make,
            _messages(channel)
            .filter(pk__in={pk for pk in named.values() if pk is not None})
            .values_list(*_COLUMNS),
        )
    }
    return {
        event: row.target
        for event, message_id in named.items()
        if message_id is not None
        and (row := rows.get(message_id)) is not None
        # A key of another deployment on the same account names one of its messages, not ours.
        and key_space_of(event.message_key) in ("", row.key_space)
    }


def _rows_by_provider_id(
    channel: Channel, ids: set[str], shared_at_most: int
) -> defaultdict[str, list[_MessageRow]]:
    """Return the messages of each id; of an id that very many have only some, at least two."""
    messages = _messages(channel).values_list(*_COLUMNS)
    most = len(ids) + shared_at_most
    rows = list(messages.filter(provider_message_id__in=ids)[:most])
    if len(rows) == most:
        rows = [
            row
            for provider_id in sorted(ids)
            for row in messages.filter(provider_message_id=provider_id)[:_READ_OF_ONE_ID]
        ]
    found: defaultdict[str, list[_MessageRow]] = defaultdict(list)
    for row in map(_MessageRow._make, rows):
        found[row.provider_id].append(row)
    return found


def _messages(channel: Channel) -> QuerySet[Message]:
    return Message.objects.filter(went_through(channel))


def normal_address(kind: ContactKind, text: str) -> str:
    """Return an address in the form that is stored and compared; empty where it is none."""
    if kind not in _WRITTEN_FROM:
        return ""
    try:
        return mailbox_in(text) if kind is ContactKind.EMAIL else number_in(text)
    except (PhoneRefused, ValueRefused):
        return ""


def masked_address(address: str) -> str:
    """Return an address as a person recognises it; empty where none is given."""
    text = address.strip()
    if not text:
        return ""
    if "@" in text:
        return mask_email(normal_address(ContactKind.EMAIL, text) or text)
    return mask_phone(normal_address(ContactKind.PHONE, text) or text)


def sender_indexes(channel: Channel, events: Sequence[DeliveryEvent]) -> dict[DeliveryEvent, str]:
    """Return the blind index of who wrote, readable as an address or not: who the report names."""
    found, as_written = _addresses(channel, events)
    return as_written | found


def _addresses(
    channel: Channel, events: Sequence[DeliveryEvent], *, is_said: bool = True
) -> tuple[dict[DeliveryEvent, str], dict[DeliveryEvent, str]]:
    """Return the blind index of who wrote; apart, of what is no address.

    Args:
        is_said: Only for what a person says.
    """
    kind = contact_kind_of(channel.kind)
    found: dict[DeliveryEvent, str] = {}
    as_written: dict[DeliveryEvent, str] = {}
    for event in events:
        if kind not in _WRITTEN_FROM or (is_said and event.kind not in _SAID):
            continue
        address = normal_address(kind, event.address) if event.address else ""
        if address:
            found[event] = address_index(address)
        elif event.address:
            as_written[event] = address_index(event.address)
        elif event.address_index:
            found[event] = event.address_index
    return found, as_written


def indexes_written_to(message_ids: Collection[int]) -> dict[int, str]:
    """Return the blind index of the address that each message went to, where it is still known."""
    if not message_ids:
        return {}
    rows = Message.objects.filter(pk__in=message_ids, contact_point_id__isnull=False)
    point_of = dict(rows.values_list("pk", "contact_point_id"))
    points = ContactPoint.objects.filter(pk__in=set(point_of.values()))
    index_of = dict(points.values_list("pk", "value_index"))
    return {
        message_id: index_of[point_id]
        for message_id, point_id in point_of.items()
        if point_id in index_of
    }


def address_index(normal: str) -> str:
    """Return the blind index of an address in normal form, as contact points have it."""
    return crypto.vault().blind_index(ContactPoint.VALUE_COLUMN, normal)


def _owners(channel: Channel, indexes: set[str]) -> dict[str, int]:
    """Return who has each address; it is nobody's twice."""
    if not indexes:
        return {}
    points = ContactPoint.objects.filter(
        kind=contact_kind_of(channel.kind), value_index__in=indexes
    )
    return dict(points.values_list("value_index", "customer_id"))
