"""Rows of files and calls about credit elsewhere, income and bought values, in normal form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from customers.domain.credit.affordability import FlowKind
from customers.domain.credit.bureau import VALID_DAYS, PullPurpose
from customers.domain.loans.cells import ID_LENGTH, RowCells, RowError, RowProblem
from customers.domain.values.words import clean

_NAME_LENGTH = 50
_TEXT_LENGTH = 200
_SOURCE_LENGTH = 60


class CreditKind(StrEnum):
    """What a file or call is about."""

    PULLS = "pulls"
    TRADELINES = "tradelines"
    INQUIRIES = "inquiries"
    FLOWS = "flows"
    VENDOR_VALUES = "vendor_values"


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One row: its own id, whom or what it is about, and the columns that it sets.

    Attributes:
        person: External id of the customer; empty where the row belongs to a pull.
        pull: External id of the pull that reported it.
    """

    key: str
    values: Mapping[str, Any]
    person: str = ""
    pull: str = ""


def parse_row(kind: CreditKind, row: Mapping[str, Any], *, zone: tzinfo) -> CreditRow:
    """Return the checked row of a file of one kind.

    Columns, those in brackets optional:
        pulls: external_id, customer_id, purpose, consent_reference, pulled_on, [valid_until,
            cost_amount, vendor]
        tradelines: external_id, pull_id, opened_on, [closed_on, lender, product, limit_amount,
            balance_amount, max_dpd_days]
        inquiries: external_id, pull_id, inquired_on, [lender, reason]
        flows: external_id, customer_id, kind (income or obligation), monthly_amount, valid_from,
            [valid_until, label, share, joint_reference, is_verified]
        vendor_values: external_id, customer_id, name, value, obtained_on, valid_until,
            [cost_amount, vendor]; the value is a number where it reads as one

    `vendor` names the data source whose contract covers the row; the handing-in one where absent.

    Raises:
        RowError: A value is missing or invalid.
    """
    return _PARSERS[kind](RowCells(row, zone))


def _pull(cells: RowCells) -> CreditRow:
    purpose = cells.word("purpose", PullPurpose, RowProblem.PURPOSE_INVALID)
    if purpose is None:
        raise RowError(RowProblem.PURPOSE_INVALID)
    day = cells.required_day("pulled_on")
    ends = cells.day("valid_until") or day + timedelta(days=VALID_DAYS)
    if ends < day:
        raise RowError(RowProblem.DATE_INVALID)
    values = {
        "vendor": _vendor(cells),
        "purpose": purpose,
        # Whoever asks a bureau must be able to show the person's consent to this very question.
        "consent_reference": cells.key(
            "consent_reference", RowProblem.CONSENT_MISSING, limit=ID_LENGTH
        ),
        "pulled_on": day,
        "valid_until": ends,
        "cost_amount": _not_negative(cells, "cost_amount"),
    }
    return _of_person(cells, values)


def _tradeline(cells: RowCells) -> CreditRow:
    opened, closed = cells.required_day("opened_on"), cells.day("closed_on")
    if closed is not None and closed < opened:
        raise RowError(RowProblem.DATE_INVALID)
    values = {
        "opened_on": opened,
        "closed_on": closed,
        "lender": cells.text("lender")[:_TEXT_LENGTH],
        "product": cells.text("product")[:_TEXT_LENGTH],
        "limit_amount": _not_negative(cells, "limit_amount"),
        "balance_amount": _not_negative(cells, "balance_amount") or Decimal(0),
        "max_dpd_days": cells.days("max_dpd_days") or 0,
    }
    return _of_pull(cells, values)


def _inquiry(cells: RowCells) -> CreditRow:
    values = {
        "inquired_on": cells.required_day("inquired_on"),
        "lender": cells.text("lender")[:_TEXT_LENGTH],
        "reason": cells.text("reason")[:_TEXT_LENGTH],
    }
    return _of_pull(cells, values)


def _flow(cells: RowCells) -> CreditRow:
    kind = cells.word("kind", FlowKind, RowProblem.KIND_INVALID)
    if kind is None:
        raise RowError(RowProblem.KIND_INVALID)
    amount = cells.required_amount("monthly_amount")
    if kind == FlowKind.OBLIGATION and amount < 0:
        raise RowError(RowProblem.AMOUNT_INVALID)
    share = Decimal(1)
    if cells.text("share"):
        share = cells.rate("share") or Decimal(0)
    if not 0 < share <= 1:
        raise RowError(RowProblem.SHARE_INVALID)
    begins, ends = cells.required_day("valid_from"), cells.day("valid_until")
    if ends is not None and ends < begins:
        raise RowError(RowProblem.DATE_INVALID)
    values = {
        "kind": kind,
        "label": cells.text("label")[:_TEXT_LENGTH],
        "monthly_amount": amount,
        "share": share,
        "joint_reference": clean(cells.text("joint_reference"))[:ID_LENGTH],
        "is_verified": cells.text("is_verified").lower() in {"1", "true", "yes", "是"},
        "valid_from": begins,
        "valid_until": ends,
    }
    return _of_person(cells, values)


def _vendor_value(cells: RowCells) -> CreditRow:
    name = clean(cells.text("name")).lower()
    if not name.replace("_", "").isalnum() or not name.isascii() or len(name) > _NAME_LENGTH:
        raise RowError(RowProblem.NAME_MISSING)
    text = cells.text("value")
    if not text:
        raise RowError(RowProblem.VALUE_MISSING)
    number = _number(cells)
    obtained, ends = cells.required_day("obtained_on"), cells.required_day("valid_until")
    if ends < obtained:
        raise RowError(RowProblem.DATE_INVALID)
    values = {
        "vendor": _vendor(cells),
        "name": name,
        "number": number,
        "text": "" if number is not None else text[:_TEXT_LENGTH],
        "obtained_on": obtained,
        "valid_until": ends,
        "cost_amount": _not_negative(cells, "cost_amount"),
    }
    return _of_person(cells, values)


_PARSERS: Mapping[CreditKind, Callable[[RowCells], CreditRow]] = {
    CreditKind.PULLS: _pull,
    CreditKind.TRADELINES: _tradeline,
    CreditKind.INQUIRIES: _inquiry,
    CreditKind.FLOWS: _flow,
    CreditKind.VENDOR_VALUES: _vendor_value,
}


def _of_person(cells: RowCells, values: Mapping[str, Any]) -> CreditRow:
    return CreditRow(
        key=cells.key("external_id"),
        person=cells.key("customer_id", RowProblem.PERSON_MISSING),
        values=values,
    )


def _of_pull(cells: RowCells, values: Mapping[str, Any]) -> CreditRow:
    return CreditRow(
        key=cells.key("external_id"),
        pull=cells.key("pull_id", RowProblem.PULL_UNKNOWN),
        values=values,
    )


def _vendor(cells: RowCells) -> str:
    name = clean(cells.text("vendor"))
    if len(name) > _SOURCE_LENGTH:
        raise RowError(RowProblem.ID_TOO_LONG)
    return name


def _not_negative(cells: RowCells, name: str) -> Decimal | None:
    amount = cells.amount(name)
    if amount is not None and amount < 0:
        raise RowError(RowProblem.AMOUNT_INVALID)
    return amount


def _number(cells: RowCells) -> Decimal | None:
    try:
        return cells.amount("value")
    except RowError:
        return None
