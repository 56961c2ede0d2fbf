import pytest
from hypothesis import given, settings

from customers.domain.fields.catalogue import RuleUse
from customers.domain.segments.diff import RuleChangeKind, compare, describe_change
from customers.domain.segments.validate import read_rule
from tests.integration.customers import segment_rules
from tests.unit.customers.domain.segments.catalogue import CATALOGUE


def rule(field, operator="=", value=None):
    return {"field": field, "operator": operator, "value": value}


def group(*rules, combinator="and", negated=False):
    return {"combinator": combinator, "not": negated, "rules": list(rules)}


CITY = rule("city", "=", "上海")
OLDER = rule("age", ">=", 30)
OLDEST = rule("age", ">=", 40)
VIP = rule("attribute.vip", "=", True)


def changes(old, new, language="en"):
    read = [read_rule(data, catalogue=CATALOGUE, use=RuleUse.RISK) for data in (old, new)]
    return [
        describe_change(change, catalogue=CATALOGUE, language=language) for change in compare(*read)
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (group(CITY, OLDER), group(OLDER, CITY), []),
        (group(CITY), group(CITY, OLDER), ["added: age is at least 30 years"]),
        (group(CITY, OLDER), group(OLDER), ["removed: city is 上海"]),
        (
            group(CITY, OLDER),
            group(CITY, OLDEST),
            ["“age is at least 30 years” became “age is at least 40 years”"],
        ),
        (group(CITY, OLDER), group(CITY, OLDER, combinator="or"),
         ["a group of “all of” became one of “any of”"]),
        (group(CITY, negated=True), group(CITY),
         ["a group of “not all of” became one of “all of”"]),
        (
            group(CITY, group(OLDER, VIP, combinator="or")),
            group(CITY, group(OLDEST, combinator="or")),
            [
                "“age is at least 30 years” became “age is at least 40 years”",
                "removed: vip is yes",
            ],
        ),
        (group(CITY, CITY), group(CITY), ["removed: city is 上海"]),
    ],
)  # fmt: skip
def test_c11_the_diff_of_two_versions_lists_the_changed_conditions(old, new, expected):
    assert changes(old, new) == expected


def test_c11_the_diff_is_told_in_chinese():
    assert changes(group(CITY, OLDER), group(OLDEST, combinator="or"), "zh-hans") == [
        "条件组由“全部满足”改为“任一满足”",
        "“年龄不小于 30 岁”改为“年龄不小于 40 岁”",
        "删除：城市等于 上海",
    ]


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(old=segment_rules.rules, new=segment_rules.rules)
def test_every_diff_can_be_told_and_is_empty_only_between_equal_rules(old, new):
    trees = [read_rule(data, catalogue=CATALOGUE, use=RuleUse.RISK) for data in (old, new)]
    found = compare(*trees)
    assert compare(trees[0], trees[0]) == []
    assert all(describe_change(change, catalogue=CATALOGUE, language="en") for change in found)
    if not found:
        counts = [sorted(repr(tree)) for tree in trees]
        assert counts[0] == counts[1]
    kinds = {change.kind for change in found}
    assert kinds <= set(RuleChangeKind)
