import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.domain.fields.catalogue import Aggregate, Op, RuleUse
from customers.domain.segments.ast import (
    AllOf,
    AnyOf,
    Compare,
    ConsentCondition,
    EventCondition,
    LoanCondition,
    Not,
    Period,
    PropertyFilter,
    ScoreCondition,
    SegmentCondition,
    WithinDays,
)
from customers.domain.segments.parse import parse_rule, parse_text
from customers.domain.segments.problems import TEXTS, RuleRefused, SegmentProblemCode
from customers.domain.segments.validate import inspect_rule, read_rule
from customers.domain.segments.write import to_json
from tests.integration.customers import segment_rules
from tests.unit.customers.domain.segments.catalogue import CATALOGUE


def group(*rules, combinator="and", **more):
    return {"combinator": combinator, "rules": list(rules), **more}


def rule(field, operator="=", value=None, **more):
    return {"field": field, "operator": operator, "value": value, **more}


def problems_of(data):
    return [(problem.path, problem.code.value) for problem in parse_rule(data).problems]


def test_a_query_of_the_builder_becomes_the_tree_it_shows():
    data = group(
        rule("city", "=", "上海", id="a", valueSource="value"),
        group(
            rule("age", "between", "18,30"),
            rule("score.propensity", ">", 0.5),
            combinator="or",
            id="b",
            **{"not": True},
        ),
        rule("consent.sms.marketing", "granted", ""),
        rule("segment", "!=", "listed"),
        version=1,
        id="root",
    )
    assert parse_rule(data).rule == AllOf(
        (
            Compare("city", Op.EQUAL, "上海"),
            Not(
                AnyOf(
                    (
                        Compare("age", Op.BETWEEN, ("18", "30")),
                        ScoreCondition("propensity", Op.MORE, 0.5),
                    )
                )
            ),
            ConsentCondition("sms", "marketing", granted=True),
            SegmentCondition("listed", is_member=False),
        )
    )


def test_an_event_condition_is_read_with_window_and_filters():
    data = rule(
        "event",
        "=",
        {
            "event": "app_login",
            "aggregate": "days_since_last",
            "operator": "<",
            "value": 5,
            "within_days": 30,
            "where": [{"property": "channel", "operator": "=", "value": "app"}],
        },
    )
    assert parse_rule(data).rule == EventCondition(
        "app_login",
        Aggregate.DAYS_SINCE_LAST,
        Op.LESS,
        5,
        WithinDays(30),
        (PropertyFilter("channel", Op.EQUAL, "app"),),
    )


def test_an_event_condition_without_details_means_that_it_ever_happened():
    assert parse_rule(rule("event", "=", {"event": "app_login"})).rule == EventCondition(
        "app_login", Aggregate.COUNT, Op.AT_LEAST, 1, None, ()
    )


def test_ends_of_a_period_are_days_or_moments():
    read = parse_rule(
        rule("event", "=", {"event": "x", "between": ["2026-01-01", "2026-01-31T12:00:00Z"]})
    ).rule
    assert read.window == Period(date(2026, 1, 1), datetime(2026, 1, 31, 12, tzinfo=UTC))


def test_loan_conditions_ask_for_any_loan_or_for_one_and_the_same():
    assert parse_rule(rule("loan.dpd_days", ">", 30)).rule == LoanCondition(
        (PropertyFilter("dpd_days", Op.MORE, 30),)
    )
    same = [
        {"property": "dpd_days", "operator": ">", "value": 30},
        {"property": "status", "operator": "=", "value": "overdue"},
    ]
    assert parse_rule(rule("loan", "=", {"where": same})).rule == LoanCondition(
        (PropertyFilter("dpd_days", Op.MORE, 30), PropertyFilter("status", Op.EQUAL, "overdue"))
    )


GOOD = rule("city", "=", "x")


@pytest.mark.parametrize(
    ("_case", "data", "expected"),
    [
        ("a number", 5, [("", "not_a_rule")]),
        ("nothing", None, [("", "not_a_rule")]),
        ("a list", [], [("", "not_a_rule")]),
        ("an unknown key of a rule", group(rule("city", "=", "x", sql="1")), [
            ("rules[0].sql", "unknown_key")]),
        ("an unknown key of a group", group(GOOD, disabled=True), [("disabled", "unknown_key")]),
        ("an unknown key deep down", group(GOOD, group(GOOD, rule("city", "=", "x", hint=1))), [
            ("rules[1].rules[1].hint", "unknown_key")]),
        ("an unknown key of an event", group(rule("event", "=", {"event": "x", "days": 3})), [
            ("rules[0].value.days", "unknown_key")]),
        ("no combinator", {"rules": [GOOD]}, [("combinator", "missing_key")]),
        ("a strange combinator", group(GOOD, combinator="xor"), [
            ("combinator", "unknown_combinator")]),
        ("combinators between rules", group(GOOD, "and", GOOD), [("rules[1]", "not_a_rule")]),
        ("rules that are no list", {"combinator": "and", "rules": {}}, [("rules", "wrong_type")]),
        ("not as text", group(GOOD, **{"not": "yes"}), [("not", "wrong_type")]),
        ("an empty inner group", group(GOOD, group()), [("rules[1].rules", "empty_group")]),
        ("an empty or", group(combinator="or"), [("rules", "empty_group")]),
        ("no field", group({"operator": "=", "value": 1}), [("rules[0].field", "missing_key")]),
        ("no operator", group({"field": "city"}), [("rules[0].operator", "missing_key")]),
        ("an unknown operator", group(rule("city", "like", "x")), [
            ("rules[0].operator", "unknown_operator")]),
        ("another field as value", group(rule("city", "=", "province", valueSource="field")), [
            ("rules[0].valueSource", "wrong_type")]),
        ("an object as value", group(rule("city", "=", {"a": 1})), [
            ("rules[0].value", "wrong_type")]),
        ("a list of objects", group(rule("city", "in", [{}])), [("rules[0].value", "wrong_type")]),
        ("a value for null", group(rule("city", "null", "x")), [
            ("rules[0].value", "value_not_expected")]),
        ("another version", group(GOOD, version=2), [("version", "unsupported_version")]),
        ("true as version", group(GOOD, version=True), [("version", "unsupported_version")]),
        ("an unknown aggregate", group(rule("event", "=", {"event": "x", "aggregate": "avg"})), [
            ("rules[0].value.aggregate", "unknown_aggregate")]),
        ("two windows", group(rule("event", "=", {
            "event": "x", "within_days": 3, "between": ["2026-01-01", "2026-01-02"]})), [
            ("rules[0].value", "two_windows")]),
        ("half a period", group(rule("event", "=", {"event": "x", "between": ["2026-01-01"]})), [
            ("rules[0].value.between", "two_values_needed")]),
        ("no dates", group(rule("event", "=", {"event": "x", "between": ["a", "2026-13-01"]})), [
            ("rules[0].value.between[0]", "not_a_date"),
            ("rules[0].value.between[1]", "not_a_date")]),
        ("a filter's unknown key", group(rule("event", "=", {"event": "x", "where": [
            {"property": "channel", "operator": "=", "value": "app", "not": True}]})), [
            ("rules[0].value.where[0].not", "unknown_key")]),
        ("a consent with another operator", group(rule("consent.sms.marketing", "=", True)), [
            ("rules[0].operator", "operator_not_allowed")]),
        ("a segment by number", group(rule("segment", "=", 4)), [("rules[0].value", "not_text")]),
        ("several at once", group(rule("city", "like", "x"), 3, combinator="xor"), [
            ("combinator", "unknown_combinator"),
            ("rules[0].operator", "unknown_operator"),
            ("rules[1]", "not_a_rule")]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_shape_is_named_by_path(_case, data, expected):
    parsed = parse_rule(data)
    assert parsed.rule is None
    assert [(problem.path, problem.code.value) for problem in parsed.problems] == expected


def nested(depth):
    data = group(GOOD)
    for _ in range(depth - 1):
        data = group(data)
    return data


def test_ten_levels_of_groups_are_read_and_eleven_are_not():
    assert problems_of(nested(10)) == []
    path = ".".join(["rules[0]"] * 10)
    assert problems_of(nested(11)) == [(path, "too_deep")]


def test_a_rule_nested_beyond_reason_is_refused_without_a_crash():
    with pytest.raises(RuleRefused) as refused:
        parse_text('{"rules":[' * 20_000 + "]}" * 20_000)
    assert refused.value.problems[0].code is SegmentProblemCode.TEXT_TOO_LONG
    with pytest.raises(RuleRefused) as refused:
        parse_text("[" * 90_000)
    assert refused.value.problems[0].code is SegmentProblemCode.NOT_JSON


def test_more_than_five_hundred_conditions_are_refused():
    assert problems_of(group(*[GOOD] * 499)) == []
    assert problems_of(group(*[GOOD] * 500)) == [("", "too_many_rules")]


def test_problems_of_shape_and_of_content_are_listed_together():
    checked = inspect_rule(
        group(rule("age", ">", "old"), rule("city", "like", "x"), rule("nothing", "=", 1)),
        catalogue=CATALOGUE,
        use=RuleUse.MARKETING,
    )
    assert {(problem.path, problem.code.value) for problem in checked.problems} == {
        ("rules[0].value", "not_a_number"),
        ("rules[1].operator", "unknown_operator"),
        ("rules[2].field", "unknown_field"),
    }


def test_every_problem_has_a_text_in_both_languages():
    assert set(TEXTS) == set(SegmentProblemCode)
    for text in TEXTS.values():
        assert text.zh
        assert text.en
        assert text.zh != text.en


@settings(max_examples=300, deadline=None)
@given(segment_rules.rules)
def test_the_stored_form_reads_back_as_the_same_tree(data):
    tree = read_rule(data, catalogue=CATALOGUE, use=RuleUse.RISK)
    stored = json.loads(json.dumps(to_json(tree)))
    again = read_rule(stored, catalogue=CATALOGUE, use=RuleUse.RISK)
    assert again == tree
    assert to_json(again) == stored


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "field",
                    "operator",
                    "value",
                    "rules",
                    "combinator",
                    "not",
                    "event",
                    "where",
                    "aggregate",
                    "between",
                    "within_days",
                    "property",
                    "version",
                    "id",
                )
            ),
            inner
            | st.sampled_from(("event", "loan", "loan.dpd_days", "age", "city", "consent.sms"))
            | st.sampled_from(("=", "in", "between", "null", "granted", "and", "count")),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=500, deadline=None)
@given(_json)
def test_any_json_at_all_gives_a_tree_or_problems(data):
    checked = inspect_rule(data, catalogue=CATALOGUE, use=RuleUse.MARKETING)
    assert (checked.rule is None) is bool(checked.problems)
    for problem in checked.problems:
        assert problem.message("zh-hans")
        assert problem.message("en")


_FIELDS = (
    *("age", "city", "gender", "birth_date", "created_at", "attribute.number", "attribute.vip"),
    *("consent.sms.marketing", "score.churn", "loan.dpd_days", "loan", "event", "segment", "?"),
)
_OPERATORS = (*(op.value for op in Op), "granted", "not_granted", "like")
_event_value = st.fixed_dictionaries(
    {"event": st.sampled_from(("app_login", "x"))},
    optional={
        "aggregate": st.sampled_from(list(Aggregate)) | _json,
        "operator": st.sampled_from(_OPERATORS),
        "value": _json,
        "within_days": _json,
        "between": st.lists(_json | st.just("2026-01-01"), max_size=3),
        "where": st.lists(
            st.fixed_dictionaries(
                {
                    "property": st.sampled_from(("amount", "channel", "x")),
                    "operator": st.sampled_from(_OPERATORS),
                    "value": _json,
                }
            ),
            max_size=2,
        ),
    },
)
_almost_rules = st.fixed_dictionaries(
    {
        "field": st.sampled_from(_FIELDS),
        "operator": st.sampled_from(_OPERATORS),
        "value": _json | _event_value | st.fixed_dictionaries({"where": _json}),
    }
)


@settings(max_examples=1000, deadline=None)
@given(st.lists(_almost_rules, max_size=3))
def test_any_value_for_any_field_and_operator_gives_a_tree_or_problems(rules):
    checked = inspect_rule(group(*rules), catalogue=CATALOGUE, use=RuleUse.RISK)
    assert (checked.rule is None) is bool(checked.problems)
