"""The cells of one row: how each is read, and where what it says goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from functools import lru_cache, partial
from typing import Any, Final

from customers.domain.imports.mapping import (
    TEXT_FIELDS,
    ColumnTarget,
    Others,
    TargetKind,
    Transform,
)
from customers.domain.imports.person_row import AttributeText, ConsentWord, RowContact
from customers.domain.values.attribute import AttributeType
from customers.domain.values.contact import ContactKind
from customers.domain.values.dates import check_birth_date, parse_birth_number, parse_date
from customers.domain.values.emails import parse_email
from customers.domain.values.names import parse_name
from customers.domain.values.national_id import NationalId, parse_national_id
from customers.domain.values.quality import Code, ValueRefused
from customers.domain.values.regions import Level, name_at, short_name
from customers.domain.values.words import (
    clean,
    one_line,
    parse_amount,
    parse_flag,
    parse_gender,
    parse_number,
)
from loancrm.kernel.phones import parse_phone

_MAX_TEXT_CHARS: Final = 200
# Most columns hold few different texts; remembering them costs less than reading them again.
_MEMORY: Final = 20_000
# What somebody earns, is old or has children is never below nothing; a balance may be.
_NEVER_NEGATIVE: Final = re.compile(r"income|salary|wage|(?:^|_)age(?:$|_)|children|dependents")


class ConsentUnclear(ValueRefused):
    """A word about a consent cannot be read.

    Attributes:
        word: What follows from it: whoever may have said no is not written to.
    """

    def __init__(self, code: Code, target: ColumnTarget) -> None:
        """Keep what the consent is for."""
        super().__init__(code)
        self.word = ConsentWord(target.name, target.purpose, is_granted=False, is_doubtful=True)


@dataclass(slots=True)
class RowDraft:
    """A row while it is read."""

    name: str = ""
    national_id: NationalId | None = None
    birth_date: date | None = None
    gender: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    contacts: list[RowContact] = field(default_factory=list)
    consents: list[ConsentWord] = field(default_factory=list)
    attributes: list[AttributeText] = field(default_factory=list)


Take = Callable[[RowDraft, Any], None]


def cell_of(
    target: ColumnTarget, today: date, zone: tzinfo, purposes: Collection[str]
) -> tuple[Callable[[str], Any], Take]:
    """Return how a target's cells are read and where what they say goes."""
    match target.kind:
        case TargetKind.CONTACT:
            is_email = target.name == ContactKind.EMAIL
            return (_email if is_email else partial(_phone, target.region)), _take_contact
        case TargetKind.CONSENT:
            may_grant = target.purpose in purposes
            read = partial(_consent, target, may_grant)
            return _remembered(read, spoken=one_line), _take_consent
        case TargetKind.ATTRIBUTE:
            return _remembered(partial(_attribute, target, zone)), _take_attribute
        case TargetKind.CUSTOMER:
            return _customer_cell(target, today, zone)


def _customer_cell(
    target: ColumnTarget, today: date, zone: tzinfo
) -> tuple[Callable[[str], Any], Take]:
    match target.name:
        case "name":
            return _name, _take_name
        case "national_id":
            return partial(_national_id, today), _take_national_id
        case "birth_date":
            return _remembered(partial(_birth, target, today, zone)), _take_birth_date
        case "gender":
            return _remembered(partial(_gender, target)), _take_gender
        case _:
            return _remembered(partial(_customer_text, target)), partial(_take_text, target.name)


def _remembered(
    read: Callable[[str], Any], *, spoken: Callable[[str], str] = clean
) -> Callable[[str], Any]:
    """Return a reader that takes blank cells for None and reads a text it knows only once.

    Args:
        read: Reads a cell that says something.
        spoken: Returns what a cell says; nothing for a blank one.
    """

    @lru_cache(_MEMORY)
    def remembered(text: str) -> Any:
        return read(text) if spoken(text) else None

    return remembered


def _name(text: str) -> str | None:
    return parse_name(text) or None


# A word such as 无 in a column of phones or numbers is an answer to check, not an empty cell.
def _national_id(today: date, text: str) -> NationalId | None:
    return parse_national_id(text, today=today) if text and not text.isspace() else None


def _email(text: str) -> RowContact | None:
    if not text or text.isspace():
        return None
    return RowContact(ContactKind.EMAIL, parse_email(text))


def _phone(region: str, text: str) -> RowContact | None:
    if not text or text.isspace():
        return None
    number = parse_phone(text, region=region)
    return RowContact(
        ContactKind.PHONE,
        number.e164,
        can_receive_messages=number.can_receive_sms,
        is_virtual=number.is_virtual,
    )


def _consent(
    target: ColumnTarget,
    may_grant: bool,  # noqa: FBT001 - bound by partial
    text: str,
) -> ConsentWord | str:
    try:
        # A placeholder such as `none` or `-` may be how a source writes a no: it is no blank here.
        word = _said(target, one_line(text))
        if not word:
            return ""
        is_granted = parse_flag(word)
    except ValueRefused as refused:
        raise ConsentUnclear(refused.code, target) from refused
    if is_granted and not may_grant:
        raise ValueRefused(Code.PURPOSE_REFUSED)
    return ConsentWord(target.name, target.purpose, is_granted)


def _attribute(target: ColumnTarget, zone: tzinfo, text: str) -> AttributeText | str:
    value = _attribute_text(target, zone, text)
    return AttributeText(target.name, target.value_type, value) if value else ""


def _take_name(draft: RowDraft, name: str) -> None:
    draft.name = name


def _take_national_id(draft: RowDraft, national_id: NationalId) -> None:
    draft.national_id = national_id


def _take_birth_date(draft: RowDraft, day: date) -> None:
    draft.birth_date = day


def _take_gender(draft: RowDraft, gender: str) -> None:
    draft.gender = gender


def _take_text(name: str, draft: RowDraft, text: str) -> None:
    draft.texts[name] = text


def _take_contact(draft: RowDraft, contact: RowContact) -> None:
    draft.contacts.append(contact)


def _take_consent(draft: RowDraft, word: ConsentWord) -> None:
    draft.consents.append(word)


def _take_attribute(draft: RowDraft, attribute: AttributeText) -> None:
    draft.attributes.append(attribute)


def _birth(target: ColumnTarget, today: date, zone: tzinfo, text: str) -> date:
    if target.transform is Transform.BIRTH_NUMBER_DATE:
        return check_birth_date(parse_birth_number(text)[0], today=today)
    return check_birth_date(parse_date(text, zone=zone, order=target.order), today=today)


def _gender(target: ColumnTarget, text: str) -> str:
    if target.transform is Transform.BIRTH_NUMBER_GENDER:
        return parse_birth_number(text)[1]
    return parse_gender(_word(target, text))


def _customer_text(target: ColumnTarget, text: str) -> str:
    value = _word(target, text)
    if len(value) > TEXT_FIELDS[target.name]:
        raise ValueRefused(Code.TEXT_TOO_LONG)
    return value


def _attribute_text(target: ColumnTarget, zone: tzinfo, text: str) -> str:
    word = _word(target, text)
    if not word:
        return ""
    match target.value_type:
        case AttributeType.NUMBER:
            read = parse_amount if target.transform is Transform.AMOUNT else parse_number
            number = read(word)
            if number < 0 and _NEVER_NEGATIVE.search(target.name):
                raise ValueRefused(Code.AMOUNT_NEGATIVE)
            return format(number.normalize(), "f")
        case AttributeType.DAY:
            return parse_date(word, zone=zone, order=target.order).isoformat()
        case AttributeType.FLAG:
            return "1" if parse_flag(word) else "0"
        case AttributeType.TEXT:
            if len(word) > _MAX_TEXT_CHARS:
                raise ValueRefused(Code.TEXT_TOO_LONG)
            return word


def _word(target: ColumnTarget, text: str) -> str:
    return _said(target, clean(text))


def _said(target: ColumnTarget, word: str) -> str:
    """Return what a word means by the target's own dictionary and change."""
    if target.dictionary:
        listed = target.dictionary.get(word.casefold())
        if listed is not None:
            return listed
        if target.others is Others.REPORT:
            raise ValueRefused(Code.CATEGORY_UNKNOWN)
    change = _CHANGES.get(target.transform)
    return change(word) if change else word


_CHANGES: Final[Mapping[Transform, Callable[[str], str]]] = {
    Transform.LOWER: str.lower,
    Transform.UPPER: str.upper,
    Transform.REGION_SHORT: short_name,
    Transform.REGION_PROVINCE: partial(name_at, level=Level.PROVINCE),
    Transform.REGION_CITY: partial(name_at, level=Level.CITY),
    Transform.REGION_DISTRICT: partial(name_at, level=Level.DISTRICT),
}
