"""Typed access to the cells of one row of a file, and why a row is not taken in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from customers.domain.events.event import EventError, parse_time
from customers.domain.values.dates import parse_date
from customers.domain.values.quality import ValueRefused
from customers.domain.values.words import clean

_AMOUNT_LIMIT = Decimal(10) ** 12
_RATE_LIMIT = Decimal(10)
_MAX_MONTHS = 600
_MAX_DIGITS = 20
_MAX_DAY_DIGITS = 5
_YEARS = range(1900, 2201)
_Day = TypeVar("_Day", bound=date)
ID_LENGTH = 100


class RowProblem(StrEnum):
    """Why a row is not taken in."""

    ID_MISSING = "id_missing"
    ID_TOO_LONG = "id_too_long"
    PERSON_MISSING = "person_missing"
    PERSON_UNKNOWN = "person_unknown"
    PRODUCT_UNKNOWN = "product_unknown"
    APPLICATION_UNKNOWN = "application_unknown"
    LOAN_UNKNOWN = "loan_unknown"
    AMOUNT_MISSING = "amount_missing"
    AMOUNT_INVALID = "amount_invalid"
    RATE_INVALID = "rate_invalid"
    TERM_INVALID = "term_invalid"
    DATE_MISSING = "date_missing"
    DATE_INVALID = "date_invalid"
    STATUS_INVALID = "status_invalid"
    NAME_MISSING = "name_missing"
    REPEATED_IN_FILE = "repeated_in_file"
    PULL_UNKNOWN = "pull_unknown"
    PURPOSE_INVALID = "purpose_invalid"
    CONSENT_MISSING = "consent_missing"
    KIND_INVALID = "kind_invalid"
    SHARE_INVALID = "share_invalid"
    VALUE_MISSING = "value_missing"


class RowError(ValueError):
    """A row cannot be taken in; carries the problem and nothing of the content."""

    def __init__(self, problem: RowProblem) -> None:
        """Keep the problem."""
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class RowCells:
    """Typed access to the cells of one row."""

    row: Mapping[str, Any]
    zone: tzinfo

    def text(self, name: str) -> str:
        """Return the cell without the blanks around it, and without what no database stores."""
        value = self.row.get(name)
        text = "" if value is None else str(value).strip()
        if text.isprintable():
            return text
        # A NUL, or half a character, as JSON can write them.
        return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()

    def key(
        self,
        name: str,
        problem: RowProblem = RowProblem.ID_MISSING,
        *,
        limit: int = ID_LENGTH,
    ) -> str:
        """Return an id that has to be there."""
        text = clean(self.text(name))
        if not text:
            raise RowError(problem)
        if len(text) > limit:
            raise RowError(RowProblem.ID_TOO_LONG)
        return text

    def amount(self, name: str) -> Decimal | None:
        """Return an amount in CNY, to the cent."""
        return _decimal(self.text(name), _AMOUNT_LIMIT, RowProblem.AMOUNT_INVALID, "0.01")

    def required_amount(self, name: str, *, positive: bool = False) -> Decimal:
        """Return an amount that has to be there."""
        amount = self.amount(name)
        if amount is None:
            raise RowError(RowProblem.AMOUNT_MISSING)
        if positive and amount <= 0:
            raise RowError(RowProblem.AMOUNT_INVALID)
        return amount

    def rate(self, name: str) -> Decimal | None:
        """Return a rate as a fraction, not below zero."""
        rate = _decimal(self.text(name), _RATE_LIMIT, RowProblem.RATE_INVALID, "0.000001")
        if rate is not None and rate < 0:
            raise RowError(RowProblem.RATE_INVALID)
        return rate

    def months(self, name: str) -> int | None:
        """Return a number of months from 1 on."""
        text = self.text(name)
        if not text:
            return None
        # Python reads no number of thousands of digits.
        is_number = len(text) <= _MAX_DIGITS and text.isascii() and text.isdigit()
        if not is_number or not 1 <= int(text) <= _MAX_MONTHS:
            raise RowError(RowProblem.TERM_INVALID)
        return int(text)

    def required_months(self, name: str) -> int:
        """Return a number of months that has to be there."""
        months = self.months(name)
        if months is None:
            raise RowError(RowProblem.TERM_INVALID)
        return months

    def day(self, name: str) -> date | None:
        """Return a day in the company's zone."""
        text = self.text(name)
        if not text:
            return None
        try:
            day = parse_date(text, zone=self.zone)
        except ValueRefused as err:
            raise RowError(RowProblem.DATE_INVALID) from err
        return _plausible(day)

    def required_day(self, name: str) -> date:
        """Return a day that has to be there."""
        day = self.day(name)
        if day is None:
            raise RowError(RowProblem.DATE_MISSING)
        return day

    def moment(self, name: str) -> datetime | None:
        """Return a moment; one without an offset is in the company's zone."""
        text = self.text(name)
        if not text:
            return None
        try:
            moment = parse_time(text, zone=self.zone)
        except EventError as err:
            raise RowError(RowProblem.DATE_INVALID) from err
        return _plausible(moment)

    def status(self, vocabulary: type[StrEnum]) -> str | None:
        """Return the word of a vocabulary in the column `status`."""
        return self.word("status", vocabulary, RowProblem.STATUS_INVALID)

    def word(self, name: str, vocabulary: type[StrEnum], problem: RowProblem) -> str | None:
        """Return the word of a vocabulary, whatever its case; None where the cell is empty."""
        text = self.text(name).lower()
        if text and text not in set(vocabulary):
            raise RowError(problem)
        return text or None

    def days(self, name: str) -> int | None:
        """Return a whole number of days, none below zero."""
        text = self.text(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DAY_DIGITS):
            raise RowError(RowProblem.TERM_INVALID)
        return int(text)


def _plausible(day: _Day) -> _Day:
    """Refuse days so far off that figures which count from them would leave the calendar."""
    if day.year not in _YEARS:
        raise RowError(RowProblem.DATE_INVALID)
    return day


def _decimal(text: str, limit: Decimal, problem: RowProblem, step: str) -> Decimal | None:
    if not text:
        return None
    try:
        number = Decimal(text)
        # A number just below the limit may be rounded up to it.
        if number.is_finite() and abs(number) < limit:
            rounded = number.quantize(Decimal(step))
            if abs(rounded) < limit:
                return rounded
    except InvalidOperation as err:
        raise RowError(problem) from err
    raise RowError(problem)
