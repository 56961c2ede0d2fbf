"""Dates in the forms people write."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.dates import check_birth_date, parse_birth_number, parse_date
from customers.domain.quality import ValueRefused

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
    assert parse_date(text) == JULY_3


@pytest.mark.parametrize(
    "text", ["", "2001-13-01", "2001-02-29", "20010732", "7", "1987", "July", "99999", "2001-7"]
)
def test_texts_that_are_no_date_are_refused(text: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        parse_date(text)
    assert caught.value.code == "date_invalid"


def test_year_last_needs_an_order_unless_the_numbers_settle_it() -> None:
    assert parse_date("03/07/2001", order="dmy") == JULY_3
    assert parse_date("07/03/2001", order="mdy") == JULY_3
    assert parse_date("23/07/2001") == date(2001, 7, 23)
    assert parse_date("07/23/2001") == date(2001, 7, 23)
    with pytest.raises(ValueRefused) as caught:
        parse_date("03/07/2001")
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
    assert parse_date(written) == day
    assert parse_date(parse_date(written).isoformat()) == day
