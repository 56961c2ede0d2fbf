"""Whatever somebody gives to change or make a campaign is checked before anything is written."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.utils import translation

from campaigns.domain.campaigns.given.problems import ValueProblem, ValueProblemCode
from campaigns.labels import problems as problem_labels
from campaigns.models import Campaign, CampaignEdit, ContentVersion
from campaigns.services.campaigns import authoring
from campaigns.services.campaigns.problems import CampaignRefused
from customers.models import Segment
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, spec

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(actor, now) -> Campaign:
    make_channel()
    return authoring.create_campaign(source=spec(), actor=actor, now=now)


def stored() -> tuple:
    return (
        list(Campaign.objects.values()),
        list(CampaignEdit.objects.values()),
        ContentVersion.objects.count(),
        Segment.objects.count(),
        AuditEntry.objects.count(),
    )


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("status", "approved", "unknown_key"),
        ("author", None, "unknown_key"),
        ("slug", "other", "unknown_key"),
        ("purpose", "spam", "one_of"),
        ("service_kind", "spam", "one_of"),
        ("committed_amount", 0, "unknown_key"),
        ("experiment_salt", "x", "unknown_key"),
        ("nosuch", 1, "unknown_key"),
        ("goal_window_days", 0, "at_least"),
        ("goal_window_days", 40_000, "at_most"),
        ("goal_window_days", "7", "whole_expected"),
        ("goal_window_days", True, "whole_expected"),
        ("holdout_share", Decimal("0.6"), "at_most"),
        ("holdout_share", Decimal("-0.1"), "at_least"),
        ("holdout_share", None, "number_expected"),
        ("holdout_share", Decimal("NaN"), "number_expected"),
        ("holdout_share", Decimal("0.12345"), "too_many_decimals"),
        ("budget_amount", Decimal(-1), "at_least"),
        ("budget_amount", Decimal(0), "at_least"),
        ("budget_amount", Decimal("1e30"), "at_most"),
        ("cost_per_message", "1", "number_expected"),
        ("start_at", datetime(2026, 3, 2), "time_expected"),  # noqa: DTZ001 - that is the case
        ("late_limit_hours", -1, "at_least"),
        ("name", " ", "text_expected"),
        ("name", "x" * 121, "too_long"),
        ("name", "a\x00b", "text_expected"),
        ("goal_event", "", "text_expected"),
        ("segment", None, "segment_expected"),
        ("segment", "everyone", "segment_expected"),
    ],
)
def test_c3_a_change_that_a_draft_cannot_take_is_refused_and_nothing_is_written(
    draft, actor, now, field, value, code
):
    before = stored()
    changes = {"description": "fine", field: value}
    with pytest.raises(CampaignRefused) as refused:
        authoring.update_campaign(campaign=draft, changes=changes, actor=actor, now=now)
    assert refused.value.facts["problems"] == [(field, code)]
    assert problem_labels.place(field) in refused.value.message
    assert stored() == before


def test_what_a_draft_can_take_is_stored(draft, actor, now):
    changes = {"goal_window_days": 30, "holdout_share": Decimal("0.25"), "budget_amount": None}
    authoring.update_campaign(campaign=draft, changes=changes, actor=actor, now=now)
    found = Campaign.objects.get()
    assert (found.goal_window_days, found.holdout_share) == (30, Decimal("0.25"))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "x" * 121}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"slug": "two words"}, "slug"),
        ({"slug": "x" * 81}, "slug"),
        ({"goal": {"event": "e" * 61}}, "goal.event"),
        ({"goal": {"event": "e", "window_days": "1e999999"}}, "goal.window_days"),
        ({"budget_amount": "1e30"}, "budget_amount"),
        ({"steps": {"channel": "x"}}, "steps"),
        ({"variants": "A"}, "variants"),
        ({"variants": [{"weight": 99_999, "content": "x"}]}, "variants[0].weight"),
        ({"variants": [{"key": "K" * 11, "content": "x"}]}, "variants"),
        ({"costs": [{"category": "media", "amount": 1, "note": "n" * 201}]}, "costs[0].note"),
        ({"costs": {"category": "media"}}, "costs"),
        ({"costs": [{"category": "media", "amount": "1e20"}]}, "costs[0].amount"),
    ],
)
def test_c3_a_new_campaign_is_held_to_the_same_bounds(actor, now, change, path):
    make_channel()
    before = stored()
    with pytest.raises(CampaignRefused) as refused:
        authoring.create_campaign(source=spec(**change), actor=actor, now=now)
    assert path in [where for where, _code in refused.value.facts["problems"]]
    assert stored() == before


@pytest.mark.parametrize("code", ValueProblemCode)
def test_every_reason_has_words_in_both_languages(code):
    words = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            words[language] = problem_labels.problem(ValueProblem("x", code, "7"))
    assert not [letter for letter in words["en"] if "\u4e00" <= letter <= "\u9fff"]
    assert [letter for letter in words["zh-hans"] if "\u4e00" <= letter <= "\u9fff"]


def test_f2_a_place_is_told_in_the_readers_language():
    path = "steps[0].variants[1].content"
    with translation.override("en"):
        assert problem_labels.place(path) == "message 1 · variant 2 · text"
        assert problem_labels.place("segmnet") == "“segmnet”"
    with translation.override("zh-hans"):
        assert problem_labels.place(path) == "消息 1 · 版本 2 · 正文"


def test_d_a_refusal_is_in_one_language(actor, now):
    make_channel()
    wrong = spec(segment="nosuch", channel="nowhere", author="nobody")
    for language, foreign in (("en", "有"), ("zh-hans", "unknown")):
        with translation.override(language), pytest.raises(CampaignRefused) as refused:
            authoring.create_campaign(source=wrong, actor=actor, now=now)
        assert foreign not in refused.value.message
        assert len(refused.value.facts["problems"]) == 3
