"""d1: the dates of a calendar equal an oracle that counts day by day."""

import calendar as month_lengths
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.campaigns.given.reader import Reader
from campaigns.domain.campaigns.given.recurrence_reading import of_stored, read_recurrence, stored
from campaigns.domain.campaigns.recurrence import (
    Again,
    CatchUp,
    Every,
    HolidayPolicy,
    NextRun,
    Recurrence,
    next_run,
    occurrences,
)

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


class Table:
    """A calendar of named holidays and make-up days."""

    def __init__(self, holidays=(), make_up=()):
        self.holidays, self.make_up = set(holidays), set(make_up)

    def is_holiday(self, day):
        return day in self.holidays

    def is_workday(self, day):
        return day in self.make_up or (day.weekday() < 5 and day not in self.holidays)


NONE = Table()
# Spring Festival and the make-up days of 2024, as the State Council announced them.
CHINA_2024 = Table(
    [date(2024, 2, day) for day in range(10, 18)] + [date(2024, 10, day) for day in range(1, 8)],
    [date(2024, 2, 4), date(2024, 2, 18), date(2024, 9, 29), date(2024, 10, 12)],
)


def oracle(recurrence, start, zone, table, days):
    """Count day by day, by the words of the rule and nothing of the library that is tested."""
    first = start.astimezone(zone)
    found = []
    for offset in range(days):
        day = first.date() + timedelta(days=offset)
        if not is_on(recurrence, first.date(), day):
            continue
        moved = moved_day(recurrence, day, table)
        if moved is None or (recurrence.until and moved > recurrence.until):
            continue
        moment = datetime.combine(moved, first.time(), tzinfo=zone).astimezone(UTC)
        if not found or moment > found[-1]:
            found.append(moment)
    return found


def is_on(recurrence, first, day):
    n = recurrence.interval
    last_of_month = month_lengths.monthrange(day.year, day.month)[1]
    match recurrence.every:
        case Every.DAY:
            return (day - first).days % n == 0
        case Every.WEEK:
            monday = first - timedelta(days=first.weekday())
            weeks = (day - timedelta(days=day.weekday()) - monday).days // 7
            return weeks % n == 0 and day.weekday() in (recurrence.weekdays or (first.weekday(),))
        case Every.MONTH:
            months = (day.year - first.year) * 12 + day.month - first.month
            return months % n == 0 and day.day == min(first.day, last_of_month)
        case Every.YEAR:
            is_year = (day.year - first.year) % n == 0
            return is_year and day.month == first.month and day.day == min(first.day, last_of_month)


def moved_day(recurrence, day, table):
    match recurrence.holidays:
        case HolidayPolicy.KEEP:
            return day
        case HolidayPolicy.SKIP:
            return None if table.is_holiday(day) else day
        case HolidayPolicy.NEXT_WORKDAY:
            while not table.is_workday(day):
                day += timedelta(days=1)
            return day


RULES = st.builds(
    Recurrence,
    every=st.sampled_from(Every),
    interval=st.integers(1, 5),
    weekdays=st.lists(st.integers(0, 6), unique=True, max_size=3).map(sorted).map(tuple),
    holidays=st.sampled_from(HolidayPolicy),
)


@given(
    RULES,
    st.datetimes(datetime(2023, 1, 1), datetime(2025, 6, 1)),  # noqa: DTZ001 - local times
    st.sampled_from([SHANGHAI, BERLIN]),
)
def test_d1_dates_over_leap_days_and_changed_clocks_equal_an_oracle(rule, naive, zone):
    # Hypothesis also draws the second pass of an hour that is passed once.
    start = naive.replace(microsecond=0, tzinfo=zone, fold=0)
    if start.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != start.replace(tzinfo=None):
        return  # a start that does not exist
    days = 500 if rule.every is not Every.YEAR else 3000
    expected = oracle(rule, start, zone, CHINA_2024, days)
    found = occurrences(rule, start=start, zone=zone, calendar=CHINA_2024)
    # Yearly dates that fall on the last days of the oracle's view may be moved out of it.
    assert [next(found) for _ in expected[:-1]] == expected[:-1]


def test_d1_the_31st_is_the_last_day_of_shorter_months_and_29_february_too():
    start = datetime(2024, 1, 31, 10, tzinfo=SHANGHAI)
    months = occurrences(Recurrence(Every.MONTH), start=start, zone=SHANGHAI, calendar=NONE)
    assert [next(months).date().isoformat() for _ in range(4)] == [
        "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30",
    ]  # fmt: skip
    leap = datetime(2024, 2, 29, 10, tzinfo=SHANGHAI)
    years = occurrences(Recurrence(Every.YEAR), start=leap, zone=SHANGHAI, calendar=NONE)
    assert [next(years).date().isoformat() for _ in range(5)] == [
        "2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29",
    ]  # fmt: skip


def test_d1_an_hour_that_the_clock_skips_moves_on_and_one_that_it_repeats_comes_once():
    start = datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN)
    daily = occurrences(Recurrence(Every.DAY), start=start, zone=BERLIN, calendar=NONE)
    local = [next(daily).astimezone(BERLIN) for _ in range(3)]
    assert [(at.day, at.hour) for at in local] == [(28, 2), (29, 3), (30, 2)]
    autumn = datetime(2026, 10, 24, 2, 30, tzinfo=BERLIN)
    daily = occurrences(Recurrence(Every.DAY), start=autumn, zone=BERLIN, calendar=NONE)
    assert [next(daily).hour for _ in range(3)] == [0, 0, 1]


def test_d1_a_start_in_the_second_pass_of_a_repeated_hour_is_not_put_before_itself():
    start = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    daily = occurrences(Recurrence(Every.DAY), start=start, zone=BERLIN, calendar=NONE)
    assert [next(daily), next(daily)] == [
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


def test_a_holiday_is_skipped_or_moved_behind_the_make_up_days():
    start = datetime(2024, 2, 9, 10, tzinfo=SHANGHAI)
    for policy, second in (("skip", date(2024, 2, 18)), ("next_workday", date(2024, 2, 18))):
        rule = Recurrence(Every.DAY, holidays=HolidayPolicy(policy))
        days = occurrences(rule, start=start, zone=SHANGHAI, calendar=CHINA_2024)
        assert [next(days).astimezone(SHANGHAI).date() for _ in range(2)][1] == second


def at(day, hour=10):
    return datetime(2026, 3, day, hour, tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        (CatchUp.SKIP, NextRun(None, at(6))),
        (CatchUp.LATEST, NextRun(at(5), at(6))),
        (CatchUp.ALL, NextRun(at(2), at(3))),
    ],
)
def test_d1_what_was_missed_is_left_out_run_once_or_caught_up_in_order(catch_up, expected):
    rule = Recurrence(Every.DAY, catch_up=catch_up)
    found = next_run(
        rule, start=at(1), last=at(1), now=at(5, 23), late_limit_hours=6, zone=SHANGHAI,
        calendar=NONE,
    )  # fmt: skip
    assert found == expected


def test_d1_within_the_limit_a_late_run_takes_place_whatever_is_caught_up():
    for catch_up in CatchUp:
        found = next_run(
            Recurrence(Every.DAY, catch_up=catch_up), start=at(1), last=at(4), now=at(5, 11),
            late_limit_hours=6, zone=SHANGHAI, calendar=NONE,
        )  # fmt: skip
        assert found == NextRun(at(5), at(6))


def test_d1_a_changed_calendar_brings_nothing_twice():
    rule = Recurrence(Every.WEEK, weekdays=(0,), holidays=HolidayPolicy.NEXT_WORKDAY)
    monday_off = Table([date(2026, 3, 9)])
    common = {"start": at(2), "late_limit_hours": 24, "zone": SHANGHAI}
    moved = next_run(rule, last=at(2), now=at(10), calendar=monday_off, **common)
    assert moved.due_at == at(10)
    # The holiday is taken back: Monday the 9th has had its run, on the 10th.
    after = next_run(rule, last=at(10), now=at(11), calendar=NONE, **common)
    assert after == NextRun(None, at(16))


def test_a_calendar_ends():
    rule = Recurrence(Every.DAY, until=date(2026, 3, 2))
    found = next_run(
        rule, start=at(1), last=at(1), now=at(2), late_limit_hours=24, zone=SHANGHAI, calendar=NONE
    )
    assert found == NextRun(at(2), None)
    late = datetime(2026, 3, 3, 10, tzinfo=SHANGHAI)
    assert next(occurrences(rule, start=late, zone=SHANGHAI, calendar=NONE), None) is None


@given(RULES, st.sampled_from(CatchUp), st.sampled_from(Again))
def test_a_calendar_reads_back_as_it_was_stored(rule, catch_up, again):
    weekdays = rule.weekdays if rule.every is Every.WEEK else ()
    given_rule = Recurrence(
        rule.every, rule.interval, weekdays, None, rule.holidays, catch_up, again
    )
    assert of_stored(stored(given_rule)) == given_rule
    assert of_stored(stored(None)) is None


@pytest.mark.parametrize(
    ("value", "path", "code"),
    [
        ({}, None, None),
        ({"every": "hour"}, "repeat.every", "one_of"),
        ({"every": "day", "interval": 0}, "repeat.interval", "at_least"),
        ({"every": "day", "interval": 999}, "repeat.interval", "at_most"),
        ({"every": "week", "weekdays": ["mo"]}, "repeat.weekdays", "one_of"),
        ({"every": "day", "until": "soon"}, "repeat.until", "time_expected"),
        ({"every": "day", "colour": "red"}, "repeat.colour", "unknown_key"),
        ({"every": "day", "again": "often"}, "repeat.again", "one_of"),
        ("daily", "repeat", "object_expected"),
    ],
)
def test_a_wrong_calendar_is_refused_with_its_place(value, path, code):
    read = Reader()
    read_recurrence(value, read, "repeat")
    found = [(problem.path, problem.code) for problem in read.problems]
    assert found[:1] == ([(path, code)] if path else [])
