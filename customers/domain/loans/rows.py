"""Rows of loan files, checked and in normal form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from customers.domain.events.event import EventError, parse_time
from customers.domain.loans.application import ApplicationStatus
from customers.domain.loans.loan import LoanStatus
from customers.domain.values.dates import parse_date
from customers.domain.values.quality import ValueRefused
from customers.domain.values.words import clean

_AMOUNT_LIMIT = Decimal(10) ** 12
_RATE_LIMIT = Decimal(10)
_MAX_MONTHS = 600
_MAX_DIGITS = 20
_YEARS = range(1900, 2201)
_Day = TypeVar("_Day", bound=date)
ID_LENGTH = 100
_CODE_LENGTH = 60


class LoanKind(StrEnum):
    """What a file of the lending side holds."""

    PRODUCTS = "products"
    APPLICATIONS = "applications"
    LOANS = "loans"
    INSTALMENTS = "instalments"
    REPAYMENTS = "repayments"


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


class RowError(ValueError):
    """A row cannot be taken in; carries the problem and nothing of the content."""

    def __init__(self, problem: RowProblem) -> None:
        """Keep the problem."""
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class LoanRow:
    """One row: its own id, the ids it refers to, and the columns it sets.

    Attributes:
        key: External id, product code, or (loan's external id, number) joined for an instalment.
        values: {column: value} for the table; what the file does not name is absent.
        person: External id of the customer.
        product: Code of the product, empty for none.
        loan: External id of the loan an instalment or repayment belongs to.
        application: External id of the application a loan came from, empty for none.
    """

    key: str
    values: Mapping[str, Any]
    person: str = ""
    product: str = ""
    loan: str = ""
    application: str = ""


def parse_row(kind: LoanKind, row: Mapping[str, Any], *, zone: tzinfo) -> LoanRow:
    """Return the checked row of a file of one kind.

    Columns, those in brackets optional:
        products: code, name_zh or name_en, [annual_rate, min_amount, max_amount, term_months]
        applications: external_id, customer_id, submitted_at, [product, amount, channel, status,
            decided_at]
        loans: external_id, customer_id, principal_amount, term_months, disbursed_on, [product,
            application_id, annual_rate, closed_on, charged_off_on, status, outstanding_amount];
            a status says that the source knows the state better than its repayments tell
        instalments: loan_id, number, due_on, principal_amount, [interest_amount, fee_amount]
        repayments: external_id, loan_id, paid_on, amount (negative for a reversal)

    Raises:
        RowError: A value is missing or invalid.
    """
    return _PARSERS[kind](_Cells(row, zone))


@dataclass(frozen=True, slots=True)
class _Cells:
    """Typed access to the cells of one row."""

    row: Mapping[str, Any]
    zone: tzinfo

    def text(self, name: str) -> str:
        value = self.row.get(name)
        return "" if value is None else str(value).strip()

    def key(
        self,
        name: str,
        problem: RowProblem = RowProblem.ID_MISSING,
        *,
        limit: int = ID_LENGTH,
    ) -> str:
        text = clean(self.text(name))
        if not text:
            raise RowError(problem)
        if len(text) > limit:
            raise RowError(RowProblem.ID_TOO_LONG)
        return text

    def amount(self, name: str) -> Decimal | None:
        return _decimal(self.text(name), _AMOUNT_LIMIT, RowProblem.AMOUNT_INVALID, "0.01")

    def required_amount(self, name: str, *, positive: bool = False) -> Decimal:
        amount = self.amount(name)
        if amount is None:
            raise RowError(RowProblem.AMOUNT_MISSING)
        if positive and amount <= 0:
            raise RowError(RowProblem.AMOUNT_INVALID)
        return amount

    def rate(self, name: str) -> Decimal | None:
        rate = _decimal(self.text(name), _RATE_LIMIT, RowProblem.RATE_INVALID, "0.000001")
        if rate is not None and rate < 0:
            raise RowError(RowProblem.RATE_INVALID)
        return rate

    def months(self, name: str) -> int | None:
        text = self.text(name)
        if not text:
            return None
        # Python reads no number of thousands of digits.
        is_number = len(text) <= _MAX_DIGITS and text.isascii() and text.isdigit()
        if not is_number or not 1 <= int(text) <= _MAX_MONTHS:
            raise RowError(RowProblem.TERM_INVALID)
        return int(text)

    def required_months(self, name: str) -> int:
        months = self.months(name)
        if months is None:
            raise RowError(RowProblem.TERM_INVALID)
        return months

    def day(self, name: str) -> date | None:
        text = self.text(name)
        if not text:
            return None
        try:
            day = parse_date(text, zone=self.zone)
        except ValueRefused as err:
            raise RowError(RowProblem.DATE_INVALID) from err
        return _plausible(day)

    def required_day(self, name: str) -> date:
        day = self.day(name)
        if day is None:
            raise RowError(RowProblem.DATE_MISSING)
        return day

    def moment(self, name: str) -> datetime | None:
        text = self.text(name)
        if not text:
            return None
        try:
            moment = parse_time(text, zone=self.zone)
        except EventError as err:
            raise RowError(RowProblem.DATE_INVALID) from err
        return _plausible(moment)

    def status(self, vocabulary: type[StrEnum]) -> str | None:
        text = self.text("status").lower()
        if text and text not in set(vocabulary):
            raise RowError(RowProblem.STATUS_INVALID)
        return text or None


def _product(cells: _Cells) -> LoanRow:
    name_zh, name_en = cells.text("name_zh"), cells.text("name_en")
    if not name_zh and not name_en:
        raise RowError(RowProblem.NAME_MISSING)
    values = {
        "name_zh": (name_zh or name_en)[:80],
        "name_en": name_en[:80],
        "annual_rate": cells.rate("annual_rate"),
        "min_amount": cells.amount("min_amount"),
        "max_amount": cells.amount("max_amount"),
        "term_months": cells.months("term_months"),
    }
    return LoanRow(key=cells.key("code", limit=_CODE_LENGTH), values=values)


def _application(cells: _Cells) -> LoanRow:
    submitted_at = cells.moment("submitted_at")
    if submitted_at is None:
        raise RowError(RowProblem.DATE_MISSING)
    values = {
        "amount": cells.amount("amount"),
        "channel": cells.text("channel")[:40],
        "status": cells.status(ApplicationStatus) or ApplicationStatus.SUBMITTED.value,
        "submitted_at": submitted_at,
        "decided_at": cells.moment("decided_at"),
    }
    return LoanRow(
        key=cells.key("external_id"),
        person=cells.key("customer_id", RowProblem.PERSON_MISSING),
        product=clean(cells.text("product")),
        values=values,
    )


def _loan(cells: _Cells) -> LoanRow:
    status = cells.status(LoanStatus)
    values: dict[str, Any] = {
        "principal_amount": cells.required_amount("principal_amount", positive=True),
        "annual_rate": cells.rate("annual_rate"),
        "term_months": cells.required_months("term_months"),
        "disbursed_on": cells.required_day("disbursed_on"),
        "closed_on": cells.day("closed_on"),
        "charged_off_on": cells.day("charged_off_on"),
    }
    if status is not None:
        values |= {"status": status, "is_state_reported": True}
        values["outstanding_amount"] = cells.amount("outstanding_amount")
    return LoanRow(
        key=cells.key("external_id"),
        person=cells.key("customer_id", RowProblem.PERSON_MISSING),
        product=clean(cells.text("product")),
        application=clean(cells.text("application_id")),
        values=values,
    )


def _instalment(cells: _Cells) -> LoanRow:
    loan, number = cells.key("loan_id", RowProblem.LOAN_UNKNOWN), cells.required_months("number")
    amounts = {
        "principal_amount": cells.required_amount("principal_amount"),
        "interest_amount": cells.amount("interest_amount") or Decimal(0),
        "fee_amount": cells.amount("fee_amount") or Decimal(0),
    }
    if any(amount < 0 for amount in amounts.values()):
        raise RowError(RowProblem.AMOUNT_INVALID)
    values = {"number": number, "due_on": cells.required_day("due_on"), **amounts}
    return LoanRow(key=f"{loan}/{number}", loan=loan, values=values)


def _repayment(cells: _Cells) -> LoanRow:
    values = {"paid_on": cells.required_day("paid_on"), "amount": cells.required_amount("amount")}
    loan = cells.key("loan_id", RowProblem.LOAN_UNKNOWN)
    return LoanRow(key=cells.key("external_id"), loan=loan, values=values)


_PARSERS: Mapping[LoanKind, Callable[[_Cells], LoanRow]] = {
    LoanKind.PRODUCTS: _product,
    LoanKind.APPLICATIONS: _application,
    LoanKind.LOANS: _loan,
    LoanKind.INSTALMENTS: _instalment,
    LoanKind.REPAYMENTS: _repayment,
}


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
        if number.is_finite() and abs(number) < limit:
            return number.quantize(Decimal(step))
    except InvalidOperation as err:
        raise RowError(problem) from err
    raise RowError(problem)
