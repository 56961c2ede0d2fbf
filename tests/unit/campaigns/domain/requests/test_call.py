from datetime import date

import pytest

from campaigns.domain.compliance import rulebook
from campaigns.domain.compliance.rules import LenderType
from campaigns.domain.partners.contract import ItemFault
from campaigns.domain.requests.call import (
    LONGEST_VALUE,
    RequestPriority,
    RowCode,
    naming_faults,
    value_faults,
)
from campaigns.domain.sending.states import Priority

RULES = rulebook.rules_on(date(2026, 11, 1), LenderType.BANK)


def test_what_is_urgent_goes_before_services_and_those_before_the_rest():
    ranks = [priority.rank for priority in RequestPriority]
    assert ranks == [Priority.URGENT, Priority.SERVICE, Priority.NORMAL] == sorted(ranks)


def test_a_person_is_named_in_exactly_one_way():
    assert naming_faults({"customer": None, "phone": "1", "email": ""}) == ()
    assert naming_faults({"customer": None, "phone": "", "email": ""}) == (
        ItemFault(RowCode.PERSON_MISSING),
    )
    assert naming_faults({"customer": None, "phone": "1", "email": "a@b"}) == (
        ItemFault(RowCode.PERSON_TOLD_TWICE, "email"),
    )


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({}, ItemFault(RowCode.VARIABLE_MISSING, "variables.code")),
        ({"code": " "}, ItemFault(RowCode.VARIABLE_MISSING, "variables.code")),
        ({"code": "1", "pin": "2"}, ItemFault(RowCode.VARIABLE_UNDECLARED, "variables")),
        ({"code": "1\n2"}, ItemFault(RowCode.VARIABLE_INVALID, "variables.code")),
        ({"code": "1\x00"}, ItemFault(RowCode.VARIABLE_INVALID, "variables.code")),
        (
            {"code": "9" * (LONGEST_VALUE + 1)},
            ItemFault(RowCode.VARIABLE_INVALID, "variables.code"),
        ),
        ({"code": "限时优惠"}, ItemFault(RowCode.VARIABLE_WORDS, "variables.code")),
        ({"code": "1】【别家银行】"}, ItemFault(RowCode.VARIABLE_WORDS, "variables.code")),
        ({"code": "https://evil.example/x"}, ItemFault(RowCode.VARIABLE_WORDS, "variables.code")),
        ({"code": "见 evil.cn"}, ItemFault(RowCode.VARIABLE_WORDS, "variables.code")),
    ],
)
def test_values_are_those_that_the_template_declares(values, fault):
    assert value_faults(values, declared=("code",), purpose="service", rules=RULES) == (fault,)


def test_two_values_do_not_make_a_word_of_two_halves():
    values = {"first": "限", "second": "时优", "third": "惠"}
    found = value_faults(values, declared=tuple(values), purpose="service", rules=RULES)
    assert found == (ItemFault(RowCode.VARIABLE_WORDS, "variables"),)


@pytest.mark.parametrize("value", ["482913", "12.50", "2026-03-04 10:00", "尾号1234", "A-1.2"])
def test_what_a_notice_needs_is_let_through(value):
    assert value_faults({"code": value}, declared=("code",), purpose="service", rules=RULES) == ()


def test_a_price_of_credit_without_its_annual_rate_is_refused():
    found = value_faults({"code": "月息0.1%"}, declared=("code",), purpose="marketing", rules=RULES)
    assert found == (ItemFault(RowCode.VARIABLE_WORDS, "variables.code"),)


def test_an_offer_is_a_matter_of_marketing():
    values = {"code": "限时优惠"}
    assert value_faults(values, declared=("code",), purpose="marketing", rules=RULES) == ()


def test_no_fault_says_what_was_sent():
    faults = value_faults({"482913": "482913"}, declared=(), purpose="service", rules=RULES)
    assert "482913" not in repr(faults)
