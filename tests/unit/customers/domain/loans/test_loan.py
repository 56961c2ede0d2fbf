from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.domain.loans import loan
from customers.domain.loans.instalments import (
    Component,
    MonthRule,
    ScheduledInstalment,
    add_months,
    equal_instalment_schedule,
    months_between,
)
from customers.domain.loans.loan import Bucket, LoanPolicy, LoanStatus, Payment

DISBURSED = date(2026, 1, 15)
# Three instalments of 100: 90 principal, 8 interest, 2 fee; due on the 15th of February to April.
PLAN = tuple(
    ScheduledInstalment(number, add_months(DISBURSED, number), Decimal(90), Decimal(8), Decimal(2))
    for number in (1, 2, 3)
)
FEB, MAR, APR = (line.due_date for line in PLAN)


def _paid(*pairs):
    return [Payment(day, Decimal(amount)) for day, amount in pairs]


def _dpd(payments, as_of, policy=loan.DEFAULT_POLICY):
    return loan.days_past_due(schedule=PLAN, payments=payments, as_of=as_of, policy=policy)


def _state(payments, as_of, **more):
    return loan.loan_state(
        schedule=PLAN, payments=payments, disbursed_date=DISBURSED, as_of=as_of, **more
    )


@pytest.mark.parametrize(
    ("_case", "payments", "as_of", "dpd"),
    [
        ("not due yet", (), FEB - timedelta(days=1), 0),
        ("due today is not past due", (), FEB, 0),
        ("the day after", (), FEB + timedelta(days=1), 1),
        ("paid on the due day", ((FEB, 100),), MAR, 0),
        ("paid late, on the day it is paid", ((date(2026, 3, 1), 100),), date(2026, 3, 1), 0),
        ("paid late, the day before", ((date(2026, 3, 1), 100),), date(2026, 2, 28), 13),
        ("a part does not stop the clock", ((FEB, 99),), date(2026, 3, 1), 14),
        ("two parts do", ((FEB, 40), (date(2026, 2, 20), 60)), date(2026, 3, 1), 0),
        ("counts from the oldest", ((FEB, 100),), date(2026, 4, 20), 36),
        ("paying in advance covers the next", ((FEB, 200),), date(2026, 4, 1), 0),
        ("all paid at once", ((date(2026, 1, 20), 300),), date(2027, 1, 1), 0),
        ("a reversal re-opens it", ((FEB, 100), (date(2026, 3, 1), -100)), date(2026, 3, 1), 14),
        ("before the reversal it was paid", ((FEB, 100), (date(2026, 3, 1), -100)), FEB, 0),
    ],
)
def test_days_past_due(_case, payments, as_of, dpd):
    assert _dpd(_paid(*payments), as_of) == dpd


def test_a_reversed_payment_counts_until_the_day_before_its_reversal():
    payments = [Payment(FEB, Decimal(100), reversed_date=date(2026, 3, 1))]

    assert _dpd(payments, date(2026, 2, 28)) == 0
    assert _dpd(payments, date(2026, 3, 1)) == 14


def test_a_shortfall_within_the_tolerance_counts_as_paid():
    payments = _paid((FEB, "99.50"))

    assert _dpd(payments, MAR) == 28
    assert _dpd(payments, MAR, LoanPolicy(tolerance_amount=Decimal("0.50"))) == 0


@pytest.mark.parametrize(
    ("order", "fee", "interest", "principal"),
    [
        ((Component.FEE, Component.INTEREST, Component.PRINCIPAL), 2, 8, 40),
        ((Component.PRINCIPAL, Component.INTEREST, Component.FEE), 0, 0, 50),
        ((Component.INTEREST, Component.PRINCIPAL, Component.FEE), 0, 8, 42),
    ],
)
def test_a_part_payment_is_allocated_in_the_order_of_the_policy(order, fee, interest, principal):
    lines = loan.allocate(
        schedule=PLAN,
        payments=_paid((FEB, 50)),
        as_of=FEB,
        policy=LoanPolicy(allocation_order=order),
    )

    first = lines[0]
    assert (first.paid_fee_amount, first.paid_interest_amount) == (fee, interest)
    assert first.paid_principal_amount == principal
    assert [line.paid_amount for line in lines[1:]] == [0, 0]


def test_money_goes_to_the_oldest_instalment_first():
    lines = loan.allocate(schedule=PLAN[::-1], payments=_paid((APR, 150)), as_of=APR)

    assert [line.paid_amount for line in lines] == [100, 50, 0]
    assert lines[1].unpaid_amount == 50


def test_the_state_of_a_loan_in_arrears():
    state = _state(_paid((FEB, 100), (date(2026, 3, 20), 30)), date(2026, 4, 20))

    assert state.status is LoanStatus.OVERDUE
    assert (state.dpd_days, state.max_dpd_days, state.bucket) == (36, 36, Bucket.M2)
    assert state.outstanding_amount == 160
    assert state.overdue_amount == 170
    assert (state.months_on_book, state.paid_instalment_count) == (3, 1)
    assert state.next_due_date == MAR
    assert state.settled_date is None


def test_a_loan_that_was_late_and_is_paid_keeps_its_worst_day():
    state = _state(_paid((date(2026, 4, 1), 300)), date(2026, 12, 1))

    assert state.status is LoanStatus.SETTLED
    assert (state.dpd_days, state.outstanding_amount, state.overdue_amount) == (0, 0, 0)
    assert state.max_dpd_days == 44
    assert state.settled_date == date(2026, 4, 1)
    assert state.next_due_date is None


def test_money_beyond_the_schedule_is_credit():
    state = _state(_paid((FEB, 350)), FEB)

    assert (state.status, state.credit_amount, state.paid_amount) == (LoanStatus.SETTLED, 50, 350)


def test_early_settlement_closes_the_loan_with_less_than_the_schedule():
    payments = _paid((FEB, 100), (date(2026, 2, 20), 180))
    before = _state(payments, date(2026, 2, 19), settled_date=date(2026, 2, 20))
    after = _state(payments, date(2026, 6, 1), settled_date=date(2026, 2, 20))

    assert before.status is LoanStatus.ACTIVE
    assert (after.status, after.dpd_days, after.outstanding_amount) == (LoanStatus.SETTLED, 0, 0)
    assert after.months_on_book == 1


def test_a_charged_off_loan_keeps_its_balance_and_its_clock():
    state = _state((), date(2026, 8, 15), charged_off_date=date(2026, 8, 1))

    assert state.status is LoanStatus.CHARGED_OFF
    assert (state.dpd_days, state.outstanding_amount) == (181, 270)
    assert state.bucket is Bucket.M3_PLUS


def test_before_disbursement_a_loan_is_pending():
    state = _state((), DISBURSED - timedelta(days=1))

    assert (state.status, state.outstanding_amount, state.next_due_date) == (
        LoanStatus.PENDING,
        0,
        FEB,
    )


def test_a_settled_loan_re_opens_when_the_last_payment_bounces():
    payments = _paid((FEB, 100), (MAR, 100), (APR, 100), (date(2026, 4, 20), -100))
    state = _state(payments, date(2026, 4, 20))

    assert (state.status, state.dpd_days, state.settled_date) == (LoanStatus.OVERDUE, 5, None)


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0, "M0"), (1, "M1"), (30, "M1"), (31, "M2"), (60, "M2"), (61, "M3"), (90, "M3"), (91, "M3+")],
)
def test_buckets(days, bucket):
    assert loan.bucket_of(days) == bucket


def test_first_days_of_reaching_thresholds():
    # Unpaid from 15 February; paid in full on 1 April: 30 days are reached on 17 March, 60 never.
    reached = loan.first_reached_dates(
        schedule=PLAN,
        payments=_paid((date(2026, 4, 1), 300)),
        as_of=date(2026, 12, 1),
        thresholds=(30, 60),
    )

    assert reached == {30: date(2026, 3, 17)}


def test_a_threshold_is_not_reached_before_its_day():
    arguments = {"schedule": PLAN, "payments": (), "thresholds": (30,)}

    assert loan.first_reached_dates(as_of=date(2026, 3, 16), **arguments) == {}
    assert loan.first_reached_dates(as_of=date(2026, 3, 17), **arguments) == {30: date(2026, 3, 17)}


def test_an_allocation_order_names_every_component_once():
    with pytest.raises(ValueError, match="every component"):
        LoanPolicy(allocation_order=(Component.FEE,))
    with pytest.raises(ValueError, match="negative"):
        LoanPolicy(tolerance_amount=Decimal(-1))


def test_the_annuity_equals_the_published_instalment():
    # 100,000 at 12 % a year over 12 months: 8,884.88 a month.
    plan = equal_instalment_schedule(
        principal_amount=Decimal(100000),
        annual_rate=Decimal("0.12"),
        months=12,
        disbursed_date=date(2026, 1, 31),
    )

    assert {line.total_amount for line in plan[:-1]} == {Decimal("8884.88")}
    assert sum(line.principal_amount for line in plan) == 100000
    assert plan[0].interest_amount == 1000
    assert plan[0].due_date == date(2026, 2, 28)
    assert plan[-1].due_date == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("start", "end", "anniversary", "month_end"),
    [
        (date(2026, 1, 15), date(2026, 2, 14), 0, 1),
        (date(2026, 1, 15), date(2026, 2, 15), 1, 1),
        (date(2026, 1, 31), date(2026, 2, 28), 1, 1),
        (date(2024, 2, 29), date(2025, 2, 28), 12, 12),
        (date(2026, 3, 1), date(2026, 1, 1), 0, 0),
    ],
)
def test_months_between(start, end, anniversary, month_end):
    assert months_between(start, end) == anniversary
    assert months_between(start, end, MonthRule.MONTH_END) == month_end


plans = st.builds(
    equal_instalment_schedule,
    principal_amount=st.decimals(1000, 500000, places=2),
    annual_rate=st.decimals(0, "0.36", places=4),
    months=st.integers(1, 36),
    disbursed_date=st.dates(date(2024, 1, 1), date(2025, 12, 31)),
    fee_amount=st.decimals(0, 50, places=2),
)
histories = st.lists(
    st.tuples(st.integers(0, 900), st.decimals(1, 60000, places=2), st.integers(0, 200)),
    max_size=8,
)


def _history(rows, start):
    return [
        Payment(
            start + timedelta(days=days),
            amount,
            start + timedelta(days=days + later) if later > 150 else None,
        )
        for days, amount, later in rows
    ]


@settings(deadline=None)
@given(plans)
def test_a_plan_repays_exactly_what_was_lent(plan):
    assert all(line.principal_amount >= 0 and line.interest_amount >= 0 for line in plan)
    totals = [line.total_amount for line in plan[:-1]]
    assert max(totals, default=0) - min(totals, default=0) <= Decimal("0.01")


@settings(deadline=None)
@given(plans, histories, st.integers(0, 1200))
def test_allocation_keeps_every_cent_and_ignores_the_order_of_payments(plan, rows, days):
    start = plan[0].due_date
    as_of = start + timedelta(days=days)
    payments = _history(rows, start)

    lines = loan.allocate(schedule=plan, payments=payments, as_of=as_of)
    again = loan.allocate(schedule=plan[::-1], payments=payments[::-1], as_of=as_of)

    assert lines == again
    received = loan.received_amount(payments, as_of)
    due = sum(line.total_amount for line in plan)
    assert sum(line.paid_amount for line in lines) == min(received, due)
    assert all(line.unpaid_amount >= 0 for line in lines)


@settings(deadline=None)
@given(plans, histories, st.integers(0, 700))
def test_the_worst_day_equals_a_day_by_day_replay(plan, rows, days):
    start = plan[0].due_date - timedelta(days=40)
    as_of = start + timedelta(days=days)
    payments = _history(rows, start)
    replay = [
        loan.days_past_due(schedule=plan, payments=payments, as_of=start + timedelta(days=day))
        for day in range(days + 1)
    ]

    worst = loan.max_days_past_due(schedule=plan, payments=payments, as_of=as_of)
    reached = loan.first_reached_dates(
        schedule=plan, payments=payments, as_of=as_of, thresholds=(1, 30, 90)
    )

    assert worst == max(replay)
    for threshold in (1, 30, 90):
        first = next((day for day, dpd in enumerate(replay) if dpd >= threshold), None)
        expected = None if first is None else start + timedelta(days=first)
        assert reached.get(threshold) == expected


@settings(deadline=None)
@given(plans, histories, st.integers(0, 1200), st.decimals("0.01", 9000, places=2))
def test_more_money_never_makes_a_loan_worse(plan, rows, days, more):
    start = plan[0].due_date
    as_of = start + timedelta(days=days)
    payments = _history(rows, start)
    richer = [*payments, Payment(start, more)]

    before = loan.loan_state(schedule=plan, payments=payments, disbursed_date=start, as_of=as_of)
    after = loan.loan_state(schedule=plan, payments=richer, disbursed_date=start, as_of=as_of)

    assert after.dpd_days <= before.dpd_days
    assert after.max_dpd_days <= before.max_dpd_days
    assert after.outstanding_amount <= before.outstanding_amount
