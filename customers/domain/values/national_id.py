"""Chinese resident identity numbers (GB 11643-1999, check digit ISO 7064 MOD 11-2)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from operator import mul
from typing import Final

from customers.domain.values.quality import Code, ValueRefused

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_OFFSET: Final = 48 * sum(_WEIGHTS)
_CHECK_DIGITS: Final = "10X98765432"
_NOISE: Final = re.compile(r"[\s\-\u00ad\u200b-\u200f\u2060\ufeff'`]+")
_SHAPE: Final = re.compile(r"^(?:[0-9]{17}[0-9X]|[0-9]{15})$")
_PLAIN: Final = re.compile(r"[0-9]{17}[0-9X]")
# GB/T 2260, first two digits. Districts change every year and old cards keep old codes, so only the
# province is checked. 81-83 are residence permits of people from Hong Kong, Macao and Taiwan.
PROVINCES: Final = {
    "11": "北京", "12": "天津", "13": "河北", "14": "山西", "15": "内蒙古",
    "21": "辽宁", "22": "吉林", "23": "黑龙江",
    "31": "上海", "32": "江苏", "33": "浙江", "34": "安徽", "35": "福建", "36": "江西",
    "37": "山东",
    "41": "河南", "42": "湖北", "43": "湖南", "44": "广东", "45": "广西", "46": "海南",
    "50": "重庆", "51": "四川", "52": "贵州", "53": "云南", "54": "西藏",
    "61": "陕西", "62": "甘肃", "63": "青海", "64": "宁夏", "65": "新疆",
    "71": "台湾", "81": "香港", "82": "澳门", "83": "台湾",
}  # fmt: skip
_LENGTH: Final = 18
_OLDEST_BIRTH: Final = date(1880, 1, 1)


@dataclass(frozen=True, slots=True)
class NationalId:
    """A valid number and what it says about its holder."""

    number: str = field(repr=False)
    birth_date: date = field(repr=False)
    gender: str
    region_code: str

    @property
    def province(self) -> str:
        """Return the province of first registration, as a short Chinese name."""
        return PROVINCES[self.region_code[:2]]


def parse_national_id(text: str, *, today: date) -> NationalId:
    """Return the number that a text means, in its 18-character form.

    Full-width characters, a lower-case x and separators are understood; a 15-digit number of the
    first generation is upgraded with century 19 and its check digit.

    Args:
        text: What somebody wrote.
        today: Births after this day are refused.

    Raises:
        ValueRefused: `id_format`, `id_region`, `id_date` or `id_checksum`.
    """
    number = text
    if not _PLAIN.fullmatch(number):
        number = _NOISE.sub("", unicodedata.normalize("NFKC", text)).upper()
        if not _SHAPE.match(number):
            raise ValueRefused(Code.ID_FORMAT)
    # Residence cards of foreigners begin with a 9, which the province follows, then the country.
    is_foreign = number[0] == "9" and len(number) == _LENGTH
    region = f"{number[1:3]}0000" if is_foreign else number[:6]
    if region[:2] not in PROVINCES:
        raise ValueRefused(Code.ID_REGION)
    if len(number) == 15:
        body = f"{number[:6]}19{number[6:]}"
        number = body + check_digit(body)
    born = _birth_date(number[6:14], today)
    if check_digit(number[:17]) != number[17]:
        raise ValueRefused(Code.ID_CHECKSUM)
    gender = "male" if int(number[16]) % 2 else "female"
    return NationalId(number, born, gender, region)


def check_digit(body: str) -> str:
    """Return the check character of the first 17 digits."""
    # The bytes of digits are 48 more than the digits.
    return _CHECK_DIGITS[(sum(map(mul, _WEIGHTS, body.encode("ascii"))) - _OFFSET) % 11]


@lru_cache(50_000)
def _date(digits: str) -> date:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError as error:
        raise ValueRefused(Code.ID_DATE) from error


def _birth_date(digits: str, today: date) -> date:
    born = _date(digits)
    if not _OLDEST_BIRTH <= born <= today:
        raise ValueRefused(Code.ID_DATE)
    return born
