"""A campaign from its form to its last message, as two people see it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from campaigns.models import Campaign, Message, Variant
from tests.e2e.conftest import PEOPLE, Screen, send_all
from tests.factories.campaigns import make_channel

WORDS = {
    "zh-hans": {
        "submit": "提交审批",
        "approve": "批准",
        "launch": "启动",
        "own": "作者不能审批自己的活动",
        "preview": "预览",
        "progress": "实时进度",
        "held_out": "对照组",
    },
    "en": {
        "submit": "Submit for approval",
        "approve": "Approve",
        "launch": "Launch",
        "own": "authors never approve their own work",
        "preview": "Preview",
        "progress": "Live progress",
        "held_out": "Control group",
    },
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_campaign_is_written_checked_approved_by_another_and_launched(
    open_screen: Callable[..., Screen],
    marketer: User,
    approver: User,
    segment: Any,
    language: str,
) -> None:
    make_channel("sms")
    words = WORDS[language]
    screen = open_screen(marketer, language)
    page = screen.go("/admin/campaigns/campaign/add/")
    page.locator("#id_name").fill("Spring offer")
    page.locator("#id_segment").select_option(index=1)
    page.locator("#id_channel").select_option(index=1)
    page.locator("#id_A_zh_hans_text").fill("{{ name }}，您的专属服务已开通。")
    screen.shoot("campaign_form")
    page.locator("form.lcx-form button[type=submit][data-kind=primary]").click()
    page.wait_for_url("**/change/")
    expect(page.locator("#preview .lcx-bubble")).to_contain_text(
        "【示例金融】客户1，您的专属服务已开通。"
    )
    screen.shoot("campaign_draft")
    assert Message.objects.count() == 0  # a preview leaves nothing behind

    page.get_by_role("button", name=words["submit"]).click()
    expect(page.get_by_text(words["own"])).to_be_visible()
    expect(page.get_by_role("button", name=words["approve"], exact=True)).to_have_count(0)

    campaign = Campaign.objects.get(name="Spring offer")
    second = open_screen(approver, language)
    other = second.go(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    other.get_by_role("button", name=words["approve"]).first.click()
    other.get_by_role("button", name=words["launch"]).click()
    other.locator("dialog button[value=yes]").click()
    expect(other.locator("[data-fact=audience]")).to_have_text(str(PEOPLE))
    expect(other.get_by_text(words["progress"])).to_be_visible()
    second.shoot("campaign_running")
    campaign.refresh_from_db()
    assert campaign.status in {"running", "completed"}  # inside the sending hours it is quick


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_f1_f3_a_wrong_text_is_told_beside_its_field_and_a_launch_says_what_it_will_do(
    open_screen: Callable[..., Screen],
    marketer: User,
    approver: User,
    segment: Any,
    language: str,
) -> None:
    make_channel("sms")
    words = WORDS[language]
    screen = open_screen(marketer, language)
    page = screen.go("/admin/campaigns/campaign/add/")
    page.locator("#id_name").fill("Spring offer")
    page.locator("#id_segment").select_option(index=1)
    page.locator("#id_channel").select_option(index=1)
    page.locator("[data-tab=en]").first.click()
    page.locator("#id_A_en_text").fill("Dear customer,\n{{ nmae }}, your service is open.")

    page.locator("form.lcx-form button[type=submit][data-kind=primary]").click()

    page.wait_for_url("**/change/")
    expect(page.get_by_role("button", name=words["submit"])).to_be_disabled()
    expect(page.locator("#faults li")).to_have_count(1)
    screen.shoot("campaign_faults")

    page.locator("#faults a").click()
    page.wait_for_url("**/edit/#id_A_en_text")
    expect(page.locator("#id_A_en_text")).to_be_focused()
    expect(page.locator("#id_A_en_text_faults")).to_contain_text("nmae")
    screen.shoot("campaign_fault_beside_its_field")
    page.locator("#id_A_en_text").fill("Dear {{ name }}, your service is open.")
    page.locator("form.lcx-form button[type=submit][data-kind=primary]").click()
    page.wait_for_url("**/change/*")
    expect(page.locator("#faults")).to_have_count(0)
    expect(page.locator("#forecast [data-forecast=audience]")).to_have_text(str(PEOPLE))
    page.get_by_role("button", name=words["submit"]).click()

    campaign = Campaign.objects.get(name="Spring offer")
    second = open_screen(approver, language)
    other = second.go(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    numbers = other.locator("#forecast [data-forecast]")
    expect(numbers.first).to_have_text(str(PEOPLE))
    seen = [cell.inner_text() for cell in numbers.all()][:4]
    other.get_by_role("button", name=words["approve"]).first.click()
    other.get_by_role("button", name=words["launch"]).click()
    asked = other.locator("dialog [data-forecast]")
    expect(asked.first).to_have_text(str(PEOPLE))
    assert [cell.inner_text() for cell in asked.all()][:4] == seen
    second.shoot("campaign_launch_dialog")
    other.locator("dialog button[value=yes]").click()
    expect(other.locator("[data-fact=audience]")).to_have_text(str(PEOPLE))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_progress_follows_the_worker_and_adds_up_to_the_audience(
    open_screen: Callable[..., Screen], marketer: User, launched: Campaign, language: str
) -> None:
    screen = open_screen(marketer, language)
    page = screen.go(f"/admin/campaigns/campaign/{launched.pk}/change/")
    planned = page.locator(".lcx-states [data-state=planned]")
    expect(planned).to_have_attribute("data-count", str(PEOPLE))

    send_all()
    expect(planned).to_have_attribute("data-count", "0", timeout=10_000)
    states = page.locator(".lcx-states [data-state]")
    counts = [int(state.get_attribute("data-count") or 0) for state in states.all()]
    assert sum(counts) == PEOPLE
    held_out = Message.objects.filter(state="held_out").count()
    assert held_out > 0
    expect(page.locator(".lcx-states [data-state=held_out]")).to_have_attribute(
        "data-count", str(held_out)
    )
    expect(page.locator(".lcx-states")).to_contain_text(WORDS[language]["held_out"])
    screen.shoot("campaign_progress")


def test_a_customer_page_says_what_was_sent_and_what_was_not_and_why(
    open_screen: Callable[..., Screen], marketer: User, launched: Campaign
) -> None:
    send_all()
    held_out = Message.objects.filter(state="held_out").first()
    assert held_out is not None
    screen = open_screen(marketer, "en")
    page = screen.go(f"/admin/customers/customer/{held_out.customer_id}/change/")
    expect(page.get_by_text("Kept in the control group").first).to_be_visible()
    expect(page.get_by_role("link", name=launched.name).first).to_be_visible()
    assert "@example.com" in page.content()
    assert "p1@example.com" not in page.content()  # masked
    screen.shoot("customer")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_f2_variants_come_and_go_and_a_fallback_follows_the_message(
    open_screen: Callable[..., Screen],
    marketer: User,
    segment: Any,
    language: str,
) -> None:
    make_channel("sms")
    screen = open_screen(marketer, language)
    page = screen.go("/admin/campaigns/campaign/add/")
    page.locator("#id_name").fill("Followed")
    page.locator("#id_segment").select_option(index=1)
    page.locator("#id_channel").select_option(index=1)
    page.locator("#id_A_zh_hans_text").fill("{{ name }}，您的专属服务已开通。")
    # A marketing message has no kind of service; a fallback is asked about once it has a channel.
    expect(page.locator("#id_service_kind")).to_be_hidden()
    expect(page.locator("#id_F_text_from")).to_be_hidden()
    page.locator("#id_fallback_channel").select_option(index=1)
    expect(page.locator("#id_F_zh_hans_text")).to_be_visible()
    page.locator("#id_F_text_from").select_option("same")
    expect(page.locator("#id_F_zh_hans_text")).to_be_hidden()
    # One variant is added and left empty, one is added and taken out again.
    page.locator("[data-add-variant]").click()
    page.locator("[data-add-variant]").click()
    expect(page.locator("[data-add-variant]")).to_be_hidden()
    page.locator("[data-take-out-variant]").last.click()
    expect(page.locator("#id_C_weight")).to_be_hidden()
    page.locator("form.lcx-form button[type=submit][data-kind=primary]").click()
    expect(page.locator("#id_B_zh_hans_text")).to_be_visible()
    expect(page.locator(".errorlist:visible")).to_have_count(1)
    screen.shoot("campaign_form_variant_left_empty")
    page.locator("#id_B_text_from").select_option("same")
    page.locator("form.lcx-form button[type=submit][data-kind=primary]").click()
    page.wait_for_url("**/change/")
    made = Variant.objects.filter(touchpoint__step__campaign__slug="followed")
    found = made.order_by("touchpoint__step__position", "key").values_list("key", "follows_message")
    assert list(found) == [("A", False), ("B", True), ("A", True), ("B", True)]


def test_u46_a_half_written_campaign_is_not_left_without_a_question(
    open_screen: Callable[..., Screen], marketer: User, segment: Any
) -> None:
    make_channel("sms")
    screen = open_screen(marketer, "en")
    page = screen.go("/admin/campaigns/campaign/add/")
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.locator("#id_name").fill("Half written")
    page.locator(".lcx-languages button:not([aria-current])").click()
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    expect(page.locator("#id_name")).to_have_value("Half written")
    # Saving is no leaving; what comes back with a fault is still unsaved.
    page.locator("form.lcx-form button[type=submit][data-kind=primary]").last.click()
    expect(page.locator(".errorlist").first).to_be_visible()
    assert asked == ["beforeunload"]
    page.locator(".lcx-languages button:not([aria-current])").click()
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"] * 2
    page.remove_listener("dialog", stay)
    page.on("dialog", lambda dialog: dialog.accept())
