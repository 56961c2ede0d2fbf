"""Rows about credit, row by row."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from customers.domain.credit.rows import CreditKind, parse_row
from customers.domain.loans.cells import RowError, RowProblem

ZONE = ZoneInfo("Asia/Shanghai")
PULL = {
    "external_id": "p1",
    "customer_id": "c1",
    "purpose": "credit_review",
    "consent_reference": "K-77",
    "pulled_on": "2026-06-01",
}
LINE = {"external_id": "t1", "pull_id": "p1", "opened_on": "2020-01-31"}
ASKED = {"external_id": "i1", "pull_id": "p1", "inquired_on": "2026-05-20"}
FLOW = {
    "external_id": "f1",
    "customer_id": "c1",
    "kind": "income",
    "monthly_amount": "8000",
    "valid_from": "2026-01-01",
}
BOUGHT = {
    "external_id": "v1",
    "customer_id": "c1",
    "name": "income_index",
    "value": "61.5",
    "obtained_on": "2026-06-01",
    "valid_until": "2026-09-01",
}
ROWS = {
    CreditKind.PULLS: PULL,
    CreditKind.TRADELINES: LINE,
    CreditKind.INQUIRIES: ASKED,
    CreditKind.FLOWS: FLOW,
    CreditKind.VENDOR_VALUES: BOUGHT,
}


def parsed(kind, /, **fields):
    return parse_row(kind, {**ROWS[kind], **fields}, zone=ZONE)


def test_a_report_is_used_for_half_a_year_where_the_bureau_says_nothing():
    row = parsed(CreditKind.PULLS)
    assert (row.key, row.person, row.values["valid_until"]) == ("p1", "c1", date(2026, 11, 28))


def test_a_value_that_reads_as_a_number_is_one():
    assert parsed(CreditKind.VENDOR_VALUES).values["number"] == Decimal("61.50")
    row = parsed(CreditKind.VENDOR_VALUES, value="高")
    assert (row.values["number"], row.values["text"]) == (None, "高")


def test_a_trader_may_have_a_loss_and_nobody_owes_less_than_nothing():
    assert parsed(CreditKind.FLOWS, monthly_amount="-500").values["monthly_amount"] == -500
    with pytest.raises(RowError) as error:
        parsed(CreditKind.FLOWS, kind="obligation", monthly_amount="-1")
    assert error.value.problem is RowProblem.AMOUNT_INVALID


@pytest.mark.parametrize(
    ("kind", "fields", "problem"),
    [
        (CreditKind.PULLS, {"purpose": ""}, RowProblem.PURPOSE_INVALID),
        (CreditKind.PULLS, {"purpose": "curiosity"}, RowProblem.PURPOSE_INVALID),
        (CreditKind.PULLS, {"consent_reference": " "}, RowProblem.CONSENT_MISSING),
        (CreditKind.PULLS, {"customer_id": ""}, RowProblem.PERSON_MISSING),
        (CreditKind.PULLS, {"valid_until": "2026-05-31"}, RowProblem.DATE_INVALID),
        (CreditKind.PULLS, {"cost_amount": "-1"}, RowProblem.AMOUNT_INVALID),
        (CreditKind.PULLS, {"vendor": "v" * 61}, RowProblem.ID_TOO_LONG),
        (CreditKind.TRADELINES, {"pull_id": ""}, RowProblem.PULL_UNKNOWN),
        (CreditKind.TRADELINES, {"closed_on": "2020-01-30"}, RowProblem.DATE_INVALID),
        (CreditKind.TRADELINES, {"max_dpd_days": "-3"}, RowProblem.TERM_INVALID),
        (CreditKind.TRADELINES, {"max_dpd_days": "9" * 6}, RowProblem.TERM_INVALID),
        (CreditKind.TRADELINES, {"limit_amount": "NaN"}, RowProblem.AMOUNT_INVALID),
        (CreditKind.INQUIRIES, {"inquired_on": ""}, RowProblem.DATE_MISSING),
        (CreditKind.FLOWS, {"kind": "gift"}, RowProblem.KIND_INVALID),
        (CreditKind.FLOWS, {"kind": ""}, RowProblem.KIND_INVALID),
        (CreditKind.FLOWS, {"monthly_amount": ""}, RowProblem.AMOUNT_MISSING),
        (CreditKind.FLOWS, {"share": "0"}, RowProblem.SHARE_INVALID),
        (CreditKind.FLOWS, {"share": "1.1"}, RowProblem.SHARE_INVALID),
        (CreditKind.FLOWS, {"valid_until": "2025-12-31"}, RowProblem.DATE_INVALID),
        (CreditKind.VENDOR_VALUES, {"name": "a b"}, RowProblem.NAME_MISSING),
        (CreditKind.VENDOR_VALUES, {"value": ""}, RowProblem.VALUE_MISSING),
        (CreditKind.VENDOR_VALUES, {"valid_until": ""}, RowProblem.DATE_MISSING),
        (CreditKind.VENDOR_VALUES, {"external_id": ""}, RowProblem.ID_MISSING),
    ],
)
def test_a_wrong_row_says_why(kind, fields, problem):
    with pytest.raises(RowError) as error:
        parsed(kind, **fields)
    assert error.value.problem is problem
