"""How the columns of a file become fields of a customer: JSON in, checked dataclasses out.

The schema is described in docs/importing.md. Every mistake is reported with its path in the JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from zoneinfo import available_timezones

from customers.domain.consents.consent import ConsentChannel, ConsentProof, Purpose
from customers.domain.imports.mapping_json import (
    NAME,
    MappingError,
    MappingProblem,
    read_choice,
    read_flag,
    read_object,
    read_required,
    read_slug,
    read_text,
    read_texts,
)
from customers.domain.values.attribute import AttributeType
from customers.domain.values.contact import ContactKind
from customers.domain.values.dates import DateOrder
from customers.domain.values.quality import LIMIT_CODES

VERSION: Final = 1
# Longest text that each column of a customer holds.
TEXT_FIELDS: Final = {
    "province": 40,
    "city": 40,
    "occupation": 60,
    "education": 40,
    "marital": 20,
    "income_band": 20,
    "language": 10,
    "time_zone": 40,
}
PARSED_FIELDS: Final = frozenset({"name", "national_id", "birth_date", "gender"})
# What a blank cell may erase: nothing that identifies a person or that has a default.
ERASABLE: Final = (frozenset(TEXT_FIELDS) - {"language", "time_zone"}) | {"birth_date", "gender"}
_CONTACTS: Final = (ContactKind.PHONE, ContactKind.EMAIL)
_TOP_KEYS: Final = frozenset(
    {"version", "name", "source", "description", "id_column", "columns", "ignore"}
    | {"constants", "limits", "freshness", "consent"}
)
_TARGET_KEYS: Final = frozenset(
    {"to", "type", "transform", "dictionary", "others", "expected", "optional", "order", "region"}
    | {"blank"}
)


class TargetKind(StrEnum):
    """Where a value goes."""

    CUSTOMER = "customer"
    CONTACT = "contact"
    CONSENT = "consent"
    ATTRIBUTE = "attribute"


class Transform(StrEnum):
    """What is done to a cell before it is read as its type."""

    NONE = "none"
    LOWER = "lower"
    UPPER = "upper"
    REGION_SHORT = "region_short"
    REGION_PROVINCE = "region_province"
    REGION_CITY = "region_city"
    REGION_DISTRICT = "region_district"
    AMOUNT = "amount"
    BIRTH_NUMBER_DATE = "birth_number_date"
    BIRTH_NUMBER_GENDER = "birth_number_gender"


class Others(StrEnum):
    """What happens to a word that the dictionary does not list."""

    REPORT = "report"
    KEEP = "keep"


class Blank(StrEnum):
    """What a blank cell does to what is stored."""

    KEEP = "keep"
    ERASE = "erase"


@dataclass(frozen=True, slots=True)
class ColumnTarget:
    """Where one cell goes and how it is read.

    Attributes:
        name: Column of the customer, kind of contact, channel of consent, or name of the attribute.
        purpose: Purpose of a consent, otherwise empty.
        expected: A blank cell is reported.
        optional: The file may lack the column.
        order: A `DateOrder`.
        region: Country of national phone numbers.
        blank: What a blank cell does to the stored value.
    """

    kind: TargetKind
    name: str
    purpose: str = ""
    value_type: AttributeType = AttributeType.TEXT
    transform: Transform = Transform.NONE
    dictionary: Mapping[str, str] = field(default_factory=dict)
    others: Others = Others.REPORT
    expected: bool = False
    optional: bool = False
    order: str = ""
    region: str = "CN"
    blank: Blank = Blank.KEEP

    @property
    def path(self) -> str:
        """Return the target as it is written in a mapping."""
        return ".".join(part for part in (self.kind.value, self.name, self.purpose) if part)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """One column of the file and its targets."""

    column: str
    targets: tuple[ColumnTarget, ...]


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A whole mapping.

    Attributes:
        constants: Values that hold for every row, by target path.
        limits: Largest share (0..1) of rows with a finding, by code, above which nothing is done.
        fresh_column: Column with the day as of which a row holds; empty when there is none.
        fresh_days: Age in days up to which a row counts as timely.
        proof: How a row shows which text was agreed to and when; None where it does not.
    """

    name: str
    source: str
    columns: tuple[ColumnMapping, ...]
    id_column: str = ""
    ignore: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    fresh_column: str = ""
    fresh_days: int = 0
    proof: ConsentProof | None = None

    def missing_columns(self, found: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns that the mapping needs and a file does not have."""
        needed = [
            item.column
            for item in self.columns
            if not all(target.optional for target in item.targets)
        ]
        if self.id_column:
            needed.insert(0, self.id_column)
        if self.fresh_column:
            needed.append(self.fresh_column)
        needed += self.proof.columns if self.proof else ()
        return tuple(name for name in dict.fromkeys(needed) if name not in found)

    def unmapped_columns(self, found: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns of a file that are neither mapped nor left out on purpose."""
        known = {
            self.id_column,
            self.fresh_column,
            *self.ignore,
            *(self.proof.columns if self.proof else ()),
            *(item.column for item in self.columns),
        }
        return tuple(name for name in found if name not in known)

    def attribute_types(self) -> dict[str, AttributeType]:
        """Return the type of every attribute that the mapping fills."""
        return {
            target.name: target.value_type
            for item in self.columns
            for target in item.targets
            if target.kind is TargetKind.ATTRIBUTE
        }


def parse_mapping(content: object) -> FileMapping:
    """Return the mapping that a JSON document describes.

    Raises:
        MappingError: The document breaks the schema; the error names the path.
    """
    top = read_object(content, "mapping", _TOP_KEYS)
    if top.get("version", VERSION) != VERSION:
        raise MappingError("version", MappingProblem.WRONG_VERSION)
    raw_columns = read_object(read_required(top, "columns", ""), "columns")
    columns = tuple(
        ColumnMapping(name, _targets(raw, f"columns.{name}")) for name, raw in raw_columns.items()
    )
    _refuse_repeats(columns)
    fresh_column, fresh_days = _freshness(top.get("freshness"))
    return FileMapping(
        name=read_slug(read_required(top, "name", ""), "name"),
        source=read_slug(top.get("source", top["name"]), "source"),
        columns=columns,
        id_column=read_text(top.get("id_column", ""), "id_column"),
        ignore=tuple(read_texts(top.get("ignore", []), "ignore")),
        constants=_constants(top.get("constants", {})),
        limits=parse_limits(top.get("limits", {})),
        fresh_column=fresh_column,
        fresh_days=fresh_days,
        proof=_proof(top.get("consent")),
    )


def parse_limits(raw: object) -> dict[str, float]:
    """Return limits by code from JSON such as `{"phone_invalid": 0.05}`.

    Raises:
        MappingError: A code is unknown, or a share is not within 0..1.
    """
    limits = {}
    for code, share in read_object(raw, "limits", LIMIT_CODES).items():
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise MappingError(f"limits.{code}", MappingProblem.WRONG_VALUE)
        limits[code] = float(share)
    return limits


def _freshness(raw: object) -> tuple[str, int]:
    if raw is None:
        return "", 0
    content = read_object(raw, "freshness", frozenset({"column", "days"}))
    days = read_required(content, "days", "freshness")
    if isinstance(days, bool) or not isinstance(days, int) or days < 0:
        raise MappingError("freshness.days", MappingProblem.WRONG_VALUE)
    return read_text(read_required(content, "column", "freshness"), "freshness.column"), days


def _proof(raw: object) -> ConsentProof | None:
    if raw is None:
        return None
    known = frozenset({"text", "text_column", "time_column", "time_zone"})
    content = read_object(raw, "consent", known)
    found = {key: read_text(content[key], f"consent.{key}") for key in content}
    if not (found.get("text") or found.get("text_column")):
        raise MappingError("consent.text", MappingProblem.MISSING_KEY)
    if not found.get("time_column"):
        raise MappingError("consent.time_column", MappingProblem.MISSING_KEY)
    if found.get("time_zone", "UTC") not in available_timezones():
        raise MappingError("consent.time_zone", MappingProblem.WRONG_VALUE)
    return ConsentProof(**found)


def _targets(raw: object, path: str) -> tuple[ColumnTarget, ...]:
    items = raw if isinstance(raw, list) else [raw]
    if not items:
        raise MappingError(path, MappingProblem.MISSING_KEY)
    many = isinstance(raw, list)
    return tuple(
        _target(item, f"{path}[{position}]" if many else path)
        for position, item in enumerate(items)
    )


def _target(raw: object, path: str) -> ColumnTarget:
    content = read_object({"to": raw} if isinstance(raw, str) else raw, path, _TARGET_KEYS)
    kind, name, purpose = _address(
        read_text(read_required(content, "to", path), f"{path}.to"), path
    )
    value_type = read_choice(AttributeType, content.get("type", "text"), f"{path}.type")
    if "type" in content and kind is not TargetKind.ATTRIBUTE:
        raise MappingError(f"{path}.type", MappingProblem.WRONG_VALUE)
    order = read_text(content.get("order", ""), f"{path}.order")
    if order not in set(DateOrder):
        raise MappingError(f"{path}.order", MappingProblem.WRONG_VALUE)
    region = read_text(content.get("region", "CN"), f"{path}.region")
    if not re.fullmatch("[A-Z]{2}", region):
        raise MappingError(f"{path}.region", MappingProblem.WRONG_VALUE)
    blank = read_choice(Blank, content.get("blank", "keep"), f"{path}.blank")
    if blank is Blank.ERASE and kind is not TargetKind.ATTRIBUTE and name not in ERASABLE:
        raise MappingError(f"{path}.blank", MappingProblem.WRONG_VALUE)
    return ColumnTarget(
        kind=kind,
        name=name,
        purpose=purpose,
        value_type=value_type,
        transform=read_choice(Transform, content.get("transform", "none"), f"{path}.transform"),
        dictionary=_dictionary(content.get("dictionary", {}), f"{path}.dictionary"),
        others=read_choice(Others, content.get("others", "report"), f"{path}.others"),
        expected=read_flag(content.get("expected", False), f"{path}.expected"),
        optional=read_flag(content.get("optional", False), f"{path}.optional"),
        order=order,
        region=region,
        blank=blank,
    )


def _address(text: str, path: str) -> tuple[TargetKind, str, str]:
    kind, _, rest = text.partition(".")
    match kind:
        case "customer" if rest in TEXT_FIELDS or rest in PARSED_FIELDS:
            return TargetKind.CUSTOMER, rest, ""
        case "contact" if rest in _CONTACTS:
            return TargetKind.CONTACT, rest, ""
        case "attribute" if NAME.match(rest):
            return TargetKind.ATTRIBUTE, rest, ""
        case "consent":
            channel, _, purpose = rest.partition(".")
            if channel in set(ConsentChannel) and purpose in set(Purpose):
                return TargetKind.CONSENT, channel, purpose
        case _:
            pass
    raise MappingError(f"{path}.to", MappingProblem.UNKNOWN_TARGET)


def _refuse_repeats(columns: tuple[ColumnMapping, ...]) -> None:
    taken: set[str] = set()
    for item in columns:
        for target in item.targets:
            # A person can have several numbers and addresses, but only one of everything else.
            if target.kind is not TargetKind.CONTACT and target.path in taken:
                raise MappingError(f"columns.{item.column}.to", MappingProblem.REPEATED_TARGET)
            taken.add(target.path)


def _constants(raw: object) -> dict[str, str]:
    constants = {}
    for key, value in read_object(raw, "constants").items():
        kind, _, name = key.partition(".")
        if kind != TargetKind.CUSTOMER or name not in TEXT_FIELDS:
            raise MappingError(f"constants.{key}", MappingProblem.UNKNOWN_TARGET)
        constants[name] = read_text(value, f"constants.{key}")
    return constants


def _dictionary(raw: object, path: str) -> dict[str, str]:
    return {
        key.strip().casefold(): read_text(value, f"{path}.{key}")
        for key, value in read_object(raw, path).items()
    }
