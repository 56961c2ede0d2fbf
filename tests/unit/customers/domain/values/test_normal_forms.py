"""The form in which a value is stored is read as itself again, whatever was written first."""

import unicodedata
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from customers.domain.values.dates import parse_date
from customers.domain.values.emails import parse_email
from customers.domain.values.names import name_key, parse_name
from customers.domain.values.national_id import check_digit, parse_national_id
from customers.domain.values.quality import Code, ValueRefused
from customers.domain.values.regions import short_name
from customers.domain.values.words import (
    clean,
    parse_amount,
    parse_flag,
    parse_gender,
    parse_number,
)
from loancrm.kernel.phones import PhoneRefused, parse_phone

SHANGHAI = ZoneInfo("Asia/Shanghai")

TODAY = date(2026, 4, 1)
SPOILT = st.sampled_from(
    ["", " ", "\u3000", "\u200b", "\ufeff", "-", ".", "・", "'", "\u00a0", "\t"]
)
# Words as people write them and as machines break them.
WORDS = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.one_of(
            SPOILT,
            st.sampled_from(
                ["李", "平", "欧阳", "Ａ", "é", "e\u0301", "ﬁ", "ǅ", "ß", "İ", "阿·卜", "㍿"]
            ),
            st.text(st.characters(categories=["L", "M", "N"]), max_size=4),
        ),
        max_size=8,
    ).map("".join),
)


def _read(parse, text):
    """Return what a text means, or give the example up where it means nothing."""
    try:
        return parse(text)
    except (ValueRefused, PhoneRefused):
        assume(False)


@given(WORDS)
@example("欧 阳\u200b 春")
def test_s5_a_name(text):
    name = _read(parse_name, text)

    assert parse_name(name) == name
    assert unicodedata.is_normalized("NFKC", name)
    assert name_key(name_key(name)) == name_key(name)


@given(st.emails() | st.builds("{} <{}>".format, st.just("某人"), st.emails()))
@example("ＡＢＣ＠ｅｘａｍｐｌｅ。ｃｏｍ")
def test_s5_an_email_address(text):
    address = _read(parse_email, text)

    assert parse_email(address) == address


MOBILES = st.builds(
    "{}{}".format,
    st.sampled_from(["138", "159", "186", "199", "170"]),
    st.text(st.sampled_from("0123456789"), min_size=8, max_size=8),
)
LANDLINES = st.builds(
    "{}{}".format,
    st.sampled_from(["010-8", "021 6", "0755-2"]),
    st.text(st.sampled_from("0123456789"), min_size=7, max_size=7),
)


@given(
    st.sampled_from(["", "+86", "0086 ", "86-", "（+86）"]),
    MOBILES | LANDLINES,
    st.integers(0, 12),
    SPOILT,
)
@example("", "１３８００１３８００１", 3, " ")
def test_s5_a_phone_number_is_e164(country, national, at, gap):
    number = _read(parse_phone, country + national[:at] + gap + national[at:])

    again = parse_phone(number.e164)
    assert again == number
    assert number.e164.startswith("+")
    assert number.e164[1:].isdecimal()


DAYS = st.dates(date(1900, 1, 1), TODAY)


@given(
    st.sampled_from(["110105", "440524", "330106"]),
    DAYS,
    st.integers(0, 999),
    st.booleans(),
    SPOILT,
)
@example("110105", date(1949, 12, 31), 2, True, "-")
def test_s5_an_identity_number_has_eighteen_places(region, born, serial, is_old, gap):
    body = f"{region}{born:%Y%m%d}{serial:03d}"
    if is_old and born.year < 2000 and born.year >= 1900:
        written = f"{region}{born:%y%m%d}{serial:03d}"
    else:
        written = (body + check_digit(body)).lower()
    found = _read(
        lambda text: parse_national_id(text, today=TODAY), written[:6] + gap + written[6:]
    )

    again = parse_national_id(found.number, today=TODAY)
    assert again == found
    assert len(found.number) == 18


@given(st.text(st.sampled_from("0123456789/-.年月日 ０１"), max_size=14) | DAYS.map(str))
@example("2001年3月7日")
@example("20010307")
def test_s5_a_day_is_written_in_iso_form(text):
    day = _read(partial(parse_date, zone=SHANGHAI), text)

    assert parse_date(day.isoformat(), zone=SHANGHAI) == day


@given(
    st.text(st.sampled_from("0123456789.,，万千元¥￥ -０１"), max_size=12)
    | st.decimals(-(10**9), 10**9, places=2).map(str)
)
@example("1.2万")
@example("￥12,345.60元")
def test_s5_an_amount_is_a_plain_number_of_yuan(text):
    amount = _read(parse_amount, text)

    assert parse_amount(f"{amount:f}") == amount
    assert parse_number(f"{amount:f}") == amount
    assert isinstance(amount, Decimal)


@given(WORDS)
def test_s5_words_and_short_names_of_regions(text):
    word = clean(text)
    assert clean(word) == word
    try:
        parsed = parse_gender(word)
    except ValueRefused:
        parsed = ""
    assert parsed == "" or parse_gender(parsed) == parsed
    try:
        flag = parse_flag(word)
    except ValueRefused:
        return
    assert parse_flag("1" if flag else "0") is flag


@pytest.mark.parametrize(
    "name", ["陕西省", "陕西", "内蒙古自治区", "西安市", "大兴安岭地区", "锡林郭勒盟", "吉林市"]
)
def test_s5_a_short_region_stays_short(name):
    assert short_name(short_name(name)) == short_name(name)


@given(DAYS, st.integers(0, 999))
def test_s16_the_birth_date_and_sex_in_an_identity_number_are_those_that_made_it(born, serial):
    body = f"110105{born:%Y%m%d}{serial:03d}"

    found = parse_national_id(body + check_digit(body), today=TODAY)

    assert found.birth_date == born
    assert found.gender == ("male" if serial % 2 else "female")
    with pytest.raises(ValueRefused) as refused:
        parse_national_id(body + check_digit(body), today=born - timedelta(days=1))
    assert refused.value.code is Code.ID_DATE
