"""What two records of persons are compared by, brought to one form each."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from customers.domain.values.dates import check_birth_date, parse_date
from customers.domain.values.emails import parse_email
from customers.domain.values.names import name_key, parse_name
from customers.domain.values.national_id import parse_national_id
from customers.domain.values.quality import ValueRefused
from loancrm.kernel.phones import PhoneRefused, parse_phone

# Stored days have no time; those of a file to be measured are taken to be China's.
_ZONE: Final = ZoneInfo("Asia/Shanghai")


class ColumnRole(StrEnum):
    """What a column says about a person."""

    NAME = "name"
    GIVEN_NAME = "given_name"
    SURNAME = "surname"
    BIRTH_DATE = "birth_date"
    NATIONAL_ID = "national_id"
    PHONE = "phone"
    EMAIL = "email"
    STREET_NUMBER = "street_number"
    STREET = "street"
    PLACE = "place"
    CITY = "city"
    POSTCODE = "postcode"
    PROVINCE = "province"
    GENDER = "gender"


# Names that columns usually have; a column that is not listed is not compared.
_COLUMNS: Final[Mapping[str, ColumnRole]] = {
    **dict.fromkeys(("name", "full_name", "姓名", "客户姓名"), ColumnRole.NAME),
    **dict.fromkeys(("given_name", "first_name", "firstname", "名"), ColumnRole.GIVEN_NAME),
    **dict.fromkeys(("surname", "last_name", "lastname", "family_name", "姓"), ColumnRole.SURNAME),
    **dict.fromkeys(
        ("birth_date", "date_of_birth", "dob", "birthday", "出生日期", "生日"),
        ColumnRole.BIRTH_DATE,
    ),
    **dict.fromkeys(
        ("national_id", "id_card", "soc_sec_id", "ssn", "id_number", "身份证", "身份证号"),
        ColumnRole.NATIONAL_ID,
    ),
    **dict.fromkeys(("phone", "mobile", "telephone", "手机", "手机号", "电话"), ColumnRole.PHONE),
    **dict.fromkeys(("email", "e_mail", "mail", "邮箱", "电子邮箱"), ColumnRole.EMAIL),
    **dict.fromkeys(("street_number", "house_number"), ColumnRole.STREET_NUMBER),
    **dict.fromkeys(("address_1", "street", "address", "地址"), ColumnRole.STREET),
    **dict.fromkeys(("address_2",), ColumnRole.PLACE),
    **dict.fromkeys(("city", "suburb", "town", "城市"), ColumnRole.CITY),
    **dict.fromkeys(("postcode", "zip", "postal_code", "邮编"), ColumnRole.POSTCODE),
    **dict.fromkeys(("province", "state", "省份", "省"), ColumnRole.PROVINCE),
    **dict.fromkeys(("gender", "sex", "性别"), ColumnRole.GENDER),
}
_PARSERS: Final[Mapping[ColumnRole, Callable[[str], str]]] = {
    ColumnRole.PHONE: lambda text: parse_phone(text).e164,
    ColumnRole.EMAIL: lambda text: parse_email(text).casefold(),
    ColumnRole.NAME: lambda text: name_key(parse_name(text)),
}


@dataclass(frozen=True, slots=True)
class LinkageRecord:
    """One record; `values` holds only what is known.

    Attributes:
        values: Normalised text by role.
        proven_id: The national id where its check digit proves it, else empty: two different proven
            ids are never one person.
    """

    values: Mapping[ColumnRole, str] = field(repr=False)
    proven_id: str = field(default="", repr=False)

    def get(self, role: ColumnRole) -> str:
        """Return the value, empty where it is not known."""
        return self.values.get(role, "")


def roles_of(columns: tuple[str, ...]) -> dict[str, ColumnRole]:
    """Return {column: role} of the columns that say something about a person.

    The first column of a role wins.
    """
    found: dict[str, ColumnRole] = {}
    for column in columns:
        role = _COLUMNS.get(column.strip().casefold().replace(" ", "_").replace("-", "_"))
        if role is not None and role not in found.values():
            found[column] = role
    return found


def person_of(texts: Mapping[ColumnRole, str], *, today: date) -> LinkageRecord:
    """Return the record that these texts describe; what cannot be a value is left out."""
    values = {role: _normalised(role, text, today) for role, text in texts.items()}
    return LinkageRecord(
        {role: value for role, value in values.items() if value},
        proven_id=_proven_id(texts.get(ColumnRole.NATIONAL_ID, ""), today),
    )


def _normalised(role: ColumnRole, text: str, today: date) -> str:
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if role is ColumnRole.BIRTH_DATE:
        return _birth_date(plain, today)
    if role is ColumnRole.NATIONAL_ID:
        return _proven_id(plain, today) or plain.upper()
    parse = _PARSERS.get(role)
    try:
        return parse(plain) if parse and plain else plain
    except PhoneRefused:
        return ""
    except ValueRefused:
        # A damaged address still says something by its likeness.
        return plain if role is ColumnRole.EMAIL and "@" in plain else ""


def _birth_date(text: str, today: date) -> str:
    try:
        return f"{check_birth_date(parse_date(text, zone=_ZONE), today=today):%Y%m%d}"
    except ValueRefused:
        return ""


def _proven_id(text: str, today: date) -> str:
    try:
        return parse_national_id(text, today=today).number
    except ValueRefused:
        return ""
