"""Resident identity numbers by GB 11643."""

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.values.national_id import check_digit, parse_national_id
from customers.domain.values.quality import ValueRefused

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_published_examples_are_valid(number: str) -> None:
    assert parse_national_id(number, today=TODAY).number == number


def test_number_tells_birth_gender_and_province() -> None:
    found = parse_national_id("53010219200508011x", today=TODAY)
    assert (found.birth_date, found.gender, found.region_code, found.province) == (
        date(1920, 5, 8),
        "male",
        "530102",
        "云南",
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("110105194912310021", "id_checksum"),
        ("110105194902310026", "id_date"),
        ("331123209912316273", "id_date"),
        ("999999190202198894", "id_region"),
        ("1101051949123100", "id_format"),
        ("4.20402198207186E+17", "id_format"),
        ("", "id_format"),
    ],
)
def test_each_fault_has_its_code(text: str, code: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        parse_national_id(text, today=TODAY)
    assert caught.value.code == code


def test_first_generation_number_is_upgraded() -> None:
    assert parse_national_id("110105491231002", today=TODAY).number == "11010519491231002X"


def test_full_width_and_separators_are_understood() -> None:
    spelled = "１１０１０５ 19491231 002ｘ"
    assert parse_national_id(spelled, today=TODAY).number == "11010519491231002X"


def test_vectors(shared_data: Path) -> None:
    with (shared_data / "vectors_cn_id/cn_id.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 349
    for row in rows:
        if row["valid"] != "True":
            with pytest.raises(ValueRefused):
                parse_national_id(row["input"], today=TODAY)
            continue
        found = parse_national_id(row["input"], today=TODAY)
        if row["region"]:
            assert found.region_code == row["region"]
            assert found.birth_date.isoformat() == row["birth"]
            assert found.gender[0].upper() == row["sex"]


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 999))
def test_any_number_with_its_check_digit_is_valid_and_stable(born: date, order: int) -> None:
    body = f"440524{born:%Y%m%d}{order:03d}"
    found = parse_national_id(body + check_digit(body), today=TODAY)
    assert found.birth_date == born
    assert parse_national_id(found.number, today=TODAY) == found


@given(st.integers(0, 16), st.integers(1, 9))
def test_any_single_wrong_digit_is_noticed(position: int, shift: int) -> None:
    number = "11010519491231002X"
    digit = str((int(number[position]) + shift) % 10)
    with pytest.raises(ValueRefused):
        parse_national_id(number[:position] + digit + number[position + 1 :], today=TODAY)


@given(st.from_regex(r"[1-6][1-5][0-9]{4}(19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}", fullmatch=True))
def test_a_bare_number_is_read_like_one_that_has_to_be_cleaned(body: str) -> None:
    for text in (body + check_digit(body), body + "0"):
        answers = []
        for form in (text, f" {text[:6]}-{text[6:].lower()}"):
            try:
                answers.append(parse_national_id(form, today=TODAY))
            except ValueRefused as refused:
                answers.append(refused.code)
        assert answers[0] == answers[1]


@given(st.from_regex(r"[0-9]{17}", fullmatch=True))
def test_the_check_digit_is_mod_11_2_of_iso_7064(body: str) -> None:
    weighted = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    assert (weighted + (10 if check_digit(body) == "X" else int(check_digit(body)))) % 11 == 1


@pytest.mark.parametrize(
    ("number", "born", "gender", "province"),
    [
        ("91104019880105001X", date(1988, 1, 5), "male", "北京"),
        ("931010199002020025", date(1990, 2, 2), "female", "上海"),
    ],
)
def test_g5_residence_cards_of_foreigners_are_identity_cards(
    number: str, born: date, gender: str, province: str
) -> None:
    found = parse_national_id(number, today=TODAY)
    assert (found.birth_date, found.gender, found.province) == (born, gender, province)


@pytest.mark.parametrize(
    ("number", "code"), [("911040198801050011", "id_checksum"), ("990000198801050015", "id_region")]
)
def test_g5_a_wrong_residence_card_is_refused(number: str, code: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        parse_national_id(number, today=TODAY)
    assert caught.value.code == code
