"""The loan book by month: derived by the one function, adding up on both databases."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from analytics.domain.credit import rolling, vintages
from analytics.domain.credit.assumptions import AssumptionName
from analytics.domain.credit.month_ends import BookedLoan, BookState, months_of_loan
from analytics.models import CreditEstimate, LoanHistory, LoanMonthEnd
from analytics.selectors.credit import loan_book as book
from analytics.selectors.credit import values
from analytics.services.credit import loan_book
from customers.models import Loan
from customers.selectors.loan_books import load_books
from loancrm.kernel.access import PermissionRefused, system_actor, user_actor
from tests.factories.loans import make_loan, on, pay
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

AS_OF = date(2026, 7, 15)
NOW = datetime(2026, 7, 15, 4, tzinfo=UTC)


def derive(as_of=AS_OF):
    return loan_book.derive_loan_book(actor=system_actor("test"), as_of=as_of, now=NOW)


@pytest.fixture
def lent():
    """One who never pays, one who pays, one charged off, one closed, and three without months."""
    (person,) = make_people(1)
    dues = ["2026-02-10", "2026-03-10", "2026-04-10", "2026-05-10", "2026-06-10", "2026-07-10"]
    january = on("2026-01-10")
    return {
        "late": make_loan(person, "late", january),
        "good": make_loan(person, "good", january, paid=[(on(day), 100) for day in dues]),
        "lost": make_loan(
            person, "lost", on("2026-01-20"), charged_off_on=on("2026-06-30"), status="charged_off"
        ),
        "closed": make_loan(person, "closed", on("2026-02-03"), closed_on=on("2026-04-01")),
        "cancelled": make_loan(person, "cancelled", january, status="cancelled"),
        "reported": make_loan(person, "reported", january, is_state_reported=True),
        "planless": Loan.objects.create(
            customer=person,
            source="bank",
            external_id="planless",
            disbursed_on=january,
            principal_amount=5,
            term_months=1,
            status="active",
        ),
    }


def test_months_are_those_of_the_domain_for_every_loan(lent):
    found = derive()

    assert found.loan_count == 4
    for name in ("late", "good", "lost", "closed"):
        loan = lent[name]
        own = load_books(loan_ids=[loan.pk])[loan.pk]
        booked = BookedLoan(
            loan.disbursed_on, own.schedule, own.payments, loan.closed_on, loan.charged_off_on
        )
        expected = months_of_loan(booked, as_of=AS_OF)
        rows = LoanMonthEnd.objects.filter(loan=loan).order_by("month")
        assert [(r.month, r.opening, r.closing, r.closing_cents) for r in rows] == [
            (m.month, m.opening, m.closing, m.closing_cents) for m in expected
        ]
    cover = book.load_cover()
    assert (cover.derived_count, cover.left_out_count) == (4, 2)
    assert (cover.first_month, cover.last_month) == (date(2026, 1, 31), date(2026, 6, 30))


def test_flows_of_each_bucket_and_of_the_book_add_up_and_a_second_run_writes_the_same(lent):
    derive()
    rolls = book.load_rolls(first=date(2026, 1, 1), last=AS_OF)
    for flow in rolling.bucket_flows(rolls):
        own = flow.opening_amount + flow.new_amount - flow.paid_amount - flow.charged_off_amount
        assert own + flow.rolled_in_amount - flow.rolled_out_amount == flow.closing_amount
    last = [flow for flow in rolling.bucket_flows(rolls) if flow.month == date(2026, 6, 30)]
    assert {flow.bucket: flow.closing_amount for flow in last} == {
        "M0": Decimal(700),
        "M1": 0,
        "M2": 0,
        "M3": 0,
        "M3+": Decimal(1200),
    }
    assert sum(flow.charged_off_amount for flow in last) == Decimal(1200)

    derive()

    assert book.load_rolls(first=date(2026, 1, 1), last=AS_OF) == rolls


def test_a_loan_that_changes_is_derived_anew(lent):
    derive()
    pay(lent["late"], (on("2026-03-01"), 1200))

    derive()

    last = LoanMonthEnd.objects.filter(loan=lent["late"]).order_by("month").last()
    assert (last.month, last.closing) == (date(2026, 3, 31), "settled")
    assert LoanHistory.objects.get(loan=lent["late"]).month_90 is None


def test_the_database_refuses_a_month_that_does_not_add_up(lent):
    derive()
    row = LoanMonthEnd.objects.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        LoanMonthEnd.objects.filter(pk=row.pk).update(paid_cents=row.paid_cents + 1)


def test_the_triangle_is_blank_where_only_part_of_the_loans_has_come(lent):
    derive()

    rows = vintages.triangle(
        book.load_cohorts(threshold_days=30), threshold_days=30, as_of=AS_OF, months=7
    )

    january, february = rows
    assert (january.loan_count, january.amount) == (3, Decimal(3600))
    # Two of January's three reached 30 days in month 3 (due on 10 or 20 February).
    assert [cell.bad_count for cell in january.cells[:5]] == [0, 0, 2, 2, 2]
    # The loans of 10 January have been on book for six months, the one of 20 January for five.
    assert [cell.rate is None for cell in january.cells] == [False] * 5 + [True] * 2
    assert [cell.rate for cell in february.cells[:3]] == [0, 0, 0]


def test_every_cell_opens_its_loans(lent):
    derive()
    cells = rolling.roll_matrix(book.load_rolls(first=date(2026, 1, 1), last=AS_OF))
    for (opening, closing), cell in cells.items():
        rows = book.rolled_loans(
            first=date(2026, 1, 1), last=AS_OF, opening=[opening], closing=[closing]
        )
        assert rows.count() == cell.loan_count
    assert cells[BookState.M0, BookState.M1].loan_count == 3
    bad = book.vintage_loans(cohort=date(2026, 1, 1), threshold_days=30, month=3)
    assert {loan.external_id for loan in bad} == {"late", "lost"}
    whole = book.vintage_loans(cohort=date(2026, 1, 1), threshold_days=30, month=None)
    assert whole.count() == 3


def test_a_default_is_a_case_with_what_came_in_after_it(lent):
    pay(lent["late"], (on("2026-05-11"), 50), (on("2026-06-01"), 30), (on("2026-07-20"), 9))
    derive()

    cases = book.load_default_cases(as_of=AS_OF)

    late, lost = sorted(cases, key=lambda case: case.defaulted_date)
    assert (late.defaulted_date, late.exposure) == (date(2026, 5, 11), 1150.0)
    assert list(late.recoveries) == [(date(2026, 6, 1), 30.0)]
    assert lost.defaulted_date == date(2026, 5, 21)


def test_a_small_book_tells_nothing_and_assumptions_stand(lent):
    assert derive().estimates == ()

    found = values.load_values()

    assert {value.origin for value in found.values()} == {"built_in"}
    assert found[AssumptionName.LOSS_GIVEN_DEFAULT].value == 0.65


def test_a_book_that_is_large_enough_tells_its_losses(django_assert_max_num_queries):
    people = make_people(1)
    for number in range(40):
        make_loan(
            people[0],
            f"bad-{number}",
            on("2025-01-10"),
            paid=[(on("2025-06-01"), 600)] if number % 2 else [],
        )
    derive()

    found = values.load_values()[AssumptionName.LOSS_GIVEN_DEFAULT]

    # Half of the cases gave half back in the first month after their default.
    assert (found.origin, found.case_count) == ("estimated", 40)
    assert found.value == pytest.approx(0.75)
    assert found.low < 0.75 < found.high
    assert CreditEstimate.objects.get().details["open_count"] == 40
    with django_assert_max_num_queries(2):
        assert float(values.return_assumptions().loss_given_default) == pytest.approx(0.75)


def test_a_book_that_tells_nothing_any_more_lets_no_older_estimate_stand(lent):
    CreditEstimate.objects.create(
        name=AssumptionName.LOSS_GIVEN_DEFAULT, value=0.3, case_count=40, as_of=on("2025-07-20")
    )
    assert values.load_values()[AssumptionName.LOSS_GIVEN_DEFAULT].origin == "estimated"

    assert derive().estimates == ()

    found = values.load_values()[AssumptionName.LOSS_GIVEN_DEFAULT]
    assert (found.origin, found.value) == ("built_in", 0.65)


def test_only_who_may_derives_the_book(django_user_model):
    clerk = django_user_model.objects.create_user("clerk")
    with pytest.raises(PermissionRefused):
        loan_book.derive_loan_book(actor=user_actor(clerk), as_of=AS_OF, now=NOW)


def test_queries_do_not_grow_with_the_loans(lent, django_assert_max_num_queries):
    derive()
    with django_assert_max_num_queries(2):
        book.load_default_cases(as_of=AS_OF)
    with django_assert_max_num_queries(1):
        book.load_rolls(first=date(2026, 1, 1), last=AS_OF)
