"""Third pass, writing: bring customers to what a file says, in a fixed number of statements.

A blank never erases, a consent is never widened, and what is already so is not written again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from uuid import uuid4

from customers.domain.contact import ContactStatus
from customers.domain.lifecycle import LifecycleStage
from customers.domain.mapping import TEXT_FIELDS, ValueType
from customers.domain.person import Gender, MarketingStatus
from customers.domain.person_row import Contact, PersonRow
from customers.domain.quality import Code
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    ChangeKind,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
)
from customers.selectors.person_matching import Point
from customers.services.imports_changes import ChangeLog, envelope, plain_text
from customers.services.imports_stage import PersonKeys
from loancrm.kernel import bulk
from loancrm.kernel.bulk_load import load_rows
from loancrm.kernel.crypto import Vault

_PLAIN: Final = (*TEXT_FIELDS, "birth_date", "gender", "updated_at")
_CUSTOMER: Final = (
    *("id", "public_id", "external_id", "name_sealed", "name_index"),
    *("national_id_sealed", "national_id_index", "birth_date", "gender", *TEXT_FIELDS),
    *("lifecycle_stage", "marketing_status", "personalisation_allowed"),
    *("source", "created_at", "updated_at"),
)
_BLANK: Final = Customer()
_DEFAULT_TEXTS: Final = {name: getattr(_BLANK, name) for name in TEXT_FIELDS}
_NAME: Final = ("name_sealed", "name_index")
_NATIONAL_ID: Final = ("national_id_sealed", "national_id_index")
_POINT: Final = (
    *("row_key", "customer", "kind", "value_sealed", "value_index", "is_primary"),
    *("is_virtual_range", "status", "source", "created_at"),
)
_VALUES: Final = ("number", "text", "day", "flag")
# A value stands in the column of its type, in the order of `_VALUES`.
_COLUMN_VALUES: Final[Mapping[ValueType, Callable[[Any], tuple[Any, ...]]]] = {
    ValueType.NUMBER: lambda value: (value, None, None, None),
    ValueType.TEXT: lambda value: (None, value, None, None),
    ValueType.DAY: lambda value: (None, None, value, None),
    ValueType.FLAG: lambda value: (None, None, None, value),
}
_ATTRIBUTE: Final = ("customer", "definition", *_VALUES, "source", "updated_at")
_ATTRIBUTE_IDS: Final = ("customer_id", "definition_id", *_VALUES, "source", "updated_at")
_RECORD: Final = (
    *("customer", "channel", "purpose", "is_granted", "policy_version", "source", "evidence"),
    *("at", "recorded_at"),
)
_STATE: Final = ("customer", "channel", "purpose", "is_granted", "changed_at")


@dataclass(slots=True)
class Person:
    """One person to be written: what the file says and the customer it was matched with.

    `customer_id` is 0 until a new customer is written.
    """

    row: PersonRow
    keys: PersonKeys
    customer: Customer | None
    points: Sequence[Point] = ()
    customer_id: int = 0
    is_new: bool = False
    is_changed: bool = False
    notes: list[Code] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WriteContext:
    """What all persons of a batch share."""

    source: str
    evidence: str
    definitions: Mapping[str, AttributeDefinition]
    owners: dict[tuple[str, str], int]
    national_id_owners: Mapping[str, int]
    now: datetime
    vault: Vault
    changes: ChangeLog


def write_people(people: Sequence[Person], context: WriteContext) -> None:
    """Create and update customers with their contacts, attributes and consents."""
    _write_customers(people, context)
    _write_contacts(people, context)
    _write_attributes(people, context)
    _write_consents(people, context)
    changed = [
        (person.customer_id, context.now)
        for person in people
        if person.is_changed and not person.is_new
    ]
    bulk.update_rows(Customer, key="id", columns=["updated_at"], rows=changed)
    context.changes.save()


def _write_customers(people: Sequence[Person], context: WriteContext) -> None:
    new, plain, names, national_ids = [], [], [], []
    for person in people:
        customer = person.customer
        if customer is None:
            person.is_new = person.is_changed = True
            new.append(person)
            continue
        if _take_plain(customer, person.row, context.changes):
            person.is_changed = True
            plain.append((customer.pk, *(getattr(customer, name) for name in _PLAIN)))
        if person.keys.name and person.keys.name != customer.name_index:
            person.is_changed = True
            before = {"sealed": envelope(customer.name_sealed), "index": customer.name_index}
            context.changes.note(
                customer.pk, ChangeKind.NAME, "name", before=before, after=person.keys.name
            )
            _seal_name(customer, person, context.vault)
            names.append((customer.pk, *(getattr(customer, name) for name in _NAME)))
        if _brings_national_id(person, customer, context):
            person.is_changed = True
            index = person.keys.national_id
            context.changes.note(
                customer.pk, ChangeKind.NATIONAL_ID, "national_id", before=None, after=index
            )
            _seal_national_id(customer, person, context.vault)
            national_ids.append((customer.pk, *(getattr(customer, name) for name in _NATIONAL_ID)))
    _insert_customers(new, context)
    bulk.update_rows(Customer, key="id", columns=_PLAIN, rows=plain)
    bulk.update_rows(Customer, key="id", columns=_NAME, rows=names)
    bulk.update_rows(Customer, key="id", columns=_NATIONAL_ID, rows=national_ids)


def _insert_customers(new: Sequence[Person], context: WriteContext) -> None:
    if not new:
        return
    for person, customer_id in zip(new, bulk.new_ids(Customer, len(new)), strict=True):
        person.customer_id = customer_id
    load_rows(Customer, _CUSTOMER, (_new_customer(person, context) for person in new))


def _brings_national_id(person: Person, customer: Customer, context: WriteContext) -> bool:
    index = person.keys.national_id
    if not index or customer.national_id_index:
        return False
    if context.national_id_owners.get(index, customer.pk) != customer.pk:
        person.notes.append(Code.ID_TAKEN)
        return False
    return True


def _new_customer(person: Person, context: WriteContext) -> tuple[Any, ...]:
    row, keys, seal = person.row, person.keys, context.vault.seal
    public_id = uuid4()
    texts = {**_DEFAULT_TEXTS, **row.texts}
    number = row.national_id
    return (
        *(person.customer_id, public_id, row.external_id),
        seal(Customer.NAME_COLUMN, public_id, row.name) if keys.name else None,
        keys.name,
        seal(Customer.NATIONAL_ID_COLUMN, public_id, number) if keys.national_id else None,
        keys.national_id or None,
        *(row.birth_date, row.gender or Gender.UNKNOWN.value, *[texts[key] for key in TEXT_FIELDS]),
        *(LifecycleStage.LEAD.value, MarketingStatus.OPEN.value, True),
        *(context.source, context.now, context.now),
    )


def _seal_name(customer: Customer, person: Person, vault: Vault) -> None:
    column, key = Customer.NAME_COLUMN, customer.public_id
    customer.name_sealed = vault.seal(column, key, person.row.name)
    customer.name_index = person.keys.name


def _seal_national_id(customer: Customer, person: Person, vault: Vault) -> None:
    column, key = Customer.NATIONAL_ID_COLUMN, customer.public_id
    customer.national_id_sealed = vault.seal(column, key, person.row.national_id)
    customer.national_id_index = person.keys.national_id


def _take_plain(customer: Customer, row: PersonRow, changes: ChangeLog) -> bool:
    wanted: dict[str, Any] = {name: text for name, text in row.texts.items() if text}
    if row.birth_date is not None:
        wanted["birth_date"] = row.birth_date
    if row.gender:
        wanted["gender"] = row.gender
    differing = {name: value for name, value in wanted.items() if getattr(customer, name) != value}
    for name, value in differing.items():
        before = plain_text(getattr(customer, name))
        after = plain_text(value) or ""
        changes.note(customer.pk, ChangeKind.FIELD, name, before=before, after=after)
        setattr(customer, name, value)
    return bool(differing)


def _write_contacts(people: Sequence[Person], context: WriteContext) -> None:
    new: list[tuple[Any, ...]] = []
    demoted: list[int] = []
    for person in people:
        known = {(point.kind, point.value_index) for point in person.points}
        primaries = {point.kind: point.id for point in person.points if point.is_primary}
        wanted = _wanted_primaries(person)
        for contact, key in zip(person.row.contacts, person.keys.contacts, strict=True):
            if key in known:
                continue
            known.add(key)
            is_primary = key in wanted and _claim(person, key, context)
            replaced = primaries.pop(contact.kind, None) if is_primary else None
            if replaced:
                demoted.append(replaced)
            point = _new_point(person, contact, key[1], is_primary=is_primary, context=context)
            new.append(point)
            person.is_changed = True
            if not person.is_new:
                context.changes.note(
                    person.customer_id, ChangeKind.CONTACT, str(point[0]), before=replaced
                )
    # The old number steps back before the new one comes in: only one a kind may be primary.
    if demoted:
        ContactPoint.objects.filter(pk__in=demoted).update(is_primary=False)
    load_rows(ContactPoint, _POINT, new)


def _wanted_primaries(person: Person) -> set[tuple[str, str]]:
    """Return the first contact of each kind that takes messages; a landline never does."""
    first: dict[str, tuple[str, str]] = {}
    for contact, key in zip(person.row.contacts, person.keys.contacts, strict=True):
        if contact.can_receive_messages:
            first.setdefault(contact.kind, key)
    return set(first.values())


def _claim(person: Person, key: tuple[str, str], context: WriteContext) -> bool:
    """Return whether a contact can be this person's primary one: nobody else's is."""
    if context.owners.setdefault(key, person.customer_id) == person.customer_id:
        return True
    person.notes.append(Code.CONTACT_SHARED)
    return False


def _new_point(
    person: Person, contact: Contact, index: str, *, is_primary: bool, context: WriteContext
) -> tuple[Any, ...]:
    row_key = uuid4()
    sealed = context.vault.seal(ContactPoint.VALUE_COLUMN, row_key, contact.value)
    return (
        *(row_key, person.customer_id, contact.kind.value, sealed, index, is_primary),
        *(contact.is_virtual, ContactStatus.ACTIVE.value, context.source, context.now),
    )


def _write_attributes(people: Sequence[Person], context: WriteContext) -> None:
    if not context.definitions:
        return
    stored = _stored_attributes([person.customer_id for person in people if not person.is_new])
    new: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    for person in people:
        for attribute in person.row.attributes:
            definition_id = context.definitions[attribute.name].pk
            key = (person.customer_id, definition_id)
            value = _typed(attribute.value_type, attribute.text)
            if not person.is_new:
                if stored.get(key) == value:
                    continue
                person.is_changed = True
                context.changes.note(
                    person.customer_id,
                    ChangeKind.ATTRIBUTE,
                    attribute.name,
                    before=plain_text(stored.get(key)),
                    after=plain_text(value) or "",
                )
            values = _COLUMN_VALUES[attribute.value_type](value)
            row = (*key, *values, context.source, context.now)
            (changed if key in stored else new).append(row)
    load_rows(AttributeValue, _ATTRIBUTE, new)
    AttributeValue.objects.bulk_create(
        [AttributeValue(**dict(zip(_ATTRIBUTE_IDS, row, strict=True))) for row in changed],
        update_conflicts=True,
        unique_fields=["customer", "definition"],
        update_fields=[*_VALUES, "source", "updated_at"],
    )


def _stored_attributes(customer_ids: Sequence[int]) -> dict[tuple[int, int], Any]:
    rows = AttributeValue.objects.filter(customer_id__in=customer_ids).values_list(
        "customer_id", "definition_id", "number", "text", "day", "flag"
    )
    return {
        (customer_id, definition_id): next((value for value in values if value is not None), None)
        for customer_id, definition_id, *values in rows
    }


@lru_cache(20_000)
def _typed(value_type: ValueType, text: str) -> Decimal | str | date | bool:
    match value_type:
        case ValueType.NUMBER:
            return Decimal(text).quantize(Decimal("0.000001"))
        case ValueType.DAY:
            return date.fromisoformat(text)
        case ValueType.FLAG:
            return text == "1"
        case ValueType.TEXT:
            return text


def _write_consents(people: Sequence[Person], context: WriteContext) -> None:
    stored = _stored_consents([person.customer_id for person in people if not person.is_new])
    records, new_states, withdrawn = [], [], []
    for person in people:
        for word in person.row.consents:
            key = (person.customer_id, word.channel, word.purpose)
            granted = stored.get(key)
            if granted == word.is_granted:
                continue
            if granted is False:
                person.notes.append(Code.CONSENT_CONFLICT)
                continue
            person.is_changed = True
            if not person.is_new:
                context.changes.note(
                    person.customer_id,
                    ChangeKind.CONSENT,
                    f"{word.channel}.{word.purpose}",
                    before=granted,
                    after="1" if word.is_granted else "0",
                )
            evidence = f"{context.evidence}:{person.row.line}"
            times = (context.now, context.now)
            records.append((*key, word.is_granted, "", context.source, evidence, *times))
            if granted is None:
                new_states.append((*key, word.is_granted, context.now))
            else:
                withdrawn.append(key)
    load_rows(ConsentRecord, _RECORD, records)
    load_rows(ConsentState, _STATE, new_states)
    ConsentState.objects.bulk_create(
        [
            ConsentState(
                customer_id=customer_id,
                channel=channel,
                purpose=purpose,
                is_granted=False,
                changed_at=context.now,
            )
            for customer_id, channel, purpose in withdrawn
        ],
        update_conflicts=True,
        unique_fields=["customer", "channel", "purpose"],
        update_fields=["is_granted", "changed_at", "expires_at"],
    )


def _stored_consents(customer_ids: Sequence[int]) -> dict[tuple[int, str, str], bool]:
    rows = ConsentState.objects.filter(customer_id__in=customer_ids).values_list(
        "customer_id", "channel", "purpose", "is_granted"
    )
    return {(customer_id, channel, purpose): ok for customer_id, channel, purpose, ok in rows}
