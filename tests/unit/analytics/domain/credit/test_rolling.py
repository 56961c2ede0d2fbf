"""Roll rates and flows against worked numbers; conservation as a property."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain.credit import month_ends, rolling
from analytics.domain.credit.month_ends import BookedLoan, BookState
from analytics.domain.credit.rolling import RollCount
from customers.domain.demo.population import generate
from tests.unit.analytics.domain.credit.test_month_ends import loans

# DOMAIN: current, 1-30, 31-60, 90+; the last absorbs.
MATRIX = ((0.95, 0.05, 0, 0), (0.40, 0.25, 0.35, 0), (0.10, 0.10, 0.20, 0.60), (0, 0, 0, 1))
MAY = date(2026, 5, 31)


def count(opening, closing, number=1, cents=100, **columns):
    values = {"new_cents": 0, "paid_cents": 0, "charged_off_cents": 0, "closing_cents": cents}
    return RollCount(
        MAY, BookState(opening), BookState(closing), number, cents, **{**values, **columns}
    )


def counts_of(booked_loans):
    sums = {}
    for booked in booked_loans:
        for m in month_ends.months_of_loan(booked, as_of=date(2026, 7, 31)):
            parts = (m.opening_cents, m.new_cents, m.paid_cents)
            parts += (m.charged_off_cents, m.closing_cents)
            key = (m.month, m.opening, m.closing)
            had = sums.get(key, (0, 0, 0, 0, 0, 0))
            sums[key] = tuple(a + b for a, b in zip(had, (1, *parts), strict=True))
    return [RollCount(*key, *values) for key, values in sums.items()]


def test_current_loans_reach_90_days_within_three_months_as_published():
    found = rolling.absorbed_within(MATRIX, start=0, end=3, months=3)

    assert found == pytest.approx(0.0105, abs=1e-12)


@pytest.mark.parametrize(("months", "expected"), [(0, 0.0), (1, 0.0), (2, 0.0)])
def test_nobody_skips_a_bucket(months, expected):
    assert rolling.absorbed_within(MATRIX, start=0, end=3, months=months) == expected


def test_a_matrix_whose_rows_do_not_add_up_is_refused():
    with pytest.raises(ValueError, match="add up"):
        rolling.absorbed_within([[0.5, 0.4], [0, 1]], start=0, end=1, months=1)


def test_the_gross_loss_is_the_product_of_the_flow_rates():
    assert rolling.gross_loss_rate([0.04, 0.3, 0.6, 0.8]) == pytest.approx(0.00576)


def test_cells_are_shares_of_the_bucket_at_the_start_and_new_loans_are_none():
    cells = rolling.roll_matrix(
        [count("M0", "M0", 6, 600), count("M0", "M1", 2, 300), count("new", "M0", 9, 0)]
    )

    assert cells[BookState.M0, BookState.M1].rate == 0.25
    assert cells[BookState.M0, BookState.M1].amount_rate == pytest.approx(1 / 3)
    assert cells[BookState.M1, BookState.M2].rate is None


def test_flow_rates_count_what_goes_to_any_worse_bucket():
    rates = rolling.flow_rates(
        [
            count("M0", "M0", 1, 80),
            count("M0", "M1", 1, 15),
            count("M0", "M3", 1, 5),
            count("M3+", "charged_off", 1, 40),
            count("M3+", "M3+", 1, 60),
        ]
    )

    assert rates == (0.2, None, None, None, 0.4)


def test_chances_of_default_follow_from_the_matrix_or_are_not_known():
    seen = [
        *(count("M0", "M0", 96), count("M0", "M1", 4)),
        *(count("M1", "M0", 50), count("M1", "M2", 50)),
        *(count("M2", "M2", 40), count("M2", "M3", 60)),
        *(count("M3", "M3+", 80), count("M3", "settled", 20)),
    ]
    cells = rolling.roll_matrix(seen)

    found = rolling.default_within(cells, months=1, least_loans=100)
    assert found == {"M0": 0.0, "M1": 0.0, "M2": 0.0, "M3": 0.8, "M3+": 1.0}
    in_four = rolling.default_within(cells, months=4, least_loans=100)
    assert in_four[BookState.M0] == pytest.approx(0.04 * 0.5 * 0.6 * 0.8)
    assert rolling.default_within(cells, months=12, least_loans=101) is None


@given(st.lists(loans, max_size=5))
@settings(max_examples=40)
def test_each_bucket_and_the_whole_book_add_up_to_the_cent_in_every_month(booked_loans):
    flows = rolling.bucket_flows(counts_of(booked_loans))

    closed = {}
    totals = Counter()
    for f in flows:
        own = f.opening_amount + f.new_amount - f.paid_amount - f.charged_off_amount
        assert own + f.rolled_in_amount - f.rolled_out_amount == f.closing_amount
        totals[f.month] += own - f.closing_amount
        if (before := closed.get(f.bucket)) is not None:
            assert before == f.opening_amount
        closed[f.bucket] = f.closing_amount
    assert set(totals.values()) <= {Decimal(0)}


def test_amounts_are_written_to_the_cent():
    (flow, *_rest) = rolling.bucket_flows(
        [count("new", "M0", 1, 0, new_cents=12_345, closing_cents=12_345)]
    )

    assert (flow.bucket, flow.new_amount, flow.closing_amount) == (
        "M0",
        Decimal("123.45"),
        Decimal("123.45"),
    )


def test_the_book_of_the_demo_adds_up_in_every_month_and_rolls_through_the_buckets():
    today = date(2026, 7, 31)
    lent = [
        loan for story in generate(count=400, seed=7, today=today) for loan in story.history.loans
    ]
    booked = [
        BookedLoan(
            loan.disbursed_date,
            loan.schedule,
            loan.payments,
            charged_off_date=loan.charged_off_date,
        )
        for loan in lent
    ]
    counts = counts_of(booked)
    cells = rolling.roll_matrix(counts)

    for f in rolling.bucket_flows(counts):
        own = f.opening_amount + f.new_amount - f.paid_amount - f.charged_off_amount
        assert own + f.rolled_in_amount - f.rolled_out_amount == f.closing_amount
    principal = sum(line.principal_amount for loan in lent for line in loan.schedule)
    ended = [f for f in rolling.bucket_flows(counts) if f.month == today]
    total = sum(x.new_cents - x.paid_cents - x.charged_off_cents for x in counts)
    assert sum(x.new_cents for x in counts) == principal * 100
    assert sum(f.closing_amount for f in ended) * 100 == total
    assert cells[BookState.M0, BookState.M1].loan_count > 0
