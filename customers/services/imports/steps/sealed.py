"""A checked row while it waits: already as it will be stored, its personal values sealed.

A new customer takes the row's key and sealed values over as they are, so that the database alone
can make thousands of them; for everybody else the row is opened again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct, field

from customers.domain.identity.match_keys import Likeness
from customers.domain.imports.person_row import AttributeText, ConsentWord, PersonRow, RowContact
from customers.domain.imports.states import RowState
from customers.domain.values.contact import ContactKind
from customers.domain.values.names import name_key
from customers.models import ContactPoint, Customer
from loancrm.kernel.database.bulk_load import JsonText
from loancrm.kernel.security.crypto import Vault

STAGED_COLUMNS: Final = (
    *("batch", "line", "leader_line", "row_key", "external_id", "content", "row_digest"),
    *("national_id_index", "phone_index", "email_index", "state", "is_alone", "customer"),
)
# Begins the digest of a row that something was wrong with: such a row is read every time.
FLAWED: Final = "!"
READ_COLUMNS: Final = (
    *("id", "line", "leader_line", "row_key", "external_id", "content", "row_digest"),
    *("national_id_index", "state"),
)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class SealedContact(Struct, frozen=True, array_like=True, gc=False):
    """A contact point to be: its own key, its sealed value and the index that finds it."""

    kind: ContactKind
    row_key: UUID
    sealed: bytes
    index: str
    can_receive_messages: bool
    is_virtual: bool


class SealedPerson(Struct, frozen=True, omit_defaults=True):
    """A person to be, personal values sealed under the row's key; the JSON of a staged row."""

    name: bytes = b""
    name_index: str = ""
    national_id: bytes = b""
    birth_date: date | None = None
    gender: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    contacts: tuple[SealedContact, ...] = ()
    consents: tuple[ConsentWord, ...] = ()
    attributes: tuple[AttributeText, ...] = ()
    erased: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """The blind indexes of a person's row; contacts in the row's order."""

    name: str
    national_id: str
    contacts: tuple[tuple[str, str], ...]

    def likeness(self, person: PersonRow) -> Likeness:
        """Return what the person is compared by."""
        return Likeness(
            national_id=self.national_id,
            name=self.name,
            birth_date=person.birth_date,
            phones=frozenset(index for kind, index in self.contacts if kind == ContactKind.PHONE),
            emails=frozenset(index for kind, index in self.contacts if kind == ContactKind.EMAIL),
        )


@dataclass(frozen=True, slots=True)
class StagedPerson:
    """An opened row: what it says, and by what its person is found."""

    row: PersonRow
    keys: PersonKeys


@dataclass(slots=True)
class StagedRow:
    """A row of the staging table while it is applied; `state` is what became of it."""

    id: int
    line: int
    leader_line: int
    row_key: UUID
    external_id: str
    content: Any
    row_digest: str
    national_id_index: str
    state: str


def keys_of(person: PersonRow, vault: Vault) -> PersonKeys:
    """Return the blind indexes of everything that identifies a person."""
    number = person.national_id
    return PersonKeys(
        name=_name_index(person, vault),
        national_id=vault.blind_index(Customer.NATIONAL_ID_COLUMN, number) if number else "",
        contacts=tuple((item.kind.value, _contact_index(item, vault)) for item in person.contacts),
    )


def staged_values(
    *, batch_id: int, person: PersonRow, digest: str, keys: Iterator[UUID], vault: Vault
) -> tuple[object, ...]:
    """Return a row of the staging table, in the order of `STAGED_COLUMNS`."""
    row_key = next(keys)
    sealed = _sealed(person, row_key, keys, vault)
    first: dict[str, str] = {}
    for contact in sealed.contacts:
        first.setdefault(contact.kind, contact.index)
    number = person.national_id
    return (
        *(batch_id, person.line, person.line, row_key),
        person.external_id or nameless_id(digest),
        JsonText(_ENCODER.encode(sealed).decode()),
        digest,
        vault.blind_index(Customer.NATIONAL_ID_COLUMN, number) if number else "",
        *(first.get(ContactKind.PHONE, ""), first.get(ContactKind.EMAIL, "")),
        # Only the first contact of a kind is compared within the file, see `match_in_file`.
        *(RowState.STAGED.value, len(first) == len(sealed.contacts), None),
    )


def nameless_id(digest: str) -> str:
    """Return the id of a row that brings none: only an equal row is the same source record."""
    return f"#{digest.removeprefix(FLAWED)}"


def open_row(row: StagedRow, vault: Vault) -> StagedPerson:
    """Return the person of a staged row."""
    sealed = msgspec.convert(row.content, SealedPerson)
    key = row.row_key
    name, number = sealed.name, sealed.national_id
    person = PersonRow(
        line=row.line,
        external_id="" if row.external_id == nameless_id(row.row_digest) else row.external_id,
        name=vault.open(Customer.NAME_COLUMN, key, name) if name else "",
        national_id=vault.open(Customer.NATIONAL_ID_COLUMN, key, number) if number else "",
        birth_date=sealed.birth_date,
        gender=sealed.gender,
        texts=sealed.texts,
        contacts=tuple(_opened(contact, vault) for contact in sealed.contacts),
        consents=sealed.consents,
        attributes=sealed.attributes,
        erased=sealed.erased,
    )
    contacts = tuple((item.kind.value, item.index) for item in sealed.contacts)
    return StagedPerson(person, PersonKeys(sealed.name_index, row.national_id_index, contacts))


def _sealed(person: PersonRow, row_key: UUID, keys: Iterator[UUID], vault: Vault) -> SealedPerson:
    name, number = person.name, person.national_id
    return SealedPerson(
        name=vault.seal(Customer.NAME_COLUMN, row_key, name) if name else b"",
        name_index=_name_index(person, vault),
        national_id=vault.seal(Customer.NATIONAL_ID_COLUMN, row_key, number) if number else b"",
        birth_date=person.birth_date,
        gender=person.gender,
        texts=person.texts,
        contacts=tuple([_sealed_contact(item, next(keys), vault) for item in person.contacts]),
        consents=person.consents,
        attributes=person.attributes,
        erased=person.erased,
    )


def _sealed_contact(contact: RowContact, row_key: UUID, vault: Vault) -> SealedContact:
    return SealedContact(
        contact.kind,
        row_key,
        vault.seal(ContactPoint.VALUE_COLUMN, row_key, contact.value),
        _contact_index(contact, vault),
        contact.can_receive_messages,
        contact.is_virtual,
    )


def _opened(sealed: SealedContact, vault: Vault) -> RowContact:
    value = vault.open(ContactPoint.VALUE_COLUMN, sealed.row_key, sealed.sealed)
    return RowContact(sealed.kind, value, sealed.can_receive_messages, sealed.is_virtual)


def _name_index(person: PersonRow, vault: Vault) -> str:
    key = name_key(person.name) if person.name else ""
    return vault.blind_index(Customer.NAME_COLUMN, key) if key else ""


def _contact_index(contact: RowContact, vault: Vault) -> str:
    return vault.blind_index(ContactPoint.VALUE_COLUMN, contact.value)
