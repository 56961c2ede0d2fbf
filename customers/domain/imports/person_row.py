"""What a file says about one person, in normal form, and how several rows become one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from msgspec import Struct, field
from msgspec.structs import replace

from customers.domain.values.attribute import AttributeType
from customers.domain.values.contact import ContactKind


class RowContact(Struct, frozen=True, gc=False):
    """A phone number (E.164) or e-mail address of a person."""

    kind: ContactKind
    value: str
    can_receive_messages: bool = True
    is_virtual: bool = False

    def __repr__(self) -> str:
        """Show no personal data."""
        return f"Contact({self.kind})"


class ConsentWord(Struct, frozen=True, array_like=True, gc=False):
    """What a file says about one consent, with the text's version and the time if it says them.

    `is_doubtful` marks a word that cannot be read: it ends a consent, and begins none.
    """

    channel: str
    purpose: str
    is_granted: bool
    text_version: str = ""
    at: datetime | None = None
    is_doubtful: bool = False


class AttributeText(Struct, frozen=True, array_like=True, gc=False):
    """An attribute's value in its canonical text: plain decimal, ISO date, `1` or `0`, or text."""

    name: str
    value_type: AttributeType
    text: str


class PersonRow(Struct, frozen=True):
    """What one row says about one person, in normal form; blanks are left out.

    `erased` names columns and `attribute.<name>` that the row leaves blank to erase them.
    """

    line: int
    external_id: str = ""
    name: str = ""
    national_id: str = ""
    birth_date: date | None = None
    gender: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    contacts: tuple[RowContact, ...] = ()
    consents: tuple[ConsentWord, ...] = ()
    attributes: tuple[AttributeText, ...] = ()
    erased: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show no personal data."""
        return f"PersonRow(line={self.line})"

    def says(self, field_name: str) -> bool:
        """Return whether the row has a value of a column or `attribute.<name>`."""
        kind, _, attribute = field_name.partition(".")
        if attribute:
            return any(item.name == attribute for item in self.attributes)
        if kind == "birth_date":
            return self.birth_date is not None
        return bool(self.gender) if kind == "gender" else bool(self.texts.get(kind))

    @property
    def is_identified(self) -> bool:
        """Return whether anything in the row can tell whose it is."""
        return bool(self.external_id or self.national_id or self.contacts)


def fold(rows: tuple[PersonRow, ...]) -> PersonRow:
    """Return what several rows of one person say together.

    The first row wins field by field, later rows fill what it leaves blank. All contacts are kept
    in order; of consents the narrowest wins: a single refusal beats every grant. A blank erases
    only what no row has a value of.
    """
    first = rows[0]
    if len(rows) == 1:
        return first
    texts: dict[str, str] = {}
    contacts: dict[tuple[str, str], RowContact] = {}
    consents: dict[tuple[str, str], ConsentWord] = {}
    attributes: dict[str, AttributeText] = {}
    for row in rows:
        for key, text in row.texts.items():
            texts.setdefault(key, text)
        for contact in row.contacts:
            contacts.setdefault((contact.kind, contact.value), contact)
        for word in row.consents:
            known = consents.setdefault((word.channel, word.purpose), word)
            if not word.is_granted and (known.is_granted or known.is_doubtful):
                consents[word.channel, word.purpose] = word
        for attribute in row.attributes:
            attributes.setdefault(attribute.name, attribute)
    erased = dict.fromkeys(name for row in rows for name in row.erased)
    return replace(
        first,
        name=next((row.name for row in rows if row.name), ""),
        national_id=next((row.national_id for row in rows if row.national_id), ""),
        birth_date=next((row.birth_date for row in rows if row.birth_date), None),
        gender=next((row.gender for row in rows if row.gender), ""),
        texts=texts,
        contacts=tuple(contacts.values()),
        consents=tuple(consents.values()),
        attributes=tuple(attributes.values()),
        erased=tuple(name for name in erased if not any(row.says(name) for row in rows)),
    )
