from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain import retention
from analytics.domain.retention import Cohort, Member
from tests.golden import rates as golden

START = date(2026, 1, 15)
members_of = st.lists(
    st.builds(
        Member,
        converted_date=st.integers(0, 400).map(lambda days: START + timedelta(days=days)),
        active_months=st.frozensets(st.integers(0, 11)),
    ),
    max_size=12,
)


def test_pooled_rates_are_sums_over_those_who_reached_the_month():
    cohorts = [
        Cohort(str(size), size, (*active, *[None] * (3 - len(active))))
        for size, active in golden.COHORTS.items()
    ]

    rates = retention.pooled(cohorts)

    assert [round(rate, 4) for rate in rates[:2]] == list(golden.POOLED)
    assert rates[2] == 0.45
    assert retention.pooled([Cohort("x", 5, (None,))]) == (None,)


def test_a_month_that_has_not_ended_is_blank():
    cells = retention.classic([Member(START, {0, 1})], as_of=date(2026, 3, 14), horizon=3)

    assert [cell.rate for cell in cells] == [1.0, None, None]
    assert [cell.immature_count for cell in cells] == [0, 1, 1]


def test_a_month_counts_from_the_day_it_ends():
    on_the_day = retention.classic([Member(START, {0})], as_of=date(2026, 2, 15), horizon=1)
    day_before = retention.classic([Member(START, {0})], as_of=date(2026, 2, 14), horizon=1)

    assert on_the_day[0].rate == 1.0
    assert day_before[0].rate is None


def test_the_triangle_equals_the_hand_table():
    # January: two customers, one active in months 0-2, one in month 0. February: one, month 0.
    members = [
        Member(date(2026, 1, 10), {0, 1, 2}),
        Member(date(2026, 1, 20), {0}),
        Member(date(2026, 2, 5), {0}),
    ]

    table = retention.triangle(members, as_of=date(2026, 4, 15), horizon=4)

    assert table == (
        Cohort("2026-01", 2, (2, 1, None, None)),
        Cohort("2026-02", 1, (1, 0, None, None)),
    )


@settings(deadline=None)
@given(members_of, st.integers(0, 800))
def test_rolling_retention_never_rises(members, days):
    cells = retention.rolling(members, as_of=START + timedelta(days=days), horizon=12)
    known = [cell.rate for cell in cells if cell.rate is not None]

    assert known == sorted(known, reverse=True)


@settings(deadline=None)
@given(members_of, st.integers(0, 800))
def test_everyone_is_mature_or_immature_in_every_month(members, days):
    cells = retention.classic(members, as_of=START + timedelta(days=days), horizon=12)

    for cell in cells:
        assert cell.mature_count + cell.immature_count == len(members)
        assert cell.active_count <= cell.mature_count


@settings(deadline=None)
@given(members_of, st.integers(0, 800), st.integers(1, 400))
def test_a_later_look_never_loses_mature_members(members, days, more):
    early = retention.classic(members, as_of=START + timedelta(days=days), horizon=12)
    late = retention.classic(members, as_of=START + timedelta(days=days + more), horizon=12)

    for before, after in zip(early, late, strict=True):
        assert before.mature_count <= after.mature_count
        assert before.active_count <= after.active_count


def test_bracket_counts_those_active_at_least_once():
    members = [Member(START, {1}), Member(START, {4}), Member(START, set())]
    cell = retention.bracket(members, first=1, last=3, as_of=date(2026, 12, 31))

    assert (cell.active_count, cell.mature_count) == (1, 3)


@pytest.mark.parametrize(
    ("_case", "spans", "months"),
    [
        ("a balance over two months", [(date(2026, 1, 20), date(2026, 2, 20))], {0, 1}),
        ("a balance still open", [(date(2026, 3, 15), None)], {2, 3}),
        ("a payment on the first day of month 1", [(date(2026, 2, 15),) * 2], {1}),
        ("closed before the conversion", [(date(2025, 1, 1), date(2026, 1, 14))], set()),
        ("open since before the conversion", [(date(2025, 1, 1), date(2026, 1, 15))], {0}),
        ("beyond the horizon", [(date(2027, 1, 1),) * 2], set()),
    ],
)
def test_active_months_follow_the_spans(_case, spans, months):
    found = retention.active_months(converted_date=START, spans=spans, horizon=4)

    assert found == months
