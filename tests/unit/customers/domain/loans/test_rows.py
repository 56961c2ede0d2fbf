from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.domain.loans.rows import LoanKind, RowError, parse_row

ZONE = ZoneInfo("Asia/Shanghai")
ROWS = {
    "products": {"code": "p", "name_en": "Cash", "annual_rate": "0.18", "term_months": "12"},
    "applications": {"external_id": "A", "customer_id": "c", "submitted_at": "2026-01-01"},
    "loans": {
        "external_id": "L",
        "customer_id": "c",
        "principal_amount": "100.005",
        "term_months": "3",
        "disbursed_on": "2026-01-15T10:00:00",
    },
    "instalments": {
        "loan_id": "L",
        "number": "1",
        "due_on": "2026-02-15",
        "principal_amount": "1",
    },
    "repayments": {"external_id": "r", "loan_id": "L", "paid_on": "2026-02-15", "amount": "-5"},
}


def _parse(kind, **changes):
    return parse_row(LoanKind(kind), {**ROWS[kind], **changes}, zone=ZONE)


def test_a_loan_row_is_taken_in_normal_form():
    row = _parse("loans", product="cash", application_id="A", closed_on=None)

    assert (row.key, row.person, row.product, row.application) == ("L", "c", "cash", "A")
    assert row.values == {
        "principal_amount": Decimal("100.00"),
        "annual_rate": None,
        "term_months": 3,
        "disbursed_on": date(2026, 1, 15),
        "closed_on": None,
        "charged_off_on": None,
    }


def test_a_status_makes_the_state_a_reported_one():
    row = _parse("loans", status="SETTLED", outstanding_amount="0")

    assert row.values["is_state_reported"] is True
    assert (row.values["status"], row.values["outstanding_amount"]) == ("settled", 0)


def test_one_name_of_a_product_serves_for_both():
    assert _parse("products").values["name_zh"] == "Cash"


def test_an_instalment_is_known_by_loan_and_number():
    row = _parse("instalments", fee_amount="2")

    assert (row.key, row.loan) == ("L/1", "L")
    assert (row.values["fee_amount"], row.values["interest_amount"]) == (2, 0)


@pytest.mark.parametrize(
    ("kind", "changes", "problem"),
    [
        ("products", {"annual_rate": "-0.1"}, "rate_invalid"),
        ("products", {"annual_rate": "18"}, "rate_invalid"),
        ("products", {"term_months": "601"}, "term_invalid"),
        ("products", {"term_months": "１２"}, "term_invalid"),
        ("applications", {"submitted_at": ""}, "date_missing"),
        ("applications", {"submitted_at": "x"}, "date_invalid"),
        ("applications", {"decided_at": "x"}, "date_invalid"),
        ("applications", {"status": "maybe"}, "status_invalid"),
        ("applications", {"customer_id": " "}, "person_missing"),
        ("applications", {"external_id": "x" * 101}, "id_too_long"),
        ("loans", {"term_months": ""}, "term_invalid"),
        ("loans", {"principal_amount": "1e12"}, "amount_invalid"),
        ("instalments", {"loan_id": ""}, "loan_unknown"),
        ("repayments", {"amount": ""}, "amount_missing"),
    ],
)
def test_a_wrong_value_is_refused_with_its_problem(kind, changes, problem):
    with pytest.raises(RowError) as caught:
        _parse(kind, **changes)

    assert caught.value.problem == problem


@settings(deadline=None)
@given(st.data())
def test_any_text_is_taken_or_refused_and_never_breaks(data):
    kind = data.draw(st.sampled_from(sorted(ROWS)))
    name = data.draw(st.sampled_from([*ROWS[kind], "status", "annual_rate", "closed_on"]))
    text = data.draw(st.text(max_size=20))
    try:
        row = _parse(kind, **{name: text})
    except RowError:
        return

    assert row.key


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-02-14T16:00:00Z", date(2026, 2, 15)),
        ("2026/2/15", date(2026, 2, 15)),
        ("2026-02-15T23:59:59+08:00", date(2026, 2, 15)),
    ],
)
def test_g4_loans_read_days_as_every_other_door_does(text, day):
    assert _parse("repayments", paid_on=text).values["paid_on"] == day
    assert _parse("instalments", due_on=text).values["due_on"] == day
    assert _parse("loans", disbursed_on=text).values["disbursed_on"] == day


def test_g4_what_stands_after_a_loans_day_is_a_finding():
    with pytest.raises(RowError) as caught:
        _parse("repayments", paid_on="2026-02-15 and more")
    assert caught.value.problem.value == "date_invalid"
