"""Telephone numbers as people write them, brought to E.164 (ITU-T) or refused with a code."""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

_INVISIBLE: Final = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_FLOAT: Final = re.compile(r"^\+?\d{6,15}\.0+$")
_SCIENTIFIC: Final = re.compile(r"^\+?\d(?:\.\d+)?e\+?\d+$", re.IGNORECASE)
_LETTER: Final = re.compile(r"[^\W\d_]")
_SEPARATORS: Final = re.compile(r"[\s\-().·]+")
_CHINESE_MOBILE: Final = re.compile(r"^(?:\+?86|0086)?(1[3-9]\d{9})$", re.ASCII)
# How most files write most numbers: nothing is left to be cleaned.
_BARE_MOBILE: Final = re.compile(r"1[3-9]\d{9}", re.ASCII)
# Ranges of virtual network operators (170/171 since 2013, 162/165/167 later): real numbers, but the
# favourite of throw-away registrations, so they carry a flag.
_VIRTUAL_PREFIXES: Final = ("162", "165", "167", "170", "171")
_CHINA: Final = 86


class PhoneKind(StrEnum):
    """What a number is good for."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    OTHER = "other"


class PhoneRefused(ValueError):
    """A text is not a telephone number.

    Attributes:
        code: `phone_invalid`, or `phone_digits_lost` for a number that a spreadsheet has rounded.
    """

    def __init__(self, code: str) -> None:
        """Keep the code; the text itself is personal data and stays out."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A valid number in E.164 form."""

    e164: str = field(repr=False)
    kind: PhoneKind
    is_virtual: bool = False

    @property
    def can_receive_sms(self) -> bool:
        """Return whether text messages reach it; a landline's do not."""
        return self.kind is PhoneKind.MOBILE


def parse_phone(text: str, *, region: str = "CN") -> PhoneNumber:
    """Return the number that a text means.

    Full-width digits, separators, `+86`, `0086`, `86` and a spreadsheet's trailing `.0` are
    understood; letters are not turned into digits.

    Args:
        text: What somebody wrote.
        region: ISO 3166 code of the country whose national form is assumed without a `+`.

    Raises:
        PhoneRefused: The text is no valid number there.
    """
    if region == "CN" and _BARE_MOBILE.fullmatch(text) and _is_mobile_range(text[:5]):
        return _chinese_mobile(text)
    cleaned = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).strip()
    cleaned = cleaned.removeprefix("tel:")
    if _FLOAT.match(cleaned):
        cleaned = cleaned.partition(".")[0]
    if _SCIENTIFIC.match(cleaned):
        raise PhoneRefused("phone_digits_lost")
    if not cleaned or _LETTER.search(cleaned):
        raise PhoneRefused("phone_invalid")
    chinese = _CHINESE_MOBILE.match(_SEPARATORS.sub("", cleaned)) if region == "CN" else None
    if chinese and _is_mobile_range(chinese[1][:5]):
        return _chinese_mobile(chinese[1])
    return _parse_any(cleaned, region)


def _chinese_mobile(national: str) -> PhoneNumber:
    return PhoneNumber(
        f"+{_CHINA}{national}", PhoneKind.MOBILE, is_virtual=national.startswith(_VIRTUAL_PREFIXES)
    )


@lru_cache(maxsize=20_000)
def _is_mobile_range(prefix: str) -> bool:
    # The library's Chinese mobile ranges are decided by the first five digits, so one look-up
    # answers for a million numbers; asking it for each costs more than the rest of a row.
    sample = phonenumbers.PhoneNumber(country_code=_CHINA, national_number=int(f"{prefix}000000"))
    return bool(phonenumbers.number_type(sample) == PhoneNumberType.MOBILE)


def _parse_any(cleaned: str, region: str) -> PhoneNumber:
    try:
        number = phonenumbers.parse(cleaned, region)
    except phonenumbers.NumberParseException as error:
        raise PhoneRefused("phone_invalid") from error
    if not phonenumbers.is_valid_number(number):
        raise PhoneRefused("phone_invalid")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    match phonenumbers.number_type(number):
        case PhoneNumberType.MOBILE | PhoneNumberType.FIXED_LINE_OR_MOBILE:
            kind = PhoneKind.MOBILE
        case PhoneNumberType.FIXED_LINE:
            kind = PhoneKind.LANDLINE
        case _:
            kind = PhoneKind.OTHER
    is_virtual = number.country_code == _CHINA and e164[3:].startswith(_VIRTUAL_PREFIXES)
    return PhoneNumber(e164, kind, is_virtual=is_virtual)
