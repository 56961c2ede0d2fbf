"""Rows of loan files, checked and in normal form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from customers.domain.loans.application import ApplicationStatus
from customers.domain.loans.cells import RowCells, RowError, RowProblem
from customers.domain.loans.loan import LoanStatus
from customers.domain.values.words import clean

_CODE_LENGTH = 60


class LoanKind(StrEnum):
    """What a file of the lending side holds."""

    PRODUCTS = "products"
    APPLICATIONS = "applications"
    LOANS = "loans"
    INSTALMENTS = "instalments"
    REPAYMENTS = "repayments"


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
    return _PARSERS[kind](RowCells(row, zone))


def _product(cells: RowCells) -> LoanRow:
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


def _application(cells: RowCells) -> LoanRow:
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


def _loan(cells: RowCells) -> LoanRow:
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


def _instalment(cells: RowCells) -> LoanRow:
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


def _repayment(cells: RowCells) -> LoanRow:
    values = {"paid_on": cells.required_day("paid_on"), "amount": cells.required_amount("amount")}
    loan = cells.key("loan_id", RowProblem.LOAN_UNKNOWN)
    return LoanRow(key=cells.key("external_id"), loan=loan, values=values)


_PARSERS: Mapping[LoanKind, Callable[[RowCells], LoanRow]] = {
    LoanKind.PRODUCTS: _product,
    LoanKind.APPLICATIONS: _application,
    LoanKind.LOANS: _loan,
    LoanKind.INSTALMENTS: _instalment,
    LoanKind.REPAYMENTS: _repayment,
}
