"""Dates in the forms people write."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.values.dates import (
    check_birth_date,
    parse_birth_number,
    parse_date,
    parse_moment,
)
from customers.domain.values.quality import ValueRefused

SHANGHAI = ZoneInfo("Asia/Shanghai")

JULY_3 = date(2001, 7, 3)


@pytest.mark.parametrize(
    "text",
    [
        "2001-07-03",
        "20010703",
        "2001/7/3",
        "2001.7.3",
        "2001年7月3日",
        "2001年07月03日",
        "２００１－０７－０３",
        "2001-07-03 00:00:00",
        "2001-07-03T08:30:00+08:00",
        "37075",
        "37075.5",
        "20010703.0",
    ],
)
def test_forms_of_one_date(text: str) -> None:
    assert parse_date(text, zone=SHANGHAI) == JULY_3


@pytest.mark.parametrize(
    "text", ["", "2001-13-01", "2001-02-29", "20010732", "7", "1987", "July", "99999", "2001-7"]
)
def test_texts_that_are_no_date_are_refused(text: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        parse_date(text, zone=SHANGHAI)
    assert caught.value.code == "date_invalid"


def test_year_last_needs_an_order_unless_the_numbers_settle_it() -> None:
    assert parse_date("03/07/2001", order="dmy", zone=SHANGHAI) == JULY_3
    assert parse_date("07/03/2001", order="mdy", zone=SHANGHAI) == JULY_3
    assert parse_date("23/07/2001", zone=SHANGHAI) == date(2001, 7, 23)
    assert parse_date("07/23/2001", zone=SHANGHAI) == date(2001, 7, 23)
    with pytest.raises(ValueRefused) as caught:
        parse_date("03/07/2001", zone=SHANGHAI)
    assert caught.value.code == "date_ambiguous"


def test_birth_dates_lie_in_a_living_persons_life() -> None:
    today = date(2026, 11, 22)
    assert check_birth_date(today, today=today) == today
    for born, code in [(date(2031, 5, 1), "birth_future"), (date(1900, 1, 1), "birth_implausible")]:
        with pytest.raises(ValueRefused) as caught:
            check_birth_date(born, today=today)
        assert caught.value.code == code


def test_czech_birth_numbers_carry_gender_in_the_month() -> None:
    assert parse_birth_number("706213") == (date(1970, 12, 13), "female")
    assert parse_birth_number("450204") == (date(1945, 2, 4), "male")
    with pytest.raises(ValueRefused):
        parse_birth_number("451304")


@given(st.dates(), st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d"]))
def test_any_date_is_read_back_and_stays(day: date, form: str) -> None:
    written = day.strftime(form).replace(str(day.year), f"{day.year:04d}", 1)
    if day.year < 1000:
        written = form.replace("%Y", f"{day.year:04d}").replace("%m", f"{day.month:02d}")
        written = written.replace("%d", f"{day.day:02d}")
    assert parse_date(written, zone=SHANGHAI) == day
    assert parse_date(day.isoformat(), zone=SHANGHAI) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1995-05-31T16:00:00.000Z", date(1995, 6, 1)),
        ("1995-05-31T15:59:59Z", date(1995, 5, 31)),
        ("1995-06-01T00:00:00+08:00", date(1995, 6, 1)),
        ("1995-05-31T18:00:00+02:00", date(1995, 6, 1)),
        ("1995-05-31 16:00:00 UTC", date(1995, 6, 1)),
        ("1995-06-01T23:59:59", date(1995, 6, 1)),
        ("1995年6月1日 23:59", date(1995, 6, 1)),
        ("19950531T160000Z", date(1995, 6, 1)),
        ("19950601235959", date(1995, 6, 1)),
        ("13/07/2001 23:59", date(2001, 7, 13)),
        ("34851", date(1995, 6, 1)),
        ("34851.99", date(1995, 6, 1)),
        ("801936000", date(1995, 6, 1)),
        ("801935999", date(1995, 5, 31)),
        ("801936000000", date(1995, 6, 1)),
        ("1767196800", date(2026, 1, 1)),
        ("1767196799999", date(2025, 12, 31)),
    ],
)
def test_g4_a_day_written_as_an_instant_is_the_companys_day(text: str, day: date) -> None:
    assert parse_date(text, zone=SHANGHAI) == day


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-01x", "2026-01-01 rubbish", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00+99:00"),
        *("20260101 1", "2026年1月1日左右", "34851abc", "13800138000", "2026-02-30", "1767196800s"),
    ],
)
def test_g4_anything_after_a_date_is_a_finding(text: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        parse_date(text, zone=SHANGHAI)
    assert caught.value.code == "date_invalid"


@given(st.integers(631_152_000, 3_786_912_000), st.integers(-14 * 4, 14 * 4))
def test_g4_an_instant_in_any_zone_is_the_same_day(seconds: int, quarters: int) -> None:
    at = datetime.fromtimestamp(seconds, SHANGHAI)
    elsewhere = at.astimezone(timezone(timedelta(minutes=15 * quarters)))
    assert parse_date(elsewhere.isoformat(), zone=SHANGHAI) == at.date()
    assert parse_moment(elsewhere.isoformat(), zone=SHANGHAI) == at
