"""Calendar dates in the forms people write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import Final

from customers.domain.quality import Code, ValueRefused

_TIME: Final = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST: Final = re.compile(
    rf"^(\d{{4}})\s*[-/.年]\s*(\d{{1,2}})\s*[-/.月]\s*(\d{{1,2}})\s*日?{_TIME}$", re.ASCII
)
_COMPACT: Final = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:\.0+)?$", re.ASCII)
_YEAR_LAST: Final = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$", re.ASCII)
_SERIAL: Final = re.compile(r"^(\d{4,5})(?:\.\d+)?$", re.ASCII)
# Day 0 of the 1900 system with its famous non-existent 1900-02-29 taken into account.
_EXCEL_EPOCH: Final = date(1899, 12, 30)
# Serials of 1927-05-18 to 2099-12-31; shorter numbers are years or ages, not dates.
_SERIALS: Final = range(10_000, 73_051)
_LONGEST_LIFE_DAYS: Final = 44_195
_BIRTH_NUMBER: Final = re.compile(r"^(\d{2})(\d{2})(\d{2})$", re.ASCII)


def parse_date(text: str, *, order: str = "") -> date:
    """Return the date that a text means.

    Understood: `2001-07-03`, `2001/7/3`, `2001.7.3`, `20010703`, `2001年7月3日`, each also with a
    time of day (which is dropped), and spreadsheet serial numbers. `03/07/2001` is read only where
    `order` or a number above 12 settles which is the day.

    Args:
        text: What somebody wrote.
        order: `dmy` or `mdy` for files that write the year last.

    Raises:
        ValueRefused: `date_invalid` or `date_ambiguous`.
    """
    cleaned = unicodedata.normalize("NFKC", text).strip()
    if found := _YEAR_FIRST.match(cleaned) or _COMPACT.match(cleaned):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_LAST.match(cleaned):
        return _year_last(int(found[1]), int(found[2]), int(found[3]), order)
    if (found := _SERIAL.match(cleaned)) and int(found[1]) in _SERIALS:
        return _EXCEL_EPOCH + timedelta(days=int(found[1]))
    raise ValueRefused(Code.DATE_INVALID)


def check_birth_date(born: date, *, today: date) -> date:
    """Return the date when it can be a living person's birth.

    Raises:
        ValueRefused: `birth_future`, or `birth_implausible` beyond 121 years.
    """
    if born > today:
        raise ValueRefused(Code.BIRTH_FUTURE)
    if (today - born).days > _LONGEST_LIFE_DAYS:
        raise ValueRefused(Code.BIRTH_IMPLAUSIBLE)
    return born


def parse_birth_number(text: str) -> tuple[date, str]:
    """Return birth date and gender of a Czech birth number `YYMMDD` (women: month + 50).

    Only the century 19 is assumed: the form without a suffix ended in 1953 for new numbers and is
    met in historical files.

    Raises:
        ValueRefused: `date_invalid`.
    """
    found = _BIRTH_NUMBER.match(text.strip())
    if found is None:
        raise ValueRefused(Code.DATE_INVALID)
    month = int(found[2])
    is_female = month > 50
    born = _date(1900 + int(found[1]), month - 50 if is_female else month, int(found[3]))
    return born, "female" if is_female else "male"


def _year_last(first: int, second: int, year: int, order: str) -> date:
    if order == "dmy" or (not order and first > 12):
        return _date(year, second, first)
    if order == "mdy" or (not order and second > 12) or first == second:
        return _date(year, first, second)
    raise ValueRefused(Code.DATE_AMBIGUOUS)


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueRefused(Code.DATE_INVALID) from error
