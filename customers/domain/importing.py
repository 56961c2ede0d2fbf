"""One row of a file to one checked person: what could be read, and what was wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache, partial
from typing import Final

from customers.domain.consent import Purpose
from customers.domain.consent_proof import proven
from customers.domain.contact import ContactKind
from customers.domain.dates import check_birth_date, parse_birth_number, parse_date
from customers.domain.emails import parse_email
from customers.domain.mapping import (
    TEXT_FIELDS,
    Blank,
    FileMapping,
    Others,
    Target,
    TargetKind,
    Transform,
    ValueType,
)
from customers.domain.names import parse_name
from customers.domain.national_id import PROVINCES, NationalId, parse_national_id
from customers.domain.person_row import AttributeText, ConsentWord, Contact, PersonRow
from customers.domain.quality import Code, Finding, Scorecard, ValueRefused
from customers.domain.tabular import TabularRow
from customers.domain.words import clean, parse_amount, parse_flag, parse_gender, parse_number
from loancrm.kernel.phones import PhoneKind, PhoneRefused, parse_phone

_MAX_TEXT_CHARS: Final = 200
_MAX_EXTERNAL_ID_CHARS: Final = 100
# Most columns hold few different texts; remembering them costs less than reading them again.
_MEMORY: Final = 20_000
_PROVINCE_NAMES: Final = tuple(sorted(set(PROVINCES.values()), key=len, reverse=True))
_CITY_SUFFIXES: Final = ("市", "地区", "盟")


@dataclass(slots=True)
class _Draft:
    """A row while it is read."""

    name: str = ""
    national_id: NationalId | None = None
    birth_date: date | None = None
    gender: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    contacts: list[Contact] = field(default_factory=list)
    consents: list[ConsentWord] = field(default_factory=list)
    attributes: list[AttributeText] = field(default_factory=list)


_Take = Callable[[_Draft, str], None]


@dataclass(frozen=True, slots=True)
class _Cell:
    column: str
    take: _Take
    missing: Code | None
    blank: Callable[[str], bool]


class RowReader:
    """Reads rows by one mapping and keeps the quality figures of the file.

    Args:
        mapping: The mapping; its columns are prepared once.
        today: Day of the import in the company's zone; later births are refused.
        purposes: What the source's data may be used for; a row that grants more is rejected.
    """

    def __init__(
        self, mapping: FileMapping, *, today: date, purposes: Collection[str] = tuple(Purpose)
    ) -> None:
        """Prepare one reader a column."""
        self.scorecard = Scorecard()
        self._today = today
        self._fresh_column, self._fresh_days = mapping.fresh_column, mapping.fresh_days
        self._id_column = mapping.id_column
        self._proof = mapping.proof
        self._constants = dict(mapping.constants)
        self._cells = tuple(
            _Cell(
                item.column,
                _taker(target, today, purposes),
                _missing_code(target),
                _blank_test(target),
            )
            for item in mapping.columns
            for target in item.targets
        )
        self._erasers = tuple(
            (item.column, target.path.removeprefix("customer."))
            for item in mapping.columns
            for target in item.targets
            if target.blank is Blank.ERASE
        )

    def read(self, row: TabularRow) -> tuple[PersonRow, tuple[Finding, ...]]:
        """Return the person and everything that was noticed; a finding may reject the row.

        A field that is wrong is left out with a finding. Fields that contradict a valid identity
        number follow the number.
        """
        if row.surplus:
            return PersonRow(row.line), (Finding(Code.CELLS_MISALIGNED),)
        draft = _Draft(texts=dict(self._constants))
        findings: list[Finding] = []
        for cell in self._cells:
            text = row.values.get(cell.column, "")
            refused = self._take(cell, draft, text)
            if refused is not None:
                findings.append(Finding(refused, cell.column))
        findings += self._prove_consents(row, draft)
        external_id = clean(row.values.get(self._id_column, "")) if self._id_column else ""
        if len(external_id) > _MAX_EXTERNAL_ID_CHARS:
            findings.append(Finding(Code.TEXT_TOO_LONG, self._id_column))
            external_id = ""
        conflicts = _settle_by_national_id(draft)
        findings += [Finding(code) for code in conflicts]
        self.scorecard.consistency.count(good=not conflicts)
        if self._fresh_column:
            self._count_age(row.values.get(self._fresh_column, ""))
        person = _person(row.line, external_id, draft)
        if self._erasers:
            refused_columns = {finding.column for finding in findings}
            erased = self._erased(row, person, refused_columns)
            person = replace(person, erased=erased)
        if not person.is_identified:
            findings.append(Finding(Code.IDENTITY_MISSING))
        return person, tuple(findings)

    def _prove_consents(self, row: TabularRow, draft: _Draft) -> list[Finding]:
        if self._proof is None or not draft.consents:
            return []
        words = proven(draft.consents, row.values, proof=self._proof, today=self._today)
        is_whole = len(words) == len(draft.consents)
        draft.consents = list(words)
        return [] if is_whole else [Finding(Code.CONSENT_UNPROVEN, self._proof.time_column)]

    def _erased(
        self, row: TabularRow, person: PersonRow, refused_columns: set[str]
    ) -> tuple[str, ...]:
        """Return what blank cells erase; a cell that could not be read erases nothing."""
        return tuple(
            name
            for column, name in self._erasers
            if column in row.values and column not in refused_columns and not person.says(name)
        )

    def _count_age(self, text: str) -> None:
        try:
            day = parse_date(text)
        except ValueRefused:
            return
        self.scorecard.timeliness.count(good=(self._today - day).days <= self._fresh_days)

    def _take(self, cell: _Cell, draft: _Draft, text: str) -> Code | None:
        if cell.blank(text):
            self.scorecard.count_cell(cell.column, is_filled=False, is_valid=False)
            return cell.missing
        try:
            cell.take(draft, text)
        except ValueRefused as refused:
            self.scorecard.count_cell(cell.column, is_filled=True, is_valid=False)
            return refused.code
        except PhoneRefused as refused:
            self.scorecard.count_cell(cell.column, is_filled=True, is_valid=False)
            return Code(refused.code)
        self.scorecard.count_cell(cell.column, is_filled=True, is_valid=True)
        return None


def _person(line: int, external_id: str, draft: _Draft) -> PersonRow:
    return PersonRow(
        line=line,
        external_id=external_id,
        name=draft.name,
        national_id=draft.national_id.number if draft.national_id else "",
        birth_date=draft.birth_date,
        gender=draft.gender,
        texts=draft.texts,
        contacts=tuple(dict.fromkeys(draft.contacts)),
        consents=tuple(draft.consents),
        attributes=tuple(draft.attributes),
    )


def _settle_by_national_id(draft: _Draft) -> list[Code]:
    known = draft.national_id
    if known is None:
        return []
    conflicts = []
    if draft.birth_date is not None and draft.birth_date != known.birth_date:
        conflicts.append(Code.BIRTH_CONFLICT)
    if draft.gender and draft.gender != known.gender:
        conflicts.append(Code.GENDER_CONFLICT)
    # The number carries a check digit, the typed cells carry none.
    draft.birth_date, draft.gender = known.birth_date, known.gender
    return conflicts


def _missing_code(target: Target) -> Code | None:
    if not target.expected:
        return None
    return Code.NAME_MISSING if target.name == "name" else Code.VALUE_MISSING


def _blank_test(target: Target) -> Callable[[str], bool]:
    match target.kind, target.name:
        case (TargetKind.CONTACT, _) | (TargetKind.CUSTOMER, "national_id"):
            # A word such as 无 in a phone column is an answer to check, not an empty cell.
            return _is_empty
        case TargetKind.CUSTOMER, "name":
            return _is_blank_name
        case _:
            return _is_blank


def _is_empty(text: str) -> bool:
    return not text.strip()


@lru_cache(_MEMORY)
def _is_blank(text: str) -> bool:
    return not clean(text)


def _is_blank_name(text: str) -> bool:
    try:
        return not parse_name(text)
    except ValueRefused:
        return False


def _taker(target: Target, today: date, purposes: Collection[str]) -> _Take:
    match target.kind:
        case TargetKind.CONTACT:
            return partial(_take_contact, target)
        case TargetKind.CONSENT:
            read = _remembered(partial(_flag, target))
            return partial(_take_consent, target, read, target.purpose in purposes)
        case TargetKind.ATTRIBUTE:
            return partial(_take_attribute, target, _remembered(partial(_attribute_text, target)))
        case TargetKind.CUSTOMER:
            return _customer_taker(target, today)


def _customer_taker(target: Target, today: date) -> _Take:
    match target.name:
        case "name":
            return _take_name
        case "national_id":
            return partial(_take_national_id, today)
        case "birth_date":
            return partial(_take_birth_date, lru_cache(_MEMORY)(partial(_birth, target, today)))
        case "gender":
            return partial(_take_gender, _remembered(partial(_gender, target)))
        case _:
            return partial(_take_text, target.name, _remembered(partial(_customer_text, target)))


def _remembered(read: Callable[[str], str]) -> Callable[[str], str]:
    return lru_cache(_MEMORY)(read)


def _take_name(draft: _Draft, text: str) -> None:
    draft.name = parse_name(text)


def _take_national_id(today: date, draft: _Draft, text: str) -> None:
    draft.national_id = parse_national_id(text, today=today)


def _take_birth_date(read: Callable[[str], date], draft: _Draft, text: str) -> None:
    draft.birth_date = read(text)


def _take_gender(read: Callable[[str], str], draft: _Draft, text: str) -> None:
    draft.gender = read(text)


def _take_text(name: str, read: Callable[[str], str], draft: _Draft, text: str) -> None:
    if value := read(text):
        draft.texts[name] = value


def _take_contact(target: Target, draft: _Draft, text: str) -> None:
    if target.name == ContactKind.EMAIL:
        draft.contacts.append(Contact(ContactKind.EMAIL, parse_email(text)))
        return
    number = parse_phone(text, region=target.region)
    draft.contacts.append(
        Contact(
            ContactKind.PHONE,
            number.e164,
            can_receive_messages=number.kind is PhoneKind.MOBILE,
            is_virtual=number.is_virtual,
        )
    )


def _take_consent(
    target: Target,
    read: Callable[[str], str],
    may_grant: bool,  # noqa: FBT001 - bound by partial
    draft: _Draft,
    text: str,
) -> None:
    if word := read(text):
        if word == "1" and not may_grant:
            raise ValueRefused(Code.PURPOSE_REFUSED)
        draft.consents.append(ConsentWord(target.name, target.purpose, word == "1"))


def _take_attribute(target: Target, read: Callable[[str], str], draft: _Draft, text: str) -> None:
    if value := read(text):
        draft.attributes.append(AttributeText(target.name, target.value_type, value))


def _birth(target: Target, today: date, text: str) -> date:
    if target.transform is Transform.BIRTH_NUMBER_DATE:
        return check_birth_date(parse_birth_number(text)[0], today=today)
    return check_birth_date(parse_date(text, order=target.order), today=today)


def _gender(target: Target, text: str) -> str:
    if target.transform is Transform.BIRTH_NUMBER_GENDER:
        return parse_birth_number(text)[1]
    return parse_gender(_word(target, text))


def _flag(target: Target, text: str) -> str:
    word = _word(target, text)
    return ("1" if parse_flag(word) else "0") if word else ""


def _customer_text(target: Target, text: str) -> str:
    value = _word(target, text)
    if len(value) > TEXT_FIELDS[target.name]:
        raise ValueRefused(Code.TEXT_TOO_LONG)
    return value


def _attribute_text(target: Target, text: str) -> str:
    word = _word(target, text)
    if not word:
        return ""
    match target.value_type:
        case ValueType.NUMBER:
            read = parse_amount if target.transform is Transform.AMOUNT else parse_number
            return format(read(word).normalize(), "f")
        case ValueType.DAY:
            return parse_date(word, order=target.order).isoformat()
        case ValueType.FLAG:
            return "1" if parse_flag(word) else "0"
        case ValueType.TEXT:
            if len(word) > _MAX_TEXT_CHARS:
                raise ValueRefused(Code.TEXT_TOO_LONG)
            return word


def _word(target: Target, text: str) -> str:
    word = clean(text)
    if target.dictionary:
        listed = target.dictionary.get(word.casefold())
        if listed is not None:
            return listed
        if target.others is Others.REPORT:
            raise ValueRefused(Code.CATEGORY_UNKNOWN)
    match target.transform:
        case Transform.LOWER:
            return word.lower()
        case Transform.UPPER:
            return word.upper()
        case Transform.REGION_SHORT:
            return _short_region(word)
        case _:
            return word


def _short_region(word: str) -> str:
    for name in _PROVINCE_NAMES:
        if word.startswith(name) and word != name and word[len(name)] in "省市自维壮回特":
            return name
    for suffix in _CITY_SUFFIXES:
        if len(word) > len(suffix) + 1 and word.endswith(suffix):
            return word.removesuffix(suffix)
    return word
