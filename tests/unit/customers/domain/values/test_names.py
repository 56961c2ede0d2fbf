"""Names of persons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.values.names import name_key, parse_name
from customers.domain.values.quality import ValueRefused


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("薛军 ", "薛军"),
        ("张 三", "张三"),
        ("Ｓｍｉｔｈ  John", "Smith John"),
        ("雷𠮷芳", "雷𠮷芳"),
        ("买买提•艾力", "买买提·艾力"),
        ("\u200b李平", "李平"),
        ("无", ""),
        ("N/A", ""),
        ("  ", ""),
    ],
)
def test_names_are_stored_in_one_spelling(text: str, name: str) -> None:
    assert parse_name(text) == name


@pytest.mark.parametrize(
    ("text", "code"), [("13800138000", "name_invalid"), ("李" * 101, "text_too_long")]
)
def test_texts_that_are_no_name_are_refused(text: str, code: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        parse_name(text)
    assert caught.value.code == code


def test_key_ignores_case_spaces_and_dots() -> None:
    assert name_key("John  SMITH-Miller") == name_key("john smith miller")
    assert name_key("买买提·艾力") == name_key("买买提艾力")
    assert name_key("雷𠮷芳") != name_key("雷吉芳")


@given(st.text(max_size=60))
def test_parsing_the_result_again_changes_nothing(text: str) -> None:
    try:
        name = parse_name(text)
    except ValueRefused:
        return
    assert parse_name(name) == name


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0xA00C), max_size=5))
def test_a_plain_name_is_read_like_one_that_has_to_be_cleaned(text: str) -> None:
    assert parse_name(f"\u200b{text} ") == parse_name(text)
    assert name_key(f"\u200b{text}") == name_key(text)
