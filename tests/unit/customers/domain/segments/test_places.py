"""Problems of a rule are told to people by group, condition and label, never by a path."""

import pytest

from customers.domain.fields.catalogue import RuleUse
from customers.domain.segments import places
from customers.domain.segments.problems import RuleRefused
from customers.domain.segments.validate import read_rule
from tests.unit.customers.domain.segments.catalogue import CATALOGUE

GOOD = {"field": "city", "operator": "=", "value": "上海"}


def group(*rules):
    return {"combinator": "and", "rules": list(rules)}


def rule(field, operator="=", value=None):
    return {"field": field, "operator": operator, "value": value}


def told(data, language):
    with pytest.raises(RuleRefused) as refused:
        read_rule(data, catalogue=CATALOGUE, use=RuleUse.MARKETING)
    found = places.located(refused.value.problems, data, CATALOGUE)
    return [problem.in_words(language) for problem in found]


EVENT = {"event": "app_login", "where": [{"property": "amount", "operator": "=", "value": "x"}]}
CASES = [
    (
        group(rule("~")),
        "Condition 1: Choose a field",
        "第 1 个条件：请选择字段",
    ),
    (
        group(GOOD, rule("age", ">", "old")),
        "Condition 2 (age): A number is needed",
        "第 2 个条件（年龄）：请填写数字",
    ),
    (
        group(GOOD, group(GOOD, group(GOOD, rule("age", ">", "old")))),
        "Condition 2 of group 2.2 (age): A number is needed",
        "第 2.2 组第 2 个条件（年龄）：请填写数字",
    ),
    (group(GOOD, group()), "Group 2: The group is empty", "第 2 组：条件组为空"),
    (
        group(rule("event", "=", EVENT)),
        "Condition 1 (event), filter 1: A number is needed",
        "第 1 个条件（事件），第 1 个筛选：请填写数字",
    ),
    (
        group(rule("consent.sms.marketing", "=")),
        "Condition 1 (consent to marketing by SMS): This field does not take this operator",
        "第 1 个条件（短信·营销授权）：该字段不能使用此运算符",
    ),
    (
        rule("age", ">", "old"),
        "The condition (age): A number is needed",
        "条件（年龄）：请填写数字",
    ),
    (5, "A condition or a group is expected here", "这里应是一个条件或条件组"),
]


@pytest.mark.parametrize(("data", "english", "chinese"), CASES)
def test_a_problem_is_told_by_number_and_label(data, english, chinese):
    assert told(data, "en") == [english]
    assert told(data, "zh-hans") == [chinese]


def test_a_field_that_may_not_be_used_is_named_by_its_label():
    assert told(group(rule("score.pd", ">", 1)), "en") == [
        "Condition 1 (default): The field “default” may not be used for this purpose"
    ]
    assert told(group(rule("attribute.bureau", "=", 1)), "zh-hans") == [
        "第 1 个条件（bureau）：字段“bureau”不可用于此用途"
    ]
