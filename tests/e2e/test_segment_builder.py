"""The visual rule builder: conditions, live count, saving, words, refusals."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from customers.models import Customer, Segment
from tests.e2e.conftest import PEOPLE, Screen

WORDS = {
    "zh-hans": {
        "add": "条件",
        "count": "位客户符合条件",
        "save": "保存人群",
        "empty": "这个人群包含哪些客户？",
    },
    "en": {"save": "Save segment", "empty": "Who should be in this segment?"},
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_marketer_builds_counts_and_saves_a_segment(
    open_screen: Callable[..., Screen], marketer: User, people: list[Customer], language: str
) -> None:
    words = WORDS[language]
    screen = open_screen(marketer, language)
    page = screen.go("/admin/customers/segment/add/")
    expect(page.get_by_text(words["empty"])).to_be_visible()
    expect(page.get_by_test_id("live-count")).to_have_text(str(PEOPLE))
    screen.shoot("segment_empty")

    page.get_by_test_id("addRule").click()
    page.locator(".lc-unset").click()
    page.locator(".lc-search").fill("event" if language == "en" else "事件")
    page.keyboard.press("Enter")
    expect(page.locator(".lc-event")).to_be_visible()
    expect(page.get_by_test_id("live-count")).to_have_text(str(PEOPLE // 2))
    expect(page.get_by_test_id("rule-words")).to_contain_text("30")
    expect(page.locator(".lc-sample tbody tr")).to_have_count(10)
    expect(page.locator(".lc-sample")).to_contain_text("客**")
    screen.shoot("segment_builder")

    page.locator("#id_name").fill("活跃客户")
    page.get_by_role("button", name=words["save"]).click()
    page.wait_for_url("**/change/")
    saved = Segment.objects.select_related("current_version").get(name="活跃客户")
    assert saved.last_count == PEOPLE // 2
    assert saved.current_version is not None
    rule = saved.current_version.rule
    assert rule["rules"][0]["value"]["event"] == "app_login"
    assert rule["rules"][0]["value"]["within_days"] == 30


def test_nested_groups_and_not_are_counted(
    open_screen: Callable[..., Screen], marketer: User, people: list[Customer]
) -> None:
    page = open_screen(marketer, "en").go("/admin/customers/segment/add/")
    page.get_by_role("button", name="Active in the app, may get SMS").click()
    expect(page.get_by_test_id("live-count")).to_have_text("0")  # one login each, two are asked for
    page.locator(".lc-event input[type=number]").first.fill("1")
    expect(page.get_by_test_id("live-count")).to_have_text(str(PEOPLE // 2))
    page.locator(".lc-not").first.click()
    expect(page.get_by_test_id("live-count")).to_have_text(str(PEOPLE - PEOPLE // 2))
    stored: dict[str, Any] = json.loads(page.locator("#id_rule").input_value())
    assert stored["not"] is True
    assert [rule["field"] for rule in stored["rules"]] == ["event", "consent.sms.marketing"]


def test_an_unfinished_condition_waits_and_a_wrong_one_is_explained_in_place(
    open_screen: Callable[..., Screen], marketer: User, people: list[Customer]
) -> None:
    screen = open_screen(marketer, "en")
    page = screen.go("/admin/customers/segment/add/")
    page.get_by_test_id("addRule").click()
    expect(page.get_by_text("Finish the highlighted condition")).to_be_visible()
    page.locator(".lc-unset").click()
    page.locator(".lc-search").fill("age")
    page.get_by_role("option", name="Age").first.or_(page.get_by_role("option").first).click()
    page.locator(".lc-operator").select_option("between")
    first, second = page.locator(".lc-value-pair input").all()
    first.fill("60")
    second.fill("20")
    expect(page.locator(".lc-rule .lc-problem")).to_be_visible()
    # The browser itself reports the refused request; nothing else may be in the console.
    expect(page.get_by_test_id("live-count")).to_have_text("–")
    told = "Condition 1 (age): The first value is above the second"
    expect(page.locator(".lc-preview .lc-problem")).to_contain_text(told)
    screen.complaints[:] = [text for text in screen.complaints if "422" not in text]


@pytest.mark.parametrize(
    ("language", "told"),
    [("zh-hans", "规则不可用：第 1 个条件：请选择字段"),
     ("en", "The rule cannot be used: Condition 1: Choose a field")],
)  # fmt: skip
def test_an_unfinished_condition_that_is_saved_is_told_in_words(
    open_screen: Callable[..., Screen], marketer: User, language: str, told: str
) -> None:
    screen = open_screen(marketer, language)
    page = screen.go("/admin/customers/segment/add/")
    page.get_by_test_id("addRule").click()
    page.locator("#id_name").fill("x")
    page.get_by_role("button", name=WORDS[language]["save"]).click()
    expect(page.get_by_text(told)).to_be_visible()
    text = page.locator("body").inner_text()
    assert "rules[" not in text
    assert "~" not in text
    screen.shoot("segment_unchosen")
