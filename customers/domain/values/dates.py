"""Calendar dates in the forms people write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import Final

from customers.domain.values.quality import Code, ValueRefused


class DateOrder(StrEnum):
    """In which order a file writes day, month and year."""

    YEAR_FIRST = ""
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


_TIME: Final = (
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?: ?(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?)?"
)
_YEAR_FIRST: Final = re.compile(
    rf"^(\d{{4}})\s*[-/.年]\s*(\d{{1,2}})\s*[-/.月]\s*(\d{{1,2}})\s*日?{_TIME}$",
    re.ASCII | re.IGNORECASE,
)
_COMPACT: Final = re.compile(
    r"^(\d{4})(\d{2})(\d{2})(?:\.0+|T?(\d{2})(\d{2})(\d{2})(Z|[+-]\d{2}:?\d{2})?)?$", re.ASCII
)
_YEAR_LAST: Final = re.compile(rf"^(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){_TIME}$", re.ASCII)
_SERIAL: Final = re.compile(r"^(\d{4,5})(\.\d+)?$", re.ASCII)
# Eleven digits are a phone number; shorter ones are dates without separators, years or ages.
_EPOCH: Final = re.compile(r"^(-?\d{9,10})(?:\.\d+)?$|^(-?\d{12,13})$", re.ASCII)
_OFFSET: Final = re.compile(r"^([+-])(\d{2}):?(\d{2})?$", re.ASCII)
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EPOCH_YEARS: Final = range(1900, 2101)
# Day 0 of the 1900 system with its famous non-existent 1900-02-29 taken into account.
_EXCEL_EPOCH: Final = date(1899, 12, 30)
# Serials of 1927-05-18 to 2099-12-31; shorter numbers are years or ages, not dates.
_SERIALS: Final = range(10_000, 73_051)
_LONGEST_LIFE_DAYS: Final = 44_195
_BIRTH_NUMBER: Final = re.compile(r"^(\d{2})(\d{2})(\d{2})$", re.ASCII)


def parse_date(text: str, *, zone: tzinfo, order: str = DateOrder.YEAR_FIRST) -> date:
    """Return the day that a text means to the company.

    Understood: `2001-07-03`, `2001/7/3`, `2001.7.3`, `20010703`, `2001年7月3日`, each also with a
    time of day, and spreadsheet serial numbers. A time with an offset (`2001-07-02T16:00:00Z`), and
    seconds or milliseconds since 1970, are instants: their day is the one in `zone`. `03/07/2001`
    is read only where `order` or a number above 12 settles which is the day.

    Args:
        text: What somebody wrote.
        zone: The company's time zone.
        order: A `DateOrder`.

    Raises:
        ValueRefused: `date_invalid`, also for anything after the date, or `date_ambiguous`.
    """
    if _ISO.fullmatch(text):
        return _date(int(text[:4]), int(text[5:7]), int(text[8:]))
    moment = _moment(text, order)
    if isinstance(moment, datetime):
        return _in_zone(moment, zone).date()
    return moment


def parse_moment(text: str, *, zone: tzinfo) -> datetime:
    """Return the instant that a text means, aware; a bare day is its midnight in `zone`.

    Raises:
        ValueRefused: As `parse_date`.
    """
    moment = _moment(text, "")
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(zone)
    except OverflowError as error:
        raise ValueRefused(Code.DATE_INVALID) from error


def _moment(text: str, order: str) -> date | datetime:
    """Return a day, a time without a zone, or an aware time, whatever the text says."""
    cleaned = unicodedata.normalize("NFKC", text).strip()
    if found := _YEAR_FIRST.match(cleaned) or _COMPACT.match(cleaned):
        day = _date(int(found[1]), int(found[2]), int(found[3]))
        return _at(day, found[4], found[5], found[6], found[7])
    if found := _YEAR_LAST.match(cleaned):
        day = _year_last(int(found[1]), int(found[2]), int(found[3]), order)
        return _at(day, found[4], found[5], found[6], found[7])
    if (found := _SERIAL.match(cleaned)) and int(found[1]) in _SERIALS:
        midnight = datetime.combine(_EXCEL_EPOCH + timedelta(days=int(found[1])), time())
        # Spreadsheets keep times as fractions of a day, in nobody's zone.
        return midnight + timedelta(seconds=round(float(found[2] or 0) * 86_400))
    if found := _EPOCH.match(cleaned):
        seconds = int(found[1]) if found[1] else int(found[2]) / 1_000
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        if instant.year in _EPOCH_YEARS:
            return instant
    raise ValueRefused(Code.DATE_INVALID)


def _at(
    day: date, hour: str | None, minute: str | None, second: str | None, offset: str | None
) -> date | datetime:
    if hour is None or minute is None:
        return day
    try:
        at = datetime.combine(day, time(int(hour), int(minute), int(second or 0)))
        return at.replace(tzinfo=_zone(offset)) if offset else at
    except ValueError as error:
        raise ValueRefused(Code.DATE_INVALID) from error


def _zone(offset: str) -> tzinfo:
    found = _OFFSET.match(offset)
    if found is None:
        return UTC
    size = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return timezone(-size if found[1] == "-" else size)


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
    if order == DateOrder.DAY_FIRST or (not order and first > 12):
        return _date(year, second, first)
    if order == DateOrder.MONTH_FIRST or (not order and second > 12) or first == second:
        return _date(year, first, second)
    raise ValueRefused(Code.DATE_AMBIGUOUS)


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueRefused(Code.DATE_INVALID) from error
