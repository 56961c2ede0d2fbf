import json
from datetime import date

import pytest

from analytics.domain.demo import behaviour, plan
from analytics.management.demo import campaigns
from campaigns.domain.campaigns.spec import parse_spec
from campaigns.domain.compliance import rulebook
from campaigns.domain.compliance.rules import LenderType
from campaigns.domain.content import lint, texts

RULES = rulebook.rules_on(date(2026, 11, 1), LenderType.BANK)

ALL = (*plan.CAMPAIGNS, *plan.FURTHER)
SPECS = {slug: campaigns.read(slug) for slug in ALL}


@pytest.mark.parametrize("slug", ALL)
def test_the_description_is_valid_and_has_holdout_variants_and_both_languages(slug):
    spec = parse_spec(SPECS[slug])

    assert spec.slug == slug
    assert spec.holdout_share > 0
    assert len(spec.steps[0].variants) == 2
    for step in spec.steps:
        for variant in step.variants:
            assert {text.locale for text in variant.texts} == {"zh-hans", "en"}


@pytest.mark.parametrize("slug", ALL)
def test_every_text_compiles_and_names_only_known_variables(slug):
    spec = parse_spec(SPECS[slug])
    for step in spec.steps:
        for variant in step.variants:
            for text in variant.texts:
                if text.html:
                    compiled = texts.compile_email(
                        subject=text.subject, text=text.text, html=text.html, language=text.locale
                    )
                    assert "unsubscribe_url" in compiled.variables
                else:
                    compiled = texts.compile_sms(text=text.text, language=text.locale)
                assert texts.unknown_variables(compiled.variables) == ()
                assert compiled.link_targets


def test_times_and_windows_agree_with_the_timetable():
    retention = parse_spec(SPECS[plan.RETENTION])

    assert retention.start_at == plan.RETENTION_AT
    for slug, temper in behaviour.TEMPERS.items():
        assert parse_spec(SPECS[slug]).goal_window_days == temper.window_days
    weekly, unfinished = (parse_spec(SPECS[slug]) for slug in plan.FURTHER)
    assert weekly.start_at == plan.WEEKLY_AT[0]
    assert weekly.recurrence is not None
    assert weekly.recurrence.until == plan.WEEKLY_AT[1].date()
    assert unfinished.trigger is not None
    assert unfinished.trigger.due_at(plan.STARTED_AT) < plan.REMINDED_AT
    assert plan.STARTS_AT.isoformat() == "2026-01-12T10:00:00+08:00"


def test_the_win_back_falls_back_from_sms_to_email():
    steps = parse_spec(SPECS[plan.WIN_BACK]).steps

    assert [(step.channel, step.is_fallback) for step in steps] == [
        (plan.SMS, False),
        (plan.EMAIL, True),
    ]


def test_descriptions_are_plain_json():
    for slug in ALL:
        assert json.loads(json.dumps(SPECS[slug])) == SPECS[slug]


@pytest.mark.parametrize("slug", ALL)
def test_no_text_breaks_a_rule_that_stops_an_approval(slug):
    spec = parse_spec(SPECS[slug])
    for step in spec.steps:
        for variant in step.variants:
            for text in variant.texts:
                if text.html:
                    problems = lint.check_email(
                        subject=text.subject,
                        text=text.text,
                        html_source=text.html,
                        language=text.locale,
                        is_marketing=True,
                        rules=RULES,
                        known_names=frozenset(),
                    )
                else:
                    problems = lint.check_sms(
                        text=text.text,
                        language=text.locale,
                        signature="安心消费金融",
                        is_marketing=True,
                        rules=RULES,
                        known_names=frozenset(),
                    )
                assert [problem for problem in problems if problem.severity == "block"] == []
