from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain.credit import vintages
from analytics.domain.credit.vintages import LoanRecord
from customers.domain.loans.instalments import MonthRule, add_months

BOOKED = date(2025, 1, 31)


def _loan(booked=BOOKED, amount=100, **reached):
    days = {int(key.removeprefix("d")): day for key, day in reached.items()}
    return LoanRecord(booked, Decimal(amount), days)


def test_ever_past_due_by_months_on_book_equals_the_hand_table():
    # Four loans of January 2025, one of June; two of the old reach 30 days, in months 3 and 5.
    loans = [
        _loan(d30=date(2025, 4, 1)),
        _loan(d30=date(2025, 6, 15), amount=300),
        _loan(),
        _loan(),
        _loan(booked=date(2025, 6, 10)),
    ]

    cells = vintages.ever_past_due(
        loans, threshold_days=30, months=[1, 3, 5, 12], as_of=date(2025, 8, 1)
    )

    assert [(c.bad_count, c.loan_count, c.immature_count) for c in cells] == [
        (0, 5, 0),
        (1, 4, 1),
        (2, 4, 1),
        (0, 0, 5),
    ]
    assert [c.rate for c in cells] == [0.0, 0.25, 0.5, None]
    assert [c.amount_rate for c in cells] == [0.0, 100 / 600, 400 / 600, None]


def test_reaching_on_the_day_that_ends_the_month_counts_and_the_day_after_does_not():
    end = add_months(BOOKED, 3)
    on_time = vintages.ever_past_due(
        [_loan(d90=end)], threshold_days=90, months=[3], as_of=date(2026, 1, 1)
    )
    late = vintages.ever_past_due(
        [_loan(d90=end + timedelta(days=1))], threshold_days=90, months=[3], as_of=date(2026, 1, 1)
    )

    assert (on_time[0].rate, late[0].rate) == (1.0, 0.0)


def test_the_month_end_rule_counts_calendar_months():
    loan = _loan(booked=date(2025, 1, 31), d30=date(2025, 3, 31))
    day = date(2025, 3, 1)

    by_day = vintages.ever_past_due([loan], threshold_days=30, months=[2], as_of=day)
    by_month = vintages.ever_past_due(
        [loan], threshold_days=30, months=[2], as_of=day, month_rule=MonthRule.MONTH_END
    )

    assert by_day[0].loan_count == 0
    assert (by_month[0].loan_count, by_month[0].bad_count) == (1, 1)


def test_a_loan_of_the_future_is_in_no_month():
    cells = vintages.ever_past_due(
        [_loan(booked=date(2026, 1, 1))], threshold_days=30, months=[0], as_of=date(2025, 1, 1)
    )

    assert (cells[0].loan_count, cells[0].rate) == (0, None)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.one_of(st.none(), st.integers(0, 600))), max_size=15
    ),
    st.integers(0, 1200),
)
def test_immature_loans_never_count_and_the_curve_of_one_vintage_never_falls(rows, days):
    as_of = BOOKED + timedelta(days=days)
    loans = [
        LoanRecord(
            BOOKED + timedelta(days=booked),
            Decimal(1),
            {} if late is None else {30: BOOKED + timedelta(days=booked + late)},
        )
        for booked, late in rows
    ]
    cells = vintages.ever_past_due(loans, threshold_days=30, months=range(24), as_of=as_of)

    for cell in cells:
        assert cell.bad_count <= cell.loan_count
        assert cell.loan_count + cell.immature_count == len(loans)
    one = [x for x in loans if x.booked_date == BOOKED]
    curve = [
        cell.rate
        for cell in vintages.ever_past_due(one, threshold_days=30, months=range(24), as_of=as_of)
        if cell.rate is not None
    ]
    assert curve == sorted(curve)
