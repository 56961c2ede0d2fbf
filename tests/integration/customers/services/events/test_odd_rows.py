"""Values that only some databases refuse, in files of events and loans: a finding, never a crash.

The rows beside an odd one go in, and two ids that differ stay two.
"""

import json

import pytest

from customers.domain.loans.rows import LoanKind
from customers.models import Application, Event, Loan, Product
from customers.services.events import from_file
from customers.services.loans import from_file as loans
from tests.factories.links import make_linked

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

TEXTS = {
    "nul": "a\x00b",
    "half a character": "a\ud800",
    "control characters": "\x01\x1f\x7f\u200f",
    "outside the first plane": "\U0001f600" * 40,
    "long": "x" * 5_000,
    "very long": "y" * 100_000,
    "thousands of digits": "9" * 5_000,
    "beyond bigint": "9" * 40,
    "infinite": "Infinity",
    "no number": "NaN",
    "signalling": "sNaN",
    "huge exponent": "1e999999",
    "tiny exponent": "1e-999999",
    "year 0": "0000-00-00",
    "year 1": "0001-01-01T00:00:00+14:00",
    "year 9999": "9999-12-31T23:59:59-12:00",
    "end of the calendar": "9999-12-31",
    "deep json": '{"a":' * 3_000 + "1" + "}" * 3_000,
    "json with nul": '{"a": "\\u0000"}',
    "json with half a character": '{"a": "\\ud800"}',
    "json without end": '{"a": Infinity, "b": NaN, "c": 1e999}',
    "json with thousands of digits": '{"a": ' + "9" * 5_000 + "}",
}
EVENT = {"external_id": "c1", "event": "app_login", "occurred_at": "2026-01-02T10:00:00+08:00"}
OPTIONAL = ("event_id", "amount", "channel", "subject", "properties")
ROWS = {
    LoanKind.PRODUCTS: {
        "code": "p",
        "name_zh": "贷",
        "name_en": "loan",
        "annual_rate": "0.1",
        "min_amount": "1",
        "max_amount": "9",
        "term_months": "12",
    },
    LoanKind.APPLICATIONS: {
        "external_id": "a",
        "customer_id": "c1",
        "submitted_at": "2026-01-02T10:00:00+08:00",
        "product": "",
        "amount": "1",
        "channel": "app",
        "status": "submitted",
        "decided_at": "2026-01-03T10:00:00+08:00",
    },
    LoanKind.LOANS: {
        "external_id": "l",
        "customer_id": "c1",
        "principal_amount": "9",
        "term_months": "3",
        "disbursed_on": "2026-01-02",
        "product": "",
        "application_id": "",
        "annual_rate": "0.1",
        "closed_on": "",
        "charged_off_on": "",
        "status": "",
        "outstanding_amount": "",
    },
    LoanKind.INSTALMENTS: {
        "loan_id": "l0",
        "number": "1",
        "due_on": "2026-02-02",
        "principal_amount": "3",
        "interest_amount": "1",
        "fee_amount": "0",
    },
    LoanKind.REPAYMENTS: {
        "external_id": "r",
        "loan_id": "l0",
        "paid_on": "2026-02-02",
        "amount": "3",
    },
}


def _file(tmp_path, rows):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", TEXTS)
def test_b6_no_value_in_an_event_of_a_file_stops_the_others(actor, now, tmp_path, name):
    make_linked(["c1"])
    rows = [{**EVENT, "event_id": f"good {field}"} for field in (*EVENT, *OPTIONAL)]
    odd = [
        {**EVENT, "event_id": f"odd {field}", field: TEXTS[name]} for field in (*EVENT, *OPTIONAL)
    ]
    if name.startswith("json"):
        odd.append({**EVENT, "event_id": "object", "properties": {"a": "\x00"}})
    path = _file(tmp_path, [*rows, *odd])
    result = from_file.import_events(actor=actor, path=path, source="bank", now=now)
    assert result.rows == len(rows) + len(odd)
    assert result.rows == result.created + result.duplicates + result.rejected
    assert Event.objects.filter(dedup_key__startswith="good").count() == len(rows)
    assert Event.objects.count() == result.created


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("kind", LoanKind)
def test_b6_no_value_in_a_loan_file_stops_the_others(actor, now, tmp_path, kind, name):
    make_linked(["c1"])
    first = _file(tmp_path, [{**ROWS[LoanKind.LOANS], "external_id": "l0"}])
    loans.import_loans(actor=actor, path=first, kind=LoanKind.LOANS, source="bank", now=now)
    row = ROWS[kind]
    key = next(iter(row)) if kind is not LoanKind.INSTALMENTS else "number"
    odd = [{**row, key: str(number + 2), field: TEXTS[name]} for number, field in enumerate(row)]
    path = _file(tmp_path, [row, *odd])
    result = loans.import_loans(actor=actor, path=path, kind=kind, source="bank", now=now)
    assert result.rows == len(odd) + 1
    assert result.rows == result.created + result.updated + result.unchanged + result.rejected
    assert result.created >= 1


def test_g1_long_ids_of_events_that_differ_at_the_end_are_two_events(actor, now, tmp_path):
    make_linked(["c1"])
    rows = [{**EVENT, "event_id": "x" * 300 + end} for end in ("1", "2")]
    path = _file(tmp_path, rows)
    first, second = (
        from_file.import_events(actor=actor, path=path, source="bank", now=now)
        for _again in range(2)
    )
    assert (first.created, second.created, second.duplicates) == (2, 0, 2)


def test_g1_long_codes_of_products_are_never_cut_into_one(actor, now, tmp_path):
    rows = [{**ROWS[LoanKind.PRODUCTS], "code": "x" * 60 + end} for end in ("", "1", "2")]
    path = _file(tmp_path, rows)
    result = loans.import_loans(actor=actor, path=path, kind=LoanKind.PRODUCTS, now=now)
    assert (result.created, dict(result.by_reason)) == (1, {"id_too_long": 2})
    assert Product.objects.count() == 1


def test_g1_what_a_loan_refers_to_is_found_in_any_form(actor, now, tmp_path):
    make_linked(["c1"])
    application = {**ROWS[LoanKind.APPLICATIONS], "external_id": "Ａ１"}
    for kind, rows in (
        (LoanKind.PRODUCTS, [{**ROWS[LoanKind.PRODUCTS], "code": "Ｐ１"}]),
        (LoanKind.APPLICATIONS, [{**application, "product": "Ｐ１"}]),
        (LoanKind.LOANS, [{**ROWS[LoanKind.LOANS], "product": "Ｐ１", "application_id": "Ａ１"}]),
    ):
        path = _file(tmp_path, rows)
        loans.import_loans(actor=actor, path=path, kind=kind, source="bank", now=now)
    loan = Loan.objects.get()
    assert (loan.product.code, loan.application_id) == ("P1", Application.objects.get().pk)
