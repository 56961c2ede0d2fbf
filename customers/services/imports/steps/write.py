"""Third pass, writing: bring customers to what a file says, in a fixed number of statements.

A blank erases only where the mapping says so, a consent is never widened, and what is already so is
not written again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from uuid import uuid4

from customers.domain.events.lifecycle import LifecycleStage
from customers.domain.imports.mapping import TEXT_FIELDS
from customers.domain.imports.states import ImportChangeKind
from customers.domain.values.attribute import AttributeType
from customers.domain.values.person import Gender, MarketingStatus
from customers.domain.values.quality import Code
from customers.models import AttributeValue, Customer
from customers.services.consents import ledger
from customers.services.consents.ledger import ConsentChange
from customers.services.imports.steps.changes import envelope, plain_text
from customers.services.imports.steps.contacts import write_contacts
from customers.services.imports.steps.person import ImportedPerson, WriteContext
from customers.services.imports.steps.trust import Trust, said_by_default
from loancrm.kernel.database import bulk
from loancrm.kernel.database.bulk_load import load_rows
from loancrm.kernel.security.crypto import Vault

_PLAIN: Final = (*TEXT_FIELDS, "birth_date", "gender", "updated_at")
_CUSTOMER: Final = (
    *("id", "public_id", "external_id", "name_sealed", "name_index"),
    *("national_id_sealed", "national_id_index", "birth_date", "gender", *TEXT_FIELDS),
    *("lifecycle_stage", "marketing_status", "personalisation_allowed"),
    *("source", "field_sources", "created_at", "updated_at"),
)
_BLANK: Final = Customer()
_DEFAULT_TEXTS: Final = {name: getattr(_BLANK, name) for name in TEXT_FIELDS}
_NAME: Final = ("name_sealed", "name_index")
_NATIONAL_ID: Final = ("national_id_sealed", "national_id_index")
_BLANKS: Final[Mapping[str, Any]] = {"birth_date": None, "gender": Gender.UNKNOWN.value}
_VALUES: Final = ("number", "text", "day", "flag")
# A value stands in the column of its type, in the order of `_VALUES`.
_COLUMN_VALUES: Final[Mapping[AttributeType, Callable[[Any], tuple[Any, ...]]]] = {
    AttributeType.NUMBER: lambda value: (value, None, None, None),
    AttributeType.TEXT: lambda value: (None, value, None, None),
    AttributeType.DAY: lambda value: (None, None, value, None),
    AttributeType.FLAG: lambda value: (None, None, None, value),
}
_ATTRIBUTE: Final = ("customer", "definition", *_VALUES, "source", "updated_at")
_ATTRIBUTE_IDS: Final = ("customer_id", "definition_id", *_VALUES, "source", "updated_at")


def write_people(people: Sequence[ImportedPerson], context: WriteContext) -> None:
    """Create and update customers with their contacts, attributes and consents."""
    _write_customers(people, context)
    write_contacts(people, context)
    _write_attributes(people, context)
    _write_consents(people, context)
    changed = [
        (person.customer_id, context.now)
        for person in people
        if person.is_changed and not person.is_new
    ]
    bulk.update_rows(Customer, key="id", columns=["updated_at"], rows=changed)
    context.trust.save()
    context.changes.save()


def _write_customers(people: Sequence[ImportedPerson], context: WriteContext) -> None:
    new, plain, names, national_ids = [], [], [], []
    for person in people:
        customer = person.customer
        if customer is None:
            person.is_new = person.is_changed = True
            new.append(person)
            continue
        if _take_plain(person, customer, context):
            person.is_changed = True
            plain.append((customer.pk, *(getattr(customer, name) for name in _PLAIN)))
        if _brings_name(person, customer, context):
            person.is_changed = True
            before = {
                "sealed": envelope(customer.name_sealed),
                "index": customer.name_index,
                "source": customer.field_sources.get("name"),
            }
            context.changes.note(
                customer.pk, ImportChangeKind.NAME, "name", before=before, after=person.keys.name
            )
            _seal_name(customer, person, context.vault)
            context.trust.claim(customer, "name")
            names.append((customer.pk, *(getattr(customer, name) for name in _NAME)))
        if _brings_national_id(person, customer, context):
            person.is_changed = True
            index = person.keys.national_id
            context.changes.note(
                customer.pk, ImportChangeKind.NATIONAL_ID, "national_id", before=None, after=index
            )
            _seal_national_id(customer, person, context.vault)
            national_ids.append((customer.pk, *(getattr(customer, name) for name in _NATIONAL_ID)))
    _insert_customers(new, context)
    bulk.update_rows(Customer, key="id", columns=_PLAIN, rows=plain)
    bulk.update_rows(Customer, key="id", columns=_NAME, rows=names)
    bulk.update_rows(Customer, key="id", columns=_NATIONAL_ID, rows=national_ids)


def _insert_customers(new: Sequence[ImportedPerson], context: WriteContext) -> None:
    if not new:
        return
    for person, customer_id in zip(new, bulk.new_ids(Customer, len(new)), strict=True):
        person.customer_id = customer_id
    load_rows(Customer, _CUSTOMER, (_new_customer(person, context) for person in new))


def _brings_name(person: ImportedPerson, customer: Customer, context: WriteContext) -> bool:
    if not person.keys.name:
        return False
    if person.keys.name == customer.name_index:
        return context.trust.confirms(customer, "name")
    return person.is_trusted(context.trust.may_change(customer, "name"))


def _brings_national_id(person: ImportedPerson, customer: Customer, context: WriteContext) -> bool:
    index = person.keys.national_id
    if not index or customer.national_id_index:
        return False
    if context.national_id_owners.get(index, customer.pk) != customer.pk:
        person.notes.append(Code.ID_TAKEN)
        return False
    return True


def _new_customer(person: ImportedPerson, context: WriteContext) -> tuple[Any, ...]:
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
        *(context.source, said_by_default(row.texts, context.source), context.now, context.now),
    )


def _seal_name(customer: Customer, person: ImportedPerson, vault: Vault) -> None:
    column, key = Customer.NAME_COLUMN, customer.public_id
    customer.name_sealed = vault.seal(column, key, person.row.name)
    customer.name_index = person.keys.name


def _seal_national_id(customer: Customer, person: ImportedPerson, vault: Vault) -> None:
    column, key = Customer.NATIONAL_ID_COLUMN, customer.public_id
    customer.national_id_sealed = vault.seal(column, key, person.row.national_id)
    customer.national_id_index = person.keys.national_id


def _take_plain(person: ImportedPerson, customer: Customer, context: WriteContext) -> bool:
    row, trust = person.row, context.trust
    wanted: dict[str, Any] = {name: text for name, text in row.texts.items() if text}
    if row.birth_date is not None:
        wanted["birth_date"] = row.birth_date
    if row.gender:
        wanted["gender"] = row.gender
    wanted |= {name: _BLANKS.get(name, "") for name in row.erased if "." not in name}
    is_changed = False
    for name, value in wanted.items():
        if getattr(customer, name) == value:
            if not trust.confirms(customer, name):
                continue
        elif not person.is_trusted(trust.may_change(customer, name)):
            continue
        else:
            is_changed = True
        before = {
            "value": plain_text(getattr(customer, name)),
            "source": customer.field_sources.get(name),
        }
        after = plain_text(value) or ""
        context.changes.note(customer.pk, ImportChangeKind.FIELD, name, before=before, after=after)
        setattr(customer, name, value)
        trust.claim(customer, name)
    return is_changed


def _write_attributes(people: Sequence[ImportedPerson], context: WriteContext) -> None:
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
                before, said_by = stored.get(key, (None, ""))
                if not _is_taken(person, attribute.name, value, stored.get(key), context.trust):
                    continue
                person.is_changed |= before != value
                context.changes.note(
                    person.customer_id,
                    ImportChangeKind.ATTRIBUTE,
                    attribute.name,
                    before={"value": plain_text(before), "source": said_by},
                    after=plain_text(value) or "",
                )
            values = _COLUMN_VALUES[attribute.value_type](value)
            row = (*key, *values, context.source, context.now)
            (changed if key in stored else new).append(row)
        if person.row.erased:
            _erase_attributes(person, stored, context)
    _delete_attributes(context.erased)
    load_rows(AttributeValue, _ATTRIBUTE, new)
    AttributeValue.objects.bulk_create(
        [AttributeValue(**dict(zip(_ATTRIBUTE_IDS, row, strict=True))) for row in changed],
        update_conflicts=True,
        unique_fields=["customer", "definition"],
        update_fields=[*_VALUES, "source", "updated_at"],
    )


def _is_taken(
    person: ImportedPerson,
    name: str,
    value: object,
    stored: tuple[object, str] | None,
    trust: Trust,
) -> bool:
    """Return whether a value is to be written over a stored one, or as the first one."""
    if stored is None:
        return True
    before, said_by = stored
    rule = f"attribute.{name}"
    if before == value:
        return trust.is_better(rule, said_by)
    return person.is_trusted(trust.may_replace(rule, said_by))


def _erase_attributes(
    person: ImportedPerson, stored: Mapping[tuple[int, int], tuple[Any, str]], context: WriteContext
) -> None:
    """Remove the values that a blank cell erases; a page of them goes in one statement later."""
    for name in person.row.erased:
        definition = context.definitions.get(name.removeprefix("attribute."))
        key = (person.customer_id, int(definition.pk)) if definition and "." in name else None
        if key is None or key not in stored:
            continue
        value, said_by = stored[key]
        if not person.is_trusted(context.trust.may_replace(name, said_by)):
            continue
        person.is_changed = True
        before = {"value": plain_text(value), "source": said_by}
        context.changes.note(
            key[0], ImportChangeKind.ATTRIBUTE, name.removeprefix("attribute."), before=before
        )
        context.erased.append(key)


def _stored_attributes(customer_ids: Sequence[int]) -> dict[tuple[int, int], tuple[Any, str]]:
    """Return (value, its source) by customer and definition."""
    rows = AttributeValue.objects.filter(customer_id__in=customer_ids).values_list(
        "customer_id", "definition_id", "source", "number", "text", "day", "flag"
    )
    return {
        (customer_id, definition_id): (
            next((value for value in values if value is not None), None),
            source,
        )
        for customer_id, definition_id, source, *values in rows
    }


def _delete_attributes(keys: Collection[tuple[int, int]]) -> None:
    """Delete values by customer and definition."""
    by_definition: dict[int, list[int]] = {}
    for customer_id, definition_id in keys:
        by_definition.setdefault(definition_id, []).append(customer_id)
    for definition_id, ids in by_definition.items():
        rows = AttributeValue.objects.filter(definition_id=definition_id, customer_id__in=ids)
        rows.delete()


@lru_cache(20_000)
def _typed(value_type: AttributeType, text: str) -> Decimal | str | date | bool:
    match value_type:
        case AttributeType.NUMBER:
            return Decimal(text).quantize(Decimal("0.000001"))
        case AttributeType.DAY:
            return date.fromisoformat(text)
        case AttributeType.FLAG:
            return text == "1"
        case AttributeType.TEXT:
            return text


def _write_consents(people: Sequence[ImportedPerson], context: WriteContext) -> None:
    by_id = {person.customer_id: person for person in people}
    changes = [
        ConsentChange(
            person.customer_id,
            word.channel,
            word.purpose,
            word.is_granted,
            context.source,
            f"{context.evidence}:{person.row.line}",
            policy_version=word.text_version,
            at=word.at,
            is_doubtful=word.is_doubtful,
        )
        for person in people
        for word in person.row.consents
    ]
    if not changes:
        return
    new_ids = {person.customer_id for person in people if person.is_new}
    heard = ledger.apply_reported_consents(changes=changes, new_ids=new_ids, now=context.now)
    for change in heard.conflicts:
        by_id[change.customer_id].notes.append(Code.CONSENT_CONFLICT)
    for change, before in heard.written:
        person = by_id[change.customer_id]
        person.is_changed = True
        if not person.is_new:
            context.changes.note(
                change.customer_id,
                ImportChangeKind.CONSENT,
                f"{change.channel}.{change.purpose}",
                before=before,
                after="1" if change.is_granted else "0",
            )
