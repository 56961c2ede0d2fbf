"""Whole weeks around any day, without a gap or a repetition."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.campaigns.calendar_days import CalendarView, span_of

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@given(view=st.sampled_from(CalendarView), day=DAYS)
def test_days_follow_each_other_from_monday_to_sunday_and_hold_the_day(view, day):
    span = span_of(view, day)
    days = [one for week in span.weeks for one in week]
    assert days == [span.first + timedelta(days=at) for at in range(len(days))]
    assert (days[0].weekday(), days[-1].weekday()) == (0, 6)
    assert day in days
    assert span_of(view, span.before).day < day


@given(day=DAYS)
def test_a_month_is_whole_and_no_week_lies_outside_it(day):
    span = span_of(CalendarView.MONTH, day)
    for week in span.weeks:
        assert any((one.year, one.month) == (day.year, day.month) for one in week)
    assert span.after.day == 1
    assert span.after - timedelta(days=1) <= span.last
    assert span.before < span.first.replace(day=1) or span.before <= span.first


def test_february_of_four_weeks_and_a_month_of_six():
    assert len(span_of(CalendarView.MONTH, date(2027, 2, 9)).weeks) == 4
    assert len(span_of(CalendarView.MONTH, date(2026, 8, 9)).weeks) == 6
    assert span_of(CalendarView.MONTH, date(2026, 1, 31)).after == date(2026, 2, 1)
