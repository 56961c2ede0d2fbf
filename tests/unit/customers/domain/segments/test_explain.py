import pytest
from hypothesis import given, settings

from customers.domain.fields.catalogue import RuleUse
from customers.domain.segments.explain import explain
from customers.domain.segments.validate import read_rule
from tests.integration.customers import segment_rules
from tests.unit.customers.domain.segments.catalogue import CATALOGUE


def rule(field, operator="=", value=None):
    return {"field": field, "operator": operator, "value": value}


def told(data, language):
    tree = read_rule(data, catalogue=CATALOGUE, use=RuleUse.RISK)
    return explain(tree, catalogue=CATALOGUE, language=language)


LOGINS = rule(
    "event",
    "=",
    {
        "event": "app_login",
        "aggregate": "count",
        "operator": ">=",
        "value": 2,
        "within_days": 30,
        "where": [{"property": "channel", "operator": "=", "value": "app"}],
    },
)
LEFT = rule(
    "sequence",
    "=",
    {
        "event": "app_login",
        "then": "repayment_made",
        "days": 7,
        "within_days": 90,
        "then_where": [{"property": "channel", "operator": "=", "value": "app"}],
    },
)
QUIET = rule(
    "event",
    "=",
    {"event": "app_login", "aggregate": "days_since_last", "operator": ">", "value": 90},
)


@pytest.mark.parametrize(
    ("data", "chinese", "english"),
    [
        (rule("age", "between", [18, 30]), "年龄介于 18 和 30 岁之间",
         "age is between 18 and 30 years"),
        (rule("city", "in", "上海,北京"), "城市属于 上海、北京", "city is one of 上海, 北京"),
        (rule("gender", "=", "female"), "性别等于 女", "gender is female"),
        (rule("city", "null"), "城市为空", "city is missing"),
        (rule("birth_date", "<", "2000-01-01"), "出生日期早于 2000-01-01",
         "birth date is before 2000-01-01"),
        (rule("created_at", "inLastDays", 7), "建档日期在最近 7 天内",
         "created on is in the last 7 days"),
        (rule("attribute.vip", "=", True), "vip等于 是", "vip is yes"),
        (rule("score.churn", ">", 0.5), "评分 流失 大于 0.5",
         "score churn is more than 0.5"),
        (rule("consent.sms.marketing", "granted"), "已同意短信营销",
         "has consented to marketing by SMS"),
        (rule("segment", "!=", "listed"), "不属于人群“listed”", "is not in the segment “listed”"),
        (rule("loan.dpd_days", ">", 30), "任意一笔贷款的逾期天数大于 30 天",
         "any loan's days past due is more than 30 days"),
        (LEFT, "最近 90 天内“登录App”之后 7 天内没有“还款”（渠道等于 app）",
         ("after “app login” in the last 90 days there was no “repayment made” (channel is app) "
          "within 7 days")),
        (rule("bucket", "<", 20), "随机分桶 A（0–99）小于 20",
         "random bucket A (0-99) is less than 20"),
        (LOGINS, "最近 30 天内“登录App”（渠道等于 app）的次数不小于 2",
         "the number of “app login” (channel is app) in the last 30 days is at least 2"),
        (QUIET, "距最近一次“登录App”的天数大于 90",
         "days since the last of “app login” is more than 90"),
        ({"combinator": "and", "rules": []}, "所有客户", "all customers"),
    ],
)  # fmt: skip
def test_a_condition_is_told_in_both_languages(data, chinese, english):
    assert told(data, "zh-hans") == chinese
    assert told(data, "en") == english


def test_groups_are_joined_bracketed_and_negated():
    data = {
        "combinator": "and",
        "rules": [
            rule("city", "=", "上海"),
            {
                "combinator": "or",
                "not": True,
                "rules": [rule("age", "<", 18), rule("age", ">", 65)],
            },
            {"combinator": "or", "rules": [rule("city", "null"), rule("age", "null")]},
        ],
    }
    assert told(data, "zh-hans") == (
        "城市等于 上海，且并非（年龄小于 18 岁，或年龄大于 65 岁），且（城市为空，或年龄为空）"
    )
    assert told(data, "en") == (
        "city is 上海 and not (age is less than 18 years or age is more than 65 years) "
        "and (city is missing or age is missing)"
    )


@settings(max_examples=200, deadline=None)
@given(segment_rules.rules)
def test_every_rule_can_be_told(data):
    assert told(data, "zh-hans")
    assert told(data, "en")
