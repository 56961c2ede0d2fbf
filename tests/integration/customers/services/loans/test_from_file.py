import csv
from datetime import date
from decimal import Decimal

import pytest

from customers.domain.loans.loan import Bucket
from customers.domain.loans.rows import LoanKind
from customers.models import Customer, Instalment, Loan, Product, Repayment
from customers.selectors.profile import page
from customers.services.loans import from_file
from loancrm.kernel import clock
from loancrm.kernel.access import Actor, ActorKind, PermissionRefused
from tests.factories.links import make_linked

PRODUCTS = [{"code": "cash-12", "name_zh": "现金贷", "annual_rate": "0.18", "term_months": "12"}]
LOANS = [
    {
        "external_id": "L1",
        "customer_id": "c1",
        "product": "cash-12",
        "principal_amount": "300",
        "term_months": "3",
        "disbursed_on": "2025-11-15",
        "closed_on": "",
    },
    {
        "external_id": "L2",
        "customer_id": "c2",
        "product": "",
        "principal_amount": "300.00",
        "term_months": "3",
        "disbursed_on": "2025-11-15",
        "closed_on": "",
    },
]
INSTALMENTS = [
    {
        "loan_id": loan,
        "number": number,
        "due_on": due,
        "principal_amount": "100",
        "interest_amount": "5",
    }
    for loan in ("L1", "L2")
    for number, due in enumerate(("2025-12-15", "2026-01-15", "2026-02-15"), start=1)
]
# L1 is paid late and in full; of L2 the first instalment is paid in part and one payment bounces.
REPAYMENTS = [
    {"external_id": "p1", "loan_id": "L1", "paid_on": "2026-02-15", "amount": "315"},
    {"external_id": "p2", "loan_id": "L2", "paid_on": "2025-12-15", "amount": "55"},
    {"external_id": "p3", "loan_id": "L2", "paid_on": "2026-01-10", "amount": "200"},
    {"external_id": "p4", "loan_id": "L2", "paid_on": "2026-01-20", "amount": "-200"},
]


def _file(tmp_path, rows):
    path = tmp_path / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def take_in(actor, now, tmp_path):
    def run(kind, rows):
        result = from_file.import_loans(
            actor=actor, path=_file(tmp_path, rows), kind=LoanKind(kind), now=now
        )
        assert result.rows == len(rows)
        assert result.rows == sum(
            (result.created, result.updated, result.unchanged, result.rejected)
        )
        return result

    return run


@pytest.fixture
def tape(take_in):
    make_linked(["c1", "c2"])
    for kind, rows in (
        ("products", PRODUCTS),
        ("loans", LOANS),
        ("instalments", INSTALMENTS),
        ("repayments", REPAYMENTS),
    ):
        assert take_in(kind, rows).created == len(rows)


def _states():
    columns = ("status", "dpd_days", "max_dpd_days", "outstanding_amount", "settled_on")
    return {loan.pop("external_id"): loan for loan in Loan.objects.values("external_id", *columns)}


@pytest.mark.sql
@pytest.mark.django_db
def test_b3_a_repayment_tape_gives_the_states_worked_out_by_hand(tape):
    # On 4 March: L1 was unpaid from 15 December to the day before 15 February. L2 owes part of its
    # first instalment since 15 December (79 days), for the second payment bounced.
    assert _states() == {
        "L1": {
            "status": "settled",
            "dpd_days": 0,
            "max_dpd_days": 61,
            "outstanding_amount": Decimal(0),
            "settled_on": date(2026, 2, 15),
        },
        "L2": {
            "status": "overdue",
            "dpd_days": 79,
            "max_dpd_days": 79,
            "outstanding_amount": Decimal(250),
            "settled_on": None,
        },
    }
    assert dict(Customer.objects.values_list("external_id", "lifecycle_stage")) == {
        "c1": "repaid",
        "c2": "active",
    }


@pytest.mark.sql
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("number", "dpd_days", "bucket", "months_on_book"),
    # L1 ended after three months; of L2 the fourth month ends on 15 March.
    [("c1", 0, Bucket.M0, 3), ("c2", 79, Bucket.M3, 3)],
)
def test_b3_the_profile_shows_days_past_due_and_months_on_book_of_the_tape(
    tape, now, number, dpd_days, bucket, months_on_book
):
    customer = Customer.objects.get(identity_links__external_id=number)

    (shown,) = page.profile(
        customer, today=date(2026, 3, 4), now=now, zone=clock.company_zone()
    ).loans

    assert (shown.loan.dpd_days, shown.bucket) == (dpd_days, bucket)
    assert shown.months_on_book == months_on_book


@pytest.mark.sql
@pytest.mark.django_db
def test_the_same_files_again_change_nothing(tape, take_in):
    before = _states()
    for kind, rows in (
        ("products", PRODUCTS),
        ("loans", LOANS),
        ("instalments", INSTALMENTS),
        ("repayments", REPAYMENTS),
    ):
        assert take_in(kind, rows).unchanged == len(rows)

    assert _states() == before


@pytest.mark.sql
@pytest.mark.django_db
def test_a_changed_row_is_updated_and_empty_cells_erase_nothing(tape, take_in):
    changed = {**LOANS[0], "product": "", "closed_on": "2026-02-20", "principal_amount": "301"}

    result = take_in("loans", [changed, LOANS[1]])

    assert (result.updated, result.unchanged) == (1, 1)
    loan = Loan.objects.get(external_id="L1")
    assert loan.product == Product.objects.get()
    assert (loan.principal_amount, loan.closed_on) == (301, date(2026, 2, 20))


@pytest.mark.django_db
def test_a_late_payment_cures_the_loan(tape, take_in):
    take_in(
        "repayments",
        [{"external_id": "p5", "loan_id": "L2", "paid_on": "2026-03-01", "amount": "260"}],
    )

    assert _states()["L2"]["status"] == "settled"
    assert _states()["L2"]["max_dpd_days"] == 75


@pytest.mark.sql
@pytest.mark.django_db
def test_states_are_derived_for_any_day(tape, actor, now):
    count = from_file.refresh_loan_states(actor=actor, now=now, as_of=date(2026, 1, 10))

    assert count == 2
    states = _states()
    assert (states["L1"]["status"], states["L1"]["dpd_days"]) == ("overdue", 26)
    assert (states["L2"]["status"], states["L2"]["dpd_days"]) == ("active", 0)
    assert states["L2"]["max_dpd_days"] == 25
    assert set(Loan.objects.values_list("state_as_of", flat=True)) == {date(2026, 1, 10)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "row", "reason"),
    [
        ("products", {"code": "x", "name_zh": ""}, "name_missing"),
        ("loans", {**LOANS[0], "external_id": ""}, "id_missing"),
        ("loans", {**LOANS[0], "customer_id": "zz"}, "person_unknown"),
        ("loans", {**LOANS[0], "product": "zz"}, "product_unknown"),
        ("loans", {**LOANS[0], "principal_amount": "0"}, "amount_invalid"),
        ("loans", {**LOANS[0], "principal_amount": ""}, "amount_missing"),
        ("loans", {**LOANS[0], "term_months": "0"}, "term_invalid"),
        ("loans", {**LOANS[0], "disbursed_on": "2025-11-15 or so"}, "date_invalid"),
        ("loans", {**LOANS[0], "disbursed_on": ""}, "date_missing"),
        ("loans", {**LOANS[0], "status": "weird"}, "status_invalid"),
        ("instalments", {**INSTALMENTS[0], "loan_id": "zz"}, "loan_unknown"),
        ("instalments", {**INSTALMENTS[0], "principal_amount": "-1"}, "amount_invalid"),
        ("repayments", {**REPAYMENTS[0], "loan_id": "zz"}, "loan_unknown"),
        ("repayments", {**REPAYMENTS[0], "amount": "inf"}, "amount_invalid"),
    ],
)
def test_a_wrong_row_is_rejected_with_its_reason_and_nothing_is_written(take_in, kind, row, reason):
    make_linked(["c1", "c2"])

    result = take_in(kind, [row])

    assert result.by_reason == {reason: 1}
    assert not any(table.objects.exists() for table in (Product, Loan, Instalment, Repayment))


@pytest.mark.django_db
def test_applications_are_taken_in_and_linked_to_their_loans(take_in):
    make_linked(["c1", "c2"])
    application = {
        "external_id": "A1",
        "customer_id": "c1",
        "submitted_at": "2025-11-10T10:00:00+08:00",
        "amount": "300",
        "status": "approved",
    }

    assert take_in("applications", [application]).created == 1
    assert take_in("loans", [{**LOANS[0], "product": "", "application_id": "A1"}]).created == 1

    assert Loan.objects.get().application.status == "approved"


@pytest.mark.django_db
def test_a_state_that_the_source_reports_is_kept(take_in, actor, now):
    make_linked(["c1", "c2"])
    row = {**LOANS[0], "product": "", "status": "overdue", "outstanding_amount": "120"}

    take_in("loans", [row])
    from_file.refresh_loan_states(actor=actor, now=now)

    loan = Loan.objects.get()
    assert (loan.status, loan.is_state_reported, loan.outstanding_amount) == ("overdue", True, 120)


@pytest.mark.django_db
def test_without_permission_nothing_is_read(now, tmp_path):
    stranger = Actor(kind=ActorKind.USER, id="1", label="x")

    with pytest.raises(PermissionRefused):
        from_file.import_loans(
            actor=stranger, path=tmp_path / "none.csv", kind=LoanKind.LOANS, now=now
        )
    with pytest.raises(PermissionRefused):
        from_file.refresh_loan_states(actor=stranger, now=now)
