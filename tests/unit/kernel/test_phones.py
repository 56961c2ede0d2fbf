"""Telephone numbers to E.164."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loancrm.kernel.phones import PhoneKind, PhoneRefused, parse_phone


@pytest.mark.parametrize(
    "text",
    [
        "138 0013 8000",
        "0086-13800138000",
        "１３８００１３８０００",
        "+86 138-0013-8000",
        "8613800138000",
        "13800138000.0",
        "(86)13800138000",
        "\u200b138\u00a000138000",
    ],
)
def test_every_spelling_of_a_chinese_mobile_gives_one_number(text: str) -> None:
    number = parse_phone(text)
    assert (number.e164, number.kind, number.can_receive_sms) == (
        "+8613800138000",
        PhoneKind.MOBILE,
        True,
    )


@pytest.mark.parametrize("text", ["12345678901", "1380013800", "无", "010-8888", "", "1380013800O"])
def test_texts_that_are_no_number_are_refused(text: str) -> None:
    with pytest.raises(PhoneRefused) as caught:
        parse_phone(text)
    assert caught.value.code == "phone_invalid"


def test_a_number_that_a_spreadsheet_rounded_is_refused_by_its_own_code() -> None:
    with pytest.raises(PhoneRefused) as caught:
        parse_phone("1.38E+10")
    assert caught.value.code == "phone_digits_lost"


def test_the_national_form_depends_on_the_region() -> None:
    with pytest.raises(PhoneRefused):
        parse_phone("13800138000", region="US")


@pytest.mark.parametrize("prefix", ["162", "165", "167", "170", "171"])
def test_virtual_ranges_are_valid_and_flagged(prefix: str) -> None:
    number = parse_phone(f"{prefix}00000000")
    assert number.is_virtual
    assert number.can_receive_sms


def test_a_landline_takes_no_text_messages() -> None:
    number = parse_phone("010-62345678")
    assert (number.e164, number.kind) == ("+861062345678", PhoneKind.LANDLINE)
    assert not number.can_receive_sms


def test_numbers_are_hidden_in_repr() -> None:
    assert "138" not in repr(parse_phone("13800138000"))


def outcome(text: str) -> str:
    try:
        return parse_phone(text).e164
    except PhoneRefused as refused:
        return refused.code


def test_chinese_vectors(shared_data: Path) -> None:
    with (shared_data / "vectors_phone/phone_cn.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 417
    for row in rows:
        if row["variant"] == "excel_float":
            # The library alone refuses it; an importer repairs it where the number itself is good.
            assert outcome(row["input"]) == outcome(row["input"].removesuffix(".0"))
        elif row["valid_mobile"] == "True":
            assert parse_phone(row["input"]).e164 == row["e164"]
            assert parse_phone(row["input"]).kind is PhoneKind.MOBILE
        else:
            with pytest.raises(PhoneRefused):
                parse_phone(row["input"])


def test_examples_of_all_countries(shared_data: Path) -> None:
    with (shared_data / "vectors_phone/phone_examples.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 1259
    for row in rows:
        region = row["default_region"] or "ZZ"
        if row["valid"] == "True":
            assert parse_phone(row["input"], region=region).e164 == row["e164"]
        else:
            with pytest.raises(PhoneRefused):
                parse_phone(row["input"], region=region)


@given(st.text(alphabet="0123456789+-() ０１８.E", max_size=20) | st.text(max_size=30))
def test_parsing_the_result_again_changes_nothing(text: str) -> None:
    try:
        number = parse_phone(text)
    except PhoneRefused:
        return
    assert parse_phone(number.e164) == number


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_a_bare_mobile_is_read_like_one_that_has_to_be_cleaned(text: str) -> None:
    answers = []
    for form in (text, f" {text[:3]}-{text[3:]} "):
        try:
            answers.append(parse_phone(form))
        except PhoneRefused as refused:
            answers.append(refused.code)
    assert answers[0] == answers[1]
