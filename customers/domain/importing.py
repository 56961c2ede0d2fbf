"""One row of a file to one checked person: what could be read, and what was wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache, partial
from typing import Any, Final

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


_Take = Callable[[_Draft, Any], None]


@dataclass(slots=True)
class _Cell:
    """How the cells of a column are read, and how many were blank or wrong so far.

    `read` returns None for a blank cell and raises for a wrong one; what it returns goes to `take`.
    """

    column: str
    read: Callable[[str], Any]
    take: _Take
    missing: Code | None
    blank: int = 0
    wrong: int = 0


class RowReader:
    """Reads rows by one mapping and keeps the quality figures of the file.

    Args:
        mapping: The mapping; its columns are prepared once.
        today: Day of the import in the company's zone; later births are refused.
    """

    def __init__(self, mapping: FileMapping, *, today: date) -> None:
        """Prepare one reader a column."""
        self._scorecard = Scorecard()
        self._rows = 0
        self._conflicts = 0
        self._today = today
        self._fresh_column, self._fresh_days = mapping.fresh_column, mapping.fresh_days
        self._id_column = mapping.id_column
        self._proof = mapping.proof
        self._constants = dict(mapping.constants)
        self._cells = tuple(
            _Cell(item.column, *_cell(target, today), _missing_code(target))
            for item in mapping.columns
            for target in item.targets
        )
        self._erasers = tuple(
            (item.column, target.path.removeprefix("customer."))
            for item in mapping.columns
            for target in item.targets
            if target.blank is Blank.ERASE
        )

    @property
    def scorecard(self) -> Scorecard:
        """Return the quality figures of all rows read so far."""
        if self._rows:
            for cell in self._cells:
                self._scorecard.count_cells(
                    cell.column, cells=self._rows, blank=cell.blank, wrong=cell.wrong
                )
                cell.blank = cell.wrong = 0
            self._scorecard.consistency.numerator += self._rows - self._conflicts
            self._scorecard.consistency.denominator += self._rows
            self._rows = self._conflicts = 0
        return self._scorecard

    def read(self, row: TabularRow) -> tuple[PersonRow, tuple[Finding, ...]]:
        """Return the person and everything that was noticed; the last finding may reject the row.

        A field that is wrong is left out with a finding. Fields that contradict a valid identity
        number follow the number.
        """
        if row.surplus:
            return PersonRow(row.line), (Finding(Code.CELLS_MISALIGNED),)
        self._rows += 1
        cells = row.values
        draft, findings = self._drafted(cells)
        findings += self._prove_consents(row, draft)
        external_id = clean(cells.get(self._id_column, "")) if self._id_column else ""
        if len(external_id) > _MAX_EXTERNAL_ID_CHARS:
            findings.append(Finding(Code.TEXT_TOO_LONG, self._id_column))
            external_id = ""
        conflicts = _settle_by_national_id(draft)
        if conflicts:
            findings += [Finding(code) for code in conflicts]
            self._conflicts += 1
        if self._fresh_column:
            self._count_age(cells.get(self._fresh_column, ""))
        person = _person(row.line, external_id, draft)
        if self._erasers:
            refused_columns = {finding.column for finding in findings}
            erased = self._erased(row, person, refused_columns)
            person = replace(person, erased=erased)
        if not person.is_identified:
            findings.append(Finding(Code.IDENTITY_MISSING))
        return person, tuple(findings)

    def _drafted(self, cells: Mapping[str, str]) -> tuple[_Draft, list[Finding]]:
        """Return what the mapped cells say, and what is wrong with them."""
        draft = _Draft(texts=dict(self._constants))
        findings: list[Finding] = []
        for cell in self._cells:
            try:
                value = cell.read(cells.get(cell.column, ""))
            except (ValueRefused, PhoneRefused) as refused:
                cell.wrong += 1
                findings.append(Finding(Code(refused.code), cell.column))
                continue
            if value is None:
                cell.blank += 1
                if cell.missing is not None:
                    findings.append(Finding(cell.missing, cell.column))
            elif value:
                cell.take(draft, value)
        return draft, findings

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
        self._scorecard.timeliness.count(good=(self._today - day).days <= self._fresh_days)


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
    conflicts: list[Code] = []
    if known is None:
        return conflicts
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


def _cell(target: Target, today: date) -> tuple[Callable[[str], Any], _Take]:
    """Return how a target's cells are read and where what they say goes."""
    match target.kind:
        case TargetKind.CONTACT:
            is_email = target.name == ContactKind.EMAIL
            return (_email if is_email else partial(_phone, target.region)), _take_contact
        case TargetKind.CONSENT:
            return _remembered(partial(_consent, target)), _take_consent
        case TargetKind.ATTRIBUTE:
            return _remembered(partial(_attribute, target)), _take_attribute
        case TargetKind.CUSTOMER:
            return _customer_cell(target, today)


def _customer_cell(target: Target, today: date) -> tuple[Callable[[str], Any], _Take]:
    match target.name:
        case "name":
            return _name, _take_name
        case "national_id":
            return partial(_national_id, today), _take_national_id
        case "birth_date":
            return _remembered(partial(_birth, target, today)), _take_birth_date
        case "gender":
            return _remembered(partial(_gender, target)), _take_gender
        case _:
            return _remembered(partial(_customer_text, target)), partial(_take_text, target.name)


def _remembered(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a reader that takes blank cells for None and reads a text it knows only once."""

    @lru_cache(_MEMORY)
    def remembered(text: str) -> Any:
        return read(text) if clean(text) else None

    return remembered


def _name(text: str) -> str | None:
    return parse_name(text) or None


# A word such as 无 in a column of phones or numbers is an answer to check, not an empty cell.
def _national_id(today: date, text: str) -> NationalId | None:
    return parse_national_id(text, today=today) if text and not text.isspace() else None


def _email(text: str) -> Contact | None:
    if not text or text.isspace():
        return None
    return Contact(ContactKind.EMAIL, parse_email(text))


def _phone(region: str, text: str) -> Contact | None:
    if not text or text.isspace():
        return None
    number = parse_phone(text, region=region)
    return Contact(
        ContactKind.PHONE,
        number.e164,
        can_receive_messages=number.kind is PhoneKind.MOBILE,
        is_virtual=number.is_virtual,
    )


def _consent(target: Target, text: str) -> ConsentWord | str:
    word = _word(target, text)
    return ConsentWord(target.name, target.purpose, parse_flag(word)) if word else ""


def _attribute(target: Target, text: str) -> AttributeText | str:
    value = _attribute_text(target, text)
    return AttributeText(target.name, target.value_type, value) if value else ""


def _take_name(draft: _Draft, name: str) -> None:
    draft.name = name


def _take_national_id(draft: _Draft, national_id: NationalId) -> None:
    draft.national_id = national_id


def _take_birth_date(draft: _Draft, day: date) -> None:
    draft.birth_date = day


def _take_gender(draft: _Draft, gender: str) -> None:
    draft.gender = gender


def _take_text(name: str, draft: _Draft, text: str) -> None:
    draft.texts[name] = text


def _take_contact(draft: _Draft, contact: Contact) -> None:
    draft.contacts.append(contact)


def _take_consent(draft: _Draft, word: ConsentWord) -> None:
    draft.consents.append(word)


def _take_attribute(draft: _Draft, attribute: AttributeText) -> None:
    draft.attributes.append(attribute)


def _birth(target: Target, today: date, text: str) -> date:
    if target.transform is Transform.BIRTH_NUMBER_DATE:
        return check_birth_date(parse_birth_number(text)[0], today=today)
    return check_birth_date(parse_date(text, order=target.order), today=today)


def _gender(target: Target, text: str) -> str:
    if target.transform is Transform.BIRTH_NUMBER_GENDER:
        return parse_birth_number(text)[1]
    return parse_gender(_word(target, text))


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
