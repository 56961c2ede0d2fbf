from datetime import date
from decimal import Decimal

import pytest

from customers.domain.fields.catalogue import Op, RuleUse
from customers.domain.segments.ast import AllOf, Compare, EventCondition, Not, Period, WithinDays
from customers.domain.segments.problems import RuleRefused
from customers.domain.segments.validate import check_rule, read_rule
from tests.unit.customers.domain.segments.catalogue import CATALOGUE


def rule(field, operator="=", value=None):
    return {"field": field, "operator": operator, "value": value}


def event(**value):
    return rule("event", "=", {"event": "app_login", **value})


def sequence(**value):
    whole = {"event": "app_login", "then": "repayment_made", "days": 7, **value}
    return rule("sequence", "=", whole)


def problems_of(data, use=RuleUse.MARKETING):
    try:
        read_rule({"combinator": "and", "rules": [data]}, catalogue=CATALOGUE, use=use)
    except RuleRefused as refused:
        return [(problem.path, problem.code.value) for problem in refused.problems]
    return []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (rule("age", ">=", "25"), 25),
        (rule("age", ">=", 25.0), 25),
        (rule("age", "between", "18,30"), (18, 30)),
        (rule("age", "in", 18), (18,)),
        (rule("attribute.number", "=", 0.1), Decimal("0.1")),
        (rule("attribute.number", "=", " 1e3 "), Decimal(1000)),
        (rule("birth_date", ">", "2000-02-29"), date(2000, 2, 29)),
        (rule("birth_date", "inLastDays", "7"), 7),
        (rule("attribute.vip", "=", "true"), True),
        (rule("attribute.plan", "=", 5), "5"),
        (rule("gender", "in", "male,female"), ("male", "female")),
        (rule("city", "null", ""), None),
    ],
)
def test_constants_become_the_type_of_their_field(data, expected):
    read = read_rule(data, catalogue=CATALOGUE, use=RuleUse.MARKETING)
    assert read.value == expected
    assert type(read.value) is type(expected)


V = "rules[0].value"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (rule("nickname", "=", "x"), ("rules[0].field", "unknown_field")),
        (rule("attribute.height", "=", 1), ("rules[0].field", "unknown_field")),
        (rule("age", "contains", "1"), ("rules[0].operator", "operator_not_allowed")),
        (rule("city", ">", "a"), ("rules[0].operator", "operator_not_allowed")),
        (rule("attribute.vip", "in", [True]), ("rules[0].operator", "operator_not_allowed")),
        (rule("age", "inLastDays", 3), ("rules[0].operator", "operator_not_allowed")),
        (rule("age", ">"), (V, "value_missing")),
        (rule("age", "in", []), (V, "value_missing")),
        (rule("city", "=", ""), (V, "value_missing")),
        (rule("city", "contains", ""), (V, "value_missing")),
        (rule("age", ">", "x"), (V, "not_a_number")),
        (rule("age", ">", True), (V, "not_a_number")),
        (rule("age", ">", "NaN"), (V, "not_a_number")),
        (rule("age", ">", "Infinity"), (V, "not_a_number")),
        (rule("age", ">", 1.5), (V, "not_whole")),
        (rule("age", ">", 10**12), (V, "number_too_large")),
        (rule("age", ">", "9" * 50), (V, "not_a_number")),
        (rule("age", ">", [1]), (V, "wrong_type")),
        (rule("loan.outstanding_amount", ">", "0.001"), (V, "too_many_decimals")),
        (rule("age", "between", [1]), (V, "two_values_needed")),
        (rule("age", "between", [2, 1]), (V, "bounds_reversed")),
        (rule("age", "in", list(range(101))), (V, "too_many_values")),
        (rule("city", "in", ["x"] * 1001), (V, "too_many_values")),
        (rule("birth_date", "=", "31.01.2026"), (V, "not_a_date")),
        (rule("birth_date", "=", "0001-01-01"), (V, "not_a_date")),
        (rule("birth_date", "inLastDays", -1), (V, "days_out_of_range")),
        (rule("birth_date", "inLastDays", 100_000), (V, "days_out_of_range")),
        (rule("attribute.vip", "=", "maybe"), (V, "not_a_flag")),
        (rule("city", "=", 1.5), (V, "not_text")),
        (rule("city", "=", "x" * 201), (V, "text_too_long")),
        (rule("city", "=", "a\x00b"), (V, "text_not_printable")),
        (rule("city", "=", "a\ud800"), (V, "text_not_printable")),
        (rule("gender", "=", "男"), (V, "not_an_option")),
        (rule("gender", "in", ["male", "other"]), (V, "not_an_option")),
        (rule("score.none", ">", 1), ("rules[0].field", "unknown_score")),
        (rule("score.churn", ">", "0.0000001"), (V, "too_many_decimals")),
        (rule("consent.fax.marketing", "granted"), ("rules[0].field", "unknown_consent")),
        (rule("consent.sms", "granted"), ("rules[0].field", "unknown_consent")),
        (rule("segment", "=", "gone"), (V, "unknown_segment")),
        (rule("loan.colour", "=", "x"), ("rules[0].field", "unknown_field")),
        (rule("event", "=", {"event": "danced"}), (f"{V}.event", "unknown_event")),
        (sequence(event="danced"), (f"{V}.event", "unknown_event")),
        (sequence(then="danced"), (f"{V}.then", "unknown_event")),
        (sequence(days=0), (f"{V}.days", "days_out_of_range")),
        (sequence(days=5000), (f"{V}.days", "days_out_of_range")),
        (sequence(days=None), (f"{V}.days", "not_whole")),
        (sequence(followed="yes"), (f"{V}.followed", "wrong_type")),
        (sequence(aggregate="count"), (f"{V}.aggregate", "unknown_key")),
        (
            sequence(then_where=[{"property": "mood", "operator": "=", "value": "x"}]),
            (f"{V}.then_where[0].property", "unknown_field"),
        ),
        (event(operator="contains"), (f"{V}.operator", "operator_not_allowed")),
        (event(value="x"), (f"{V}.value", "not_a_number")),
        (event(value=1.5), (f"{V}.value", "not_whole")),
        (event(aggregate="sum_amount", value="1.234"), (f"{V}.value", "too_many_decimals")),
        (event(aggregate="days_since_last", value=10_000), (f"{V}.value", "days_out_of_range")),
        (event(within_days=0), (f"{V}.within_days", "days_out_of_range")),
        (event(between=["2026-02-01", "2026-01-01"]), (f"{V}.between", "bounds_reversed")),
        (
            event(where=[{"property": "mood", "operator": "=", "value": "x"}]),
            (f"{V}.where[0].property", "unknown_field"),
        ),
        (
            event(where=[{"property": "amount", "operator": ">", "value": "x"}]),
            (f"{V}.where[0].value", "not_a_number"),
        ),
    ],
)
def test_what_does_not_fit_the_catalogue_is_named_by_path(data, expected):
    assert problems_of(data) == [expected]


@pytest.mark.parametrize(
    ("field", "use", "is_usable"),
    [
        ("gender", RuleUse.MARKETING, True),
        ("gender", RuleUse.CREDIT_OFFER, False),
        ("age", RuleUse.CREDIT_OFFER, False),
        ("marital", RuleUse.CREDIT_OFFER, False),
        ("attribute.bureau", RuleUse.MARKETING, False),
        ("attribute.bureau", RuleUse.RISK, True),
        ("score.pd", RuleUse.MARKETING, False),
        ("score.pd", RuleUse.RISK, True),
    ],
)
def test_protected_and_risk_only_fields_are_refused_where_they_may_not_be_used(
    field, use, is_usable
):
    expected = [] if is_usable else [("rules[0].field", "field_not_allowed")]
    assert problems_of(rule(field, "notNull"), use) == expected


def test_a_tree_made_in_code_is_checked_like_one_that_was_read():
    tree = AllOf(
        (
            Not(Compare("age", Op.MORE, "x")),
            EventCondition("app_login", window=WithinDays(0)),
            EventCondition("app_login", window=Period(date(2026, 1, 2), date(2026, 1, 1))),
        )
    )
    checked = check_rule(tree, catalogue=CATALOGUE, use=RuleUse.MARKETING)
    assert checked.rule is None
    assert [problem.path for problem in checked.problems] == [
        "rules[0].rules[0].value",
        "rules[1].value.within_days",
        "rules[2].value.between",
    ]


def test_a_tree_made_in_code_is_bounded_in_depth_and_size():
    deep = Compare("city", Op.EQUAL, "x")
    for _ in range(11):
        deep = AllOf((deep,))
    codes = [
        problem.code.value
        for problem in check_rule(deep, catalogue=CATALOGUE, use=RuleUse.RISK).problems
    ]
    assert codes == ["too_deep"]
    wide = AllOf((Compare("city", Op.EQUAL, "x"),) * 500)
    codes = [
        problem.code.value
        for problem in check_rule(wide, catalogue=CATALOGUE, use=RuleUse.RISK).problems
    ]
    assert codes == ["too_many_rules"]
    many = AllOf((Compare("city", Op.IN, ("x",) * 1000),) * 11)
    codes = [
        problem.code.value
        for problem in check_rule(many, catalogue=CATALOGUE, use=RuleUse.RISK).problems
    ]
    assert codes == ["too_many_values"]
