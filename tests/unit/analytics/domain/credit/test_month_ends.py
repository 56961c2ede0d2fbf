"""Months of loans: the one function of days past due, and balances that add up to the cent."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.credit import month_ends
from analytics.domain.credit.month_ends import BookedLoan, BookState
from customers.domain.loans.instalments import add_months, equal_instalment_schedule
from customers.domain.loans.loan import Payment, bucket_of, days_past_due, loan_state

BOOKED = date(2025, 1, 15)
PLAN = equal_instalment_schedule(
    principal_amount=Decimal(1200), annual_rate=Decimal(0), months=12, disbursed_date=BOOKED
)


def loan(*payments, **columns):
    given_payments = [Payment(day, Decimal(amount)) for day, amount in payments]
    return BookedLoan(disbursed_date=BOOKED, schedule=PLAN, payments=given_payments, **columns)


def test_a_loan_that_pays_nothing_rolls_through_the_buckets():
    months = month_ends.months_of_loan(loan(), as_of=date(2025, 6, 30))

    assert [m.month for m in months] == [
        date(2025, 1, 31),
        date(2025, 2, 28),
        date(2025, 3, 31),
        date(2025, 4, 30),
        date(2025, 5, 31),
        date(2025, 6, 30),
    ]
    assert [(m.opening, m.closing) for m in months] == [
        ("new", "M0"),
        ("M0", "M1"),
        ("M1", "M2"),
        ("M2", "M3"),
        ("M3", "M3+"),
        ("M3+", "M3+"),
    ]
    assert [m.new_cents for m in months] == [120_000, 0, 0, 0, 0, 0]


def test_a_charge_off_takes_the_balance_out_for_good():
    months = month_ends.months_of_loan(
        loan((date(2025, 2, 15), 100), (date(2025, 8, 1), 50), charged_off_date=date(2025, 7, 20)),
        as_of=date(2025, 12, 31),
    )

    last = months[-1]
    assert (last.month, last.closing) == (date(2025, 7, 31), "charged_off")
    assert (last.opening_cents, last.paid_cents) == (110_000, 0)
    assert (last.charged_off_cents, last.closing_cents) == (110_000, 0)


def test_money_before_the_charge_off_in_its_month_is_paid_and_money_after_it_is_not():
    months = month_ends.months_of_loan(
        loan((date(2025, 7, 3), 100), (date(2025, 7, 25), 70), charged_off_date=date(2025, 7, 20)),
        as_of=date(2025, 7, 31),
    )

    assert (months[-1].paid_cents, months[-1].charged_off_cents) == (10_000, 110_000)


def test_what_was_owed_when_the_lender_closed_a_loan_counts_as_paid():
    months = month_ends.months_of_loan(loan(closed_date=date(2025, 3, 10)), as_of=date(2025, 5, 31))

    assert [(m.closing, m.paid_cents) for m in months][-1] == ("settled", 120_000)
    assert len(months) == 3


def test_a_reversal_opens_a_settled_loan_again():
    back = (date(2025, 4, 5), -1200)
    months = month_ends.months_of_loan(
        loan((date(2025, 2, 1), 1200), back), as_of=date(2025, 4, 30)
    )

    assert [(m.month.month, m.opening, m.closing, m.paid_cents) for m in months] == [
        (1, "new", "M0", 0),
        (2, "M0", "settled", 120_000),
        (4, "settled", "M3", -120_000),
    ]


def test_a_loan_without_a_plan_has_no_months():
    without = BookedLoan(disbursed_date=BOOKED, schedule=(), payments=())

    assert month_ends.months_of_loan(without, as_of=date(2026, 1, 1)) == []


days = st.dates(BOOKED, date(2026, 8, 1))
amounts = st.integers(-40_000, 60_000).map(lambda cents: Decimal(cents) / 100)
loans = st.builds(
    lambda principal, rate, months, paid, closed, lost: BookedLoan(
        disbursed_date=BOOKED,
        schedule=equal_instalment_schedule(
            principal_amount=Decimal(principal) / 100,
            annual_rate=Decimal(rate) / 100,
            months=months,
            disbursed_date=BOOKED,
        ),
        payments=[Payment(day, amount) for day, amount in paid],
        closed_date=closed,
        charged_off_date=lost,
    ),
    st.integers(1_000, 500_000),
    st.integers(0, 36),
    st.integers(1, 14),
    st.lists(st.tuples(days, amounts), max_size=12),
    st.none() | days,
    st.none() | days,
)


@given(loans)
def test_every_month_adds_up_and_begins_where_the_one_before_ended(booked):
    months = month_ends.months_of_loan(booked, as_of=date(2026, 7, 31))

    assert months[0].opening is BookState.NEW
    for before, after in zip([None, *months], months, strict=False):
        total = after.opening_cents + after.new_cents - after.paid_cents - after.charged_off_cents
        assert total == after.closing_cents
        assert after.closing_cents >= 0
        if before is not None:
            assert (after.opening, after.opening_cents) == (before.closing, before.closing_cents)
            assert after.new_cents == 0


@given(loans)
def test_buckets_and_balances_are_those_of_the_functions_that_measure_loans(booked):
    for month in month_ends.months_of_loan(booked, as_of=date(2026, 7, 31)):
        if month.closing not in month_ends.OPEN_STATES:
            assert (month.dpd_days, month.closing_cents) == (0, 0)
            continue
        dpd = days_past_due(schedule=booked.schedule, payments=booked.payments, as_of=month.month)
        state = loan_state(
            schedule=booked.schedule,
            payments=booked.payments,
            disbursed_date=BOOKED,
            as_of=month.month,
        )
        assert (month.dpd_days, month.closing) == (dpd, bucket_of(dpd))
        assert Decimal(month.closing_cents) / 100 == state.outstanding_amount


def test_month_ends_are_last_days_and_none_is_later_than_asked():
    found = list(month_ends.month_ends(date(2024, 1, 31), date(2024, 4, 29)))

    assert found == [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31)]
    assert all((day + timedelta(days=1)).day == 1 for day in found)
    assert list(month_ends.month_ends(add_months(BOOKED, 1), BOOKED)) == []
