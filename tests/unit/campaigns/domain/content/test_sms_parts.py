import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.content.sms_parts import (
    OPT_OUT_TEXT,
    SmsEncoding,
    compose,
    leading_signature,
    measure,
)


@pytest.mark.parametrize(
    ("_case", "text", "parts"),
    [
        ("160 a", "a" * 160, 1),
        ("161 a", "a" * 161, 2),
        ("306 a", "a" * 306, 2),
        ("307 a", "a" * 307, 3),
        ("80 euro", "€" * 80, 1),
        ("81 euro", "€" * 81, 2),
        ("159 a and a euro", "a" * 159 + "€", 2),
        ("70 Han", "汉" * 70, 1),
        ("71 Han", "汉" * 71, 2),
        ("134 Han", "汉" * 134, 2),
        ("135 Han", "汉" * 135, 3),
        ("35 emoji", "😀" * 35, 1),
        ("36 emoji", "😀" * 36, 2),
        ("rare Han", "𠮷" * 36, 2),
        ("159 a and a typographic apostrophe", "a" * 159 + "’", 3),
        ("empty", "", 0),
    ],
)
def test_parts_are_counted_as_carriers_bill(_case, text, parts):
    assert measure(text).parts == parts


@pytest.mark.parametrize("character", "^{}[]~|\\€")
def test_characters_of_the_extension_table_take_two(character):
    assert measure(character).units == 2
    assert measure(character).encoding is SmsEncoding.GSM7


def test_f34_a_character_is_never_cut_in_two():
    # 152 septets, then an extension character that does not fit the 153rd: 3 parts, not 2.
    assert measure("a" * 152 + "€" + "a" * 151 + "€" + "a").parts == 3
    # 66 units, then a surrogate pair that does not fit the 67th.
    assert measure("汉" * 66 + "😀" + "汉" * 66).parts == 3


@given(st.text(max_size=400))
def test_parts_always_hold_the_text(text):
    size = measure(text)
    single, multi = (160, 153) if size.encoding is SmsEncoding.GSM7 else (70, 67)
    if size.parts <= 1:
        assert size.units <= single
    else:
        assert multi * (size.parts - 2) < size.units <= multi * size.parts


@pytest.mark.parametrize(
    ("_case", "body", "expected"),
    [
        ("plain", "您好", "【诚信】您好，拒收请回复R"),
        ("author wrote the signature", "【诚信】您好", "【诚信】您好，拒收请回复R"),
        ("author wrote another one", "【假冒】您好", "【诚信】您好，拒收请回复R"),
        ("author wrote the way out", "您好，拒收请回复R", "【诚信】您好，拒收请回复R"),
        ("full stop", "您好。", "【诚信】您好。拒收请回复R"),
        ("blanks around", "  您好 \n", "【诚信】您好，拒收请回复R"),
    ],
)
def test_signature_first_and_way_out_last_exactly_once(_case, body, expected):
    text = compose(body, signature="诚信", opt_out_text=OPT_OUT_TEXT)
    assert text == expected
    assert compose(text, signature="诚信", opt_out_text=OPT_OUT_TEXT) == text
    assert leading_signature(text) == "诚信"


def test_servicing_messages_need_no_way_out():
    assert compose("您好", signature="诚信", opt_out_text="") == "【诚信】您好"
    assert leading_signature("您好【诚信】") == ""
