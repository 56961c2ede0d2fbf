from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.experiments.global_control import (
    ControlChoice,
    PeriodLength,
    calendar_period,
    next_start,
    period_at,
    periods,
)

SALT = UUID(int=7)
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
LENGTHS = st.sampled_from(list(PeriodLength))


def _choice(day, share="0.1", length=PeriodLength.QUARTER, salt=SALT):
    return ControlChoice(day, Decimal(share), length, salt)


@pytest.mark.parametrize(
    ("length", "first", "last"),
    [
        (PeriodLength.MONTH, date(2028, 2, 1), date(2028, 2, 29)),
        (PeriodLength.QUARTER, date(2028, 1, 1), date(2028, 3, 31)),
        (PeriodLength.HALF_YEAR, date(2028, 1, 1), date(2028, 6, 30)),
        (PeriodLength.YEAR, date(2028, 1, 1), date(2028, 12, 31)),
    ],
)
def test_d8_periods_are_the_calendars(length, first, last):
    assert calendar_period(date(2028, 2, 29), length) == (first, last)


@given(DAYS, LENGTHS)
def test_d8_every_day_is_in_one_period(day, length):
    first, last = calendar_period(day, length)
    assert first <= day <= last
    assert calendar_period(last + timedelta(days=1), length)[0] == last + timedelta(days=1)
    assert calendar_period(first - timedelta(days=1), length)[1] == first - timedelta(days=1)


def test_d8_membership_stays_within_a_period_and_rotates_with_the_next():
    chosen = [_choice(date(2026, 1, 1))]
    january, march, april = (period_at(chosen, date(2026, month, 20)) for month in (1, 3, 4))

    def members(period):
        return {pk for pk in range(10_000) if period.holds([pk])}

    assert members(january) == members(march)
    assert len(members(january)) == pytest.approx(1000, abs=150)
    # Independent groups have a tenth of a tenth in common.
    assert len(members(january) & members(april)) == pytest.approx(100, abs=60)


def test_d8_one_record_in_the_group_is_enough():
    period = period_at([_choice(date(2026, 1, 1))], date(2026, 1, 1))
    inside = next(pk for pk in range(1000) if period.holds([pk]))
    outside = next(pk for pk in range(1000) if not period.holds([pk]))

    assert period.holds([outside, inside])
    assert not period.holds([outside])


def test_d8_no_share_holds_nobody():
    period = period_at([_choice(date(2026, 1, 1), "0")], date(2026, 1, 1))
    assert not any(period.holds([pk]) for pk in range(1000))


def test_d8_a_choice_leaves_the_running_period_alone():
    first = _choice(date(2026, 1, 1))
    start = next_start([first], PeriodLength.MONTH, date(2026, 2, 10))
    both = [first, _choice(start, "0.2", PeriodLength.MONTH, UUID(int=8))]

    assert start == date(2026, 4, 1)
    assert period_at(both, date(2026, 2, 10)) == period_at([first], date(2026, 2, 10))
    assert period_at(both, date(2026, 4, 1)).share == Decimal("0.2")
    assert period_at(both, date(2026, 4, 1)).ends_on == date(2026, 4, 30)


def test_d8_of_choices_for_one_day_the_last_counts():
    made = [_choice(date(2026, 4, 1), "0.1"), _choice(date(2026, 4, 1), "0.05")]
    assert period_at(made, date(2026, 5, 1)).share == Decimal("0.05")


def test_d8_longer_periods_begin_where_the_shorter_ended():
    made = [
        _choice(date(2026, 1, 1), length=PeriodLength.MONTH),
        _choice(date(2026, 3, 1), length=PeriodLength.YEAR),
    ]
    spans = [(found.starts_on, found.ends_on) for found in periods(made, date(2026, 5, 1))]

    assert spans == [
        (date(2026, 3, 1), date(2026, 12, 31)),
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 1, 1), date(2026, 1, 31)),
    ]


def test_d8_before_the_first_choice_there_is_no_group():
    assert period_at([_choice(date(2026, 4, 1))], date(2026, 3, 31)) is None
    assert periods([], date(2026, 3, 31)) == []


@given(st.lists(st.tuples(DAYS, LENGTHS), max_size=5), DAYS, LENGTHS)
def test_d8_history_has_neither_gap_nor_overlap_and_no_choice_changes_it(made, today, length):
    chosen = [_choice(day, length=each) for day, each in sorted(made, key=lambda one: one[0])]
    before = periods(chosen, today)
    for newer, older in pairwise(before):
        assert older.ends_on + timedelta(days=1) == newer.starts_on

    after = [*chosen, _choice(next_start(chosen, length, today), "0.2", length)]
    assert [(one.starts_on, one.salt) for one in periods(after, today)] == [
        (one.starts_on, one.salt) for one in before
    ]
