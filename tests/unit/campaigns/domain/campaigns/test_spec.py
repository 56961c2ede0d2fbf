from datetime import datetime
from decimal import Decimal

import pytest

from campaigns.domain.campaigns.given.problems import ValueProblems
from campaigns.domain.campaigns.spec import parse_spec

SPEC = {
    "slug": "spring",
    "name": {"zh-hans": "春季", "en": "Spring"},
    "goal": {"event": "application_submitted", "window_days": 14},
    "segment": "everyone",
    "channel": "sms-main",
    "content": {"zh-hans": {"text": "您好"}},
    "holdout_share": 0.1,
    "schedule": {"start_at": "2026-03-02T10:00:00+08:00", "late_limit_hours": 2},
    "budget_amount": "5000.00",
    "cost_per_message": "0.045",
    "costs": [{"category": "media", "amount": "1000"}],
}


def test_a_single_step_in_short_form():
    spec = parse_spec(SPEC)
    assert spec.name == "春季"
    assert spec.goal_window_days == 14
    assert spec.holdout_share == Decimal("0.1")
    assert spec.start_at == datetime.fromisoformat("2026-03-02T10:00:00+08:00")
    assert [step.channel for step in spec.steps] == ["sms-main"]
    assert spec.steps[0].variants[0].texts[0].text == "您好"
    assert spec.costs[0].amount == Decimal(1000)


def test_a_fallback_becomes_a_step_of_its_own():
    spec = parse_spec(
        {
            **SPEC,
            "fallback_channel": "email-main",
            "fallback_content": {"en": {"subject": "Hi", "text": "Hello"}},
            "fallback_after_minutes": 5,
        }
    )
    assert [(step.channel, step.is_fallback) for step in spec.steps] == [
        ("sms-main", False),
        ("email-main", True),
    ]
    assert spec.steps[1].wait_minutes == 5
    assert spec.steps[1].variants[0].texts[0].subject == "Hi"


def test_f2_a_fallback_that_says_so_follows_each_variant_of_the_message():
    text = {"en": {"text": "x"}}
    variants = [
        {"key": "A", "weight": 3, "content": text},
        {"key": "B", "content": "same_as_message"},
    ]
    spec = parse_spec(
        {
            **SPEC,
            "variants": variants,
            "fallback_channel": "email-main",
            "fallback_content": "same_as_message",
        }
    )
    assert [
        (variant.key, variant.weight, variant.follows_message, len(variant.texts))
        for step in spec.steps
        for variant in step.variants
    ] == [("A", 3, False, 1), ("B", 1, True, 0), ("A", 3, True, 0), ("B", 1, True, 0)]


@pytest.mark.parametrize(
    ("_case", "change", "path"),
    [
        ("unknown key", {"segmnet": "x"}, "segmnet"),
        ("no name", {"name": ""}, "name"),
        ("no goal", {"goal": {}}, "goal.event"),
        ("window of nothing", {"goal": {"event": "e", "window_days": 0}}, "goal.window_days"),
        ("no segment", {"segment": None}, "segment"),
        ("holdout of more than half", {"holdout_share": 0.6}, "holdout_share"),
        ("a budget of nothing", {"budget_amount": "0"}, "budget_amount"),
        ("negative budget", {"budget_amount": "-1"}, "budget_amount"),
        ("a budget that is no number", {"budget_amount": "NaN"}, "budget_amount"),
        ("a time without its zone", {"schedule": {"start_at": "2026-03-02"}}, "schedule.start_at"),
        ("unknown purpose", {"purpose": "spam"}, "purpose"),
        ("unknown language", {"content": {"fr": "Salut"}}, "variants[0].content.fr"),
        ("empty text", {"content": {"en": {"subject": "x"}}}, "variants[0].content"),
        ("unknown cost", {"costs": [{"category": "lunch", "amount": 1}]}, "costs[0].category"),
        ("no channel", {"channel": ""}, "channel"),
        ("no text", {"content": None}, "variants[0].content"),
        (
            "f2: a fallback without a word about its text",
            {"fallback_channel": "email-main"},
            "fallback_content",
        ),
        (
            "f2: a fallback with an empty text",
            {"fallback_channel": "email-main", "fallback_content": {"en": {"text": " "}}},
            "fallback_content",
        ),
        (
            "f2: a fallback text that nobody would get",
            {"fallback_content": {"en": {"text": "x"}}},
            "fallback_channel",
        ),
        (
            "f2: an added variant left empty",
            {"variants": [{"content": {"en": {"text": "x"}}}, {"content": {}}]},
            "variants[1].content",
        ),
        ("f2: the message as the message", {"content": "same_as_message"}, "variants"),
        (
            "f2: a variant that nobody would get",
            {"variants": [{"weight": 0, "content": {"en": {"text": "x"}}}]},
            "variants[0].weight",
        ),
        (
            "two variants of one key",
            {"variants": [{"key": "A", "content": "x"}, {"key": "A", "content": "y"}]},
            "variants",
        ),
    ],
)
def test_each_problem_is_named_by_its_path(_case, change, path):
    with pytest.raises(ValueProblems) as caught:
        parse_spec({**SPEC, **change})
    assert path in [problem.path for problem in caught.value.problems]


def test_all_problems_are_reported_together():
    with pytest.raises(ValueProblems) as caught:
        parse_spec({"slug": "x", "holdout_share": 2})
    assert len(caught.value.problems) >= 5
