"""The sender of a reply is read in whatever form a gateway writes it."""

import pytest

from campaigns.domain.content.senders import mailbox_in, number_in
from customers.domain.values.quality import ValueRefused
from loancrm.kernel.phones import PhoneRefused

NUMBER = "+8613800138000"


@pytest.mark.parametrize(
    "text",
    [
        *(NUMBER, "13800138000", "8613800138000", "008613800138000", "+86 138 0013 8000"),
        *("tel:+8613800138000", "TEL:13800138000", "Tel: 138-0013-8000", "sms:+8613800138000"),
        *("SMSTO:13800138000", "sip:+8613800138000@10.11.12.13:5060;user=phone"),
        *("sips:13800138000@gw.example.com", "<sip:+8613800138000@gw.example.com>;tag=12345678"),
        *(
            "tel:+86-138-0013-8000;phone-context=+86",
            "sms:13800138000?body=td",
            "tel:%2B8613800138000",
        ),
        *(
            "13800138000@gateway",
            "13800138000@139.com",
            "+86 13800138000 (张三)",
            "张三13800138000",
        ),
        *("+86 138 0013 8000 (Li Si, VIP 2)", "Li Si <+8613800138000>", "[13800138000]"),
        *(
            "（13800138000）",
            "“13800138000”",
            "13800138000;",
            "138.0013.8000",
            "手机：１３８００１３８０００",
        ),
        *("+8613800138000,13800138000", "(0086)13800138000 Li"),
    ],
)
def test_g1_a_number_is_read_in_whatever_dress(text):
    assert number_in(text) == NUMBER


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("852-9123-4567", "+85291234567"),
        ("85291234567", "+85291234567"),
        ("TEL:+852 9123 4567", "+85291234567"),
        ("001-202-555-0123 (office)", "+12025550123"),
        ("1 (202) 555-0123 x", "+12025550123"),
    ],
)
def test_g1_a_foreign_number_is_read_with_dashes(text, number):
    assert number_in(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", "10086x", "10086", "95588", "1380013800O", "x13800138000", "13800138000x", "Li Si"),
        *("13800138000/13900139000", "138001380001380013800013800", "1.38E+10", "a@example.com"),
        *("+", "\ud800", "٣", "()" * 160, "1-" * 160),
    ],
)
def test_g1_what_names_no_number_or_two_is_none(text):
    with pytest.raises(PhoneRefused):
        number_in(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "li@example.com",
            "Li Si <LI@example.com>",
            "mailto:li@example.com",
            "MAILTO:Li@Example.com",
        ),
        *("li@example.com (Li Si)", "<mailto:li@example.com?subject=no>", "“li@example.com”"),
        *("ｌｉ＠example.com", "[li@example.com]", '"Li, Si" <li@example.com> on behalf'),
    ],
)
def test_g1_a_mailbox_is_read_in_whatever_dress(text):
    assert mailbox_in(text) == "li@example.com"


@pytest.mark.parametrize("text", ["", "li", "li@example.com, si@example.com", "@", "\ud800@x.com"])
def test_g1_what_names_no_mailbox_or_two_is_none(text):
    with pytest.raises(ValueRefused):
        mailbox_in(text)
