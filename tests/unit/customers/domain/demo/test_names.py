from datetime import date
from random import Random

import phonenumbers

from customers.domain.demo import names
from customers.domain.values.national_id import parse_national_id


def test_identity_number_says_birth_date_gender_and_a_region_nobody_lives_in():
    number = names.national_id(province_code="44", born_on=date(1990, 5, 6), serial=12, female=True)

    assert number[:6] == "440000"
    assert number[6:14] == "19900506"
    assert int(number[16]) % 2 == 0
    assert len(number) == 18
    assert parse_national_id(number, today=date(2026, 1, 1)).province == "广东"


def test_phone_numbers_are_valid_chinese_mobiles_and_never_repeat():
    numbers = [names.mobile_number(serial) for serial in range(400_000)]

    assert len(set(numbers)) == len(numbers)
    for number in numbers[::20_011]:
        parsed = phonenumbers.parse(number)
        assert phonenumbers.is_valid_number(parsed)
        assert phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE


def test_surnames_come_in_their_real_proportions():
    rng = Random(1)

    drawn = [names.draw_name(rng, female=False).text[0] for _ in range(20_000)]

    share_of_wang = drawn.count("王") / len(drawn)
    share_of_gong = drawn.count("龚") / len(drawn)
    assert 0.07 < share_of_wang < 0.11
    assert share_of_gong < 0.006
