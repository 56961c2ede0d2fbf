"""Segments to their full depth: three levels, an export by two people, a search, an overlap."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from analytics.models import DiscoveryRun
from analytics.services import discovery_runs
from customers.models import AttributeDefinition, AttributeValue, Customer, Segment, SegmentExport
from customers.services.segments import versions
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.work import service
from tests.e2e.conftest import PEOPLE, Screen
from tests.factories.people import make_people

LANGUAGES = ["zh-hans", "en"]
WORDS = {
    "zh-hans": {
        "save": "保存人群", "event": "事件", "city": "城市", "cluster": "客户聚类",
        "make": "建为人群", "start": "开始运行", "ask": "提交审批", "approve": "批准",
        "download": "下载文件",
        "pattern": "匹配正则", "both": "两者共有", "stability": "稳定性", "export": "导出",
    },
    "en": {
        "save": "Save segment", "event": "event", "city": "city", "cluster": "Similar customers",
        "make": "Make a segment of it", "start": "Start the search", "ask": "Ask for approval",
        "approve": "Approve", "download": "Download the file", "pattern": "matches the pattern",
        "both": "In both", "stability": "Stability", "export": "Export",
    },
}  # fmt: skip


def choose_field(page: Page, rule: Any, words: str) -> None:
    """Pick a field of a rule by searching for it."""
    rule.locator(".lc-unset").click()
    page.locator(".lc-search").fill(words)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("language", LANGUAGES)
def test_c2_a_three_level_rule_with_an_event_condition_is_built_and_saved(
    open_screen: Callable[..., Screen], marketer: User, people: list[Customer], language: str
) -> None:
    words = WORDS[language]
    screen = open_screen(marketer, language)
    page = screen.go("/admin/customers/segment/add/")
    page.get_by_test_id("addRule").first.click()
    root = page.locator(".lc-group").first
    # The field is found by its name in the other language too.
    choose_field(page, root.locator(".lc-rule").first, "city" if language != "en" else "城市")
    root.locator(".lc-rule .lc-operator").first.select_option("regex")
    expect(root.locator(".lc-rule .lc-operator option:checked").first).to_have_text(
        words["pattern"]
    )
    root.locator(".lc-pattern").first.fill("^杭(州|湖)$")

    page.get_by_test_id("addGroup").first.click()
    second = page.locator(".lc-group .lc-group").first
    second.get_by_role("radio").nth(1).click()
    choose_field(page, second.locator(".lc-rule").first, "gender" if language == "en" else "性别")
    second.locator(".lc-rule").first.locator(".lc-value select").select_option("male")
    second.get_by_test_id("addGroup").first.click()
    third = page.locator(".lc-group .lc-group .lc-group").first
    choose_field(page, third.locator(".lc-rule").first, words["event"])
    expect(third.locator(".lc-event")).to_be_visible()
    third.locator(".lc-event").get_by_role("button").last.click()
    third.locator(".lc-filters select").first.select_option("channel")
    third.locator(".lc-filters input").first.fill("app")
    expect(page.get_by_test_id("live-count")).to_have_text(str(PEOPLE // 2))
    expect(page.locator(".lc-waterfall li")).to_have_count(3)
    screen.shoot("segment_three_levels")

    page.locator("#id_name").fill("三层规则")
    page.get_by_role("button", name=words["save"]).click()
    page.wait_for_url("**/change/")
    screen.shoot("segment_saved")
    saved = Segment.objects.select_related("current_version").get(name="三层规则")
    assert saved.current_version is not None
    rule = saved.current_version.rule
    assert saved.last_count == PEOPLE // 2
    assert rule["rules"][0] == {"field": "city", "operator": "regex", "value": "^杭(州|湖)$"}
    assert rule["rules"][1]["combinator"] == "or"
    inner = rule["rules"][1]["rules"][1]["rules"][0]["value"]
    assert inner["where"] == [{"property": "channel", "operator": "=", "value": "app"}]


def test_c1_a_bad_pattern_is_explained_where_it_stands(
    open_screen: Callable[..., Screen], marketer: User, people: list[Customer]
) -> None:
    screen = open_screen(marketer, "zh-hans")
    page = screen.go("/admin/customers/segment/add/")
    page.get_by_test_id("addRule").click()
    choose_field(page, page.locator(".lc-rule"), "城市")
    page.locator(".lc-operator").select_option("regex")
    page.locator(".lc-pattern").fill("(a+)\\1")
    expect(page.locator(".lc-rule .lc-problem")).to_contain_text("第 6 个字符")
    screen.shoot("segment_bad_pattern")
    screen.complaints[:] = [text for text in screen.complaints if "422" not in text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_entering_a_segment_is_asked_for_by_its_name(
    open_screen: Callable[..., Screen], marketer: User, segment: Any, language: str
) -> None:
    screen = open_screen(marketer, language)
    page = screen.go("/admin/customers/segment/add/")
    page.get_by_test_id("addRule").click()
    choose_field(page, page.locator(".lc-rule"), WORDS[language]["event"])
    page.locator(".lc-event select").first.select_option("segment_entered")
    page.locator(".lc-filters select").last.select_option("everybody")
    expect(page.get_by_test_id("rule-words")).to_contain_text("全部客户")
    expect(page.get_by_test_id("live-count")).to_have_text("0")
    screen.shoot("segment_entered_event")
    stored = json.loads(page.locator("#id_rule").input_value())
    assert stored["rules"][0]["value"]["where"][0]["value"] == "everybody"


def test_values_that_customers_have_are_suggested(
    open_screen: Callable[..., Screen], marketer: User, people: list[Customer]
) -> None:
    page = open_screen(marketer, "en").go("/admin/customers/segment/add/")
    page.get_by_test_id("addRule").click()
    choose_field(page, page.locator(".lc-rule"), "city")
    page.locator(".lc-rule .lc-value input").focus()
    expect(page.locator(".lc-rule datalist option")).to_have_count(1)
    assert page.locator(".lc-rule datalist option").get_attribute("value") == "杭州"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_export_goes_through_two_people(
    open_screen: Callable[..., Screen],
    marketer: User,
    approver: User,
    segment: Any,
    language: str,
) -> None:
    words = WORDS[language]
    mine = open_screen(marketer, language)
    page = mine.go(f"/admin/customers/segment/{segment.pk}/change/")
    page.locator("a", has_text=words["export"]).last.click()
    page.locator("#id_reason").wait_for()
    mine.shoot("export_form")
    page.locator("#id_reason").fill("客服回访核对")
    page.get_by_role("button", name=words["ask"]).click()
    page.wait_for_url("**/segmentexport/*/change/")
    mine.shoot("export_waiting")
    expect(page.get_by_text(words["download"])).to_have_count(0)
    address = page.url.removeprefix(mine.base)

    theirs = open_screen(approver, language)
    other = theirs.go(address)
    theirs.shoot("export_decide")
    with other.expect_navigation():
        other.get_by_role("button", name=words["approve"], exact=False).last.click()

    page = mine.go(address)
    mine.shoot("export_approved")
    with page.expect_download() as download:
        page.get_by_text(words["download"]).click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == PEOPLE + 1
    assert "客**" in text
    mine.go("/admin/customers/segmentexport/")
    mine.shoot("export_list")
    assert SegmentExport.objects.get().row_count == PEOPLE


@pytest.mark.parametrize("language", LANGUAGES)
def test_s10_a_search_finds_groups_and_one_becomes_a_segment(
    open_screen: Callable[..., Screen],
    marketer: User,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)
    _planted()
    words = WORDS[language]
    screen = open_screen(marketer, language)
    page = screen.go("/admin/discoveries/")
    screen.shoot("discoveries_empty")
    page.get_by_role("link", name=words["cluster"]).last.click()
    page.get_by_role("button", name=words["start"]).wait_for()
    screen.shoot("discovery_form")
    page.get_by_role("button", name=words["start"]).click()
    page.locator("progress").wait_for()
    screen.shoot("discovery_working")
    discovery_runs.run(work_id=DiscoveryRun.objects.get().work_id, now=clock.now())
    expect(page.locator(".lcx-tile", has_text=words["stability"])).to_be_visible(timeout=15_000)
    page.locator("[data-drawn]").nth(1).wait_for()
    page.wait_for_timeout(600)
    screen.shoot("discovery_result")
    page.get_by_role("button", name=words["make"]).first.click()
    page.wait_for_url("**/segment/*/change/")
    screen.shoot("discovery_segment")
    screen.go("/admin/discoveries/")
    screen.shoot("discoveries_list")


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_segments_are_compared_on_a_page(
    open_screen: Callable[..., Screen], marketer: User, segment: Any, language: str
) -> None:
    some = {
        "combinator": "and",
        "rules": [{"field": "event", "operator": "=", "value": {"event": "app_login"}}],
    }
    versions.create_segment(
        slug="busy", name="活跃客户", rule=some, actor=user_actor(marketer), now=clock.now()
    )
    screen = open_screen(marketer, language)
    page = screen.go("/admin/customers/segment/overlap/")
    screen.shoot("overlap_empty")
    page.locator("#id_first").select_option(label="全部客户")
    page.locator("#id_second").select_option(label="活跃客户")
    page.locator("form button[type=submit]").last.click()
    row = page.locator("tr", has_text=WORDS[language]["both"])
    expect(row).to_contain_text(str(PEOPLE // 2))
    screen.shoot("overlap")
    screen.go("/admin/customers/segment/")
    screen.shoot("segment_list")


def _planted() -> None:
    """Two kinds of people by an attribute each, far apart."""
    rng = np.random.default_rng(1)
    people = make_people(120, prefix="d")
    now = clock.now()
    for name, zh, high in (("balance", "余额", 20_000.0), ("visits", "到访次数", 40.0)):
        kind = AttributeDefinition.objects.create(
            name=name, value_type="number", label_zh=zh, label_en=name
        )
        AttributeValue.objects.bulk_create(
            AttributeValue(
                customer=person,
                definition=kind,
                number=round(
                    (high if (number % 3 == 0) == (name == "visits") else high / 40)
                    * rng.uniform(0.9, 1.1),
                    2,
                ),
                updated_at=now,
            )
            for number, person in enumerate(people)
        )
