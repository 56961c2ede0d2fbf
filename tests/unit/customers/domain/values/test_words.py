"""Closed words and amounts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.values.quality import ValueRefused
from customers.domain.values.words import (
    clean,
    parse_amount,
    parse_flag,
    parse_gender,
    parse_number,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("Y", True), ("是", True), ("TRUE", True), ("１", True), ("N", False), ("退订", False)],
)
def test_yes_and_no_words(text: str, value: bool) -> None:
    assert parse_flag(text) is value


def test_a_word_that_is_neither_is_refused() -> None:
    with pytest.raises(ValueRefused) as caught:
        parse_flag("maybe")
    assert caught.value.code == "flag_invalid"


@pytest.mark.parametrize(
    ("text", "gender"),
    [("男", "male"), ("F", "female"), ("2", "female"), ("1", "male"), ("0", ""), ("未知", "")],
)
def test_gender_words(text: str, gender: str) -> None:
    assert parse_gender(text) == gender


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("￥1,234.50", "1234.50"),
        ("1.2万", "12000.00"),
        ("3亿元", "300000000.00"),
        ("-5", "-5.00"),
        ("CNY 20k", "20000.00"),
        ("１００元", "100.00"),
    ],
)
def test_amounts_with_units(text: str, amount: str) -> None:
    assert parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "1E+5", "12,34", "five", "--3", "1.2.3", "9" * 40])
def test_texts_that_are_no_amount_are_refused(text: str) -> None:
    with pytest.raises(ValueRefused):
        parse_amount(text)


@given(st.decimals(-(10**10), 10**10, places=4))
def test_plain_numbers_are_read_back(number: Decimal) -> None:
    assert parse_number(f"{number:,f}") == number
    assert parse_number(str(parse_number(f"{number:f}").normalize().__format__("f"))) == number


@given(st.text(max_size=40))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)
