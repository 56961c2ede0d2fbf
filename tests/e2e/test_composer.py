"""Writing a campaign: the preview beside the text, variants with shares, drafts that save themselves."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from campaigns.models import Campaign, Variant
from tests.e2e.conftest import Screen
from tests.factories.campaigns import make_channel

LANGUAGES = pytest.mark.parametrize(
    ("language", "width", "saved"), [("zh-hans", 1280, "已保存"), ("en", 1440, "Saved")]
)


@LANGUAGES
def test_f2_a_campaign_is_written_with_its_preview_beside_it(
    open_screen: Callable[..., Screen],
    marketer: User,
    segment: Any,
    language: str,
    width: int,
    saved: str,
) -> None:
    make_channel("sms")
    screen = open_screen(marketer, language)
    screen.page.set_viewport_size({"width": width, "height": 900})
    page = screen.go("/admin/campaigns/campaign/add/")
    content = page.locator("[data-step-link=content]")
    expect(content).to_have_attribute("data-step-state", "missing")
    page.locator("#id_name").fill("Beside")
    page.locator("#id_segment").select_option(index=1)
    page.locator("#id_channel").select_option(index=1)
    text = page.locator("#id_A_zh_hans_text")
    text.fill("您好，{{ nmae }}")
    bubble = page.locator("[data-live-preview] .lcx-bubble")
    expect(page.locator("#id_A_zh_hans_text_faults")).to_contain_text("nmae")
    expect(page.locator(".lcx-marked mark[data-unknown=true]")).to_have_text("{{ nmae }}")
    expect(content).to_have_attribute("data-step-state", "wrong")
    screen.shoot("composer_unknown_variable")

    # From the picker, at the cursor, by the keyboard.
    text.fill("，您的专属服务已开通。")
    text.press("Home")
    text.press("Control+Home")
    page.locator("[data-picker] summary").click()
    page.locator("[data-picker-search]").fill("first_name")
    page.locator("[data-picker-search]").press("Enter")
    expect(text).to_have_value('{{ first_name | default("客户") }}，您的专属服务已开通。')
    expect(bubble).to_contain_text("芳，您的专属服务已开通。")
    expect(page.locator("#id_A_zh_hans_text_faults")).to_have_count(0)
    page.locator("[data-sample]").select_option("missing")
    expect(bubble).to_contain_text("客户，您的专属服务已开通。")

    # It became a draft by itself, and the check of the submission has looked at it.
    expect(page.locator("[data-saving]")).to_contain_text(saved, timeout=10_000)
    expect(page.locator("[data-ready=true]")).to_be_visible()
    campaign = Campaign.objects.get(name="Beside")
    assert page.url.endswith(f"/{campaign.pk}/edit/")

    page.locator("[data-add-variant]").click()
    tabs = page.locator("[data-variant-tab]")
    expect(tabs).to_have_count(2)
    page.locator("#id_B_zh_hans_text").fill("另一段话。")
    expect(bubble).to_contain_text("另一段话。")
    page.locator("#id_B_weight").fill("30")
    page.locator("#id_B_weight").press("Tab")
    expect(tabs.first).to_contain_text("70 %")
    screen.shoot("composer_variants")
    page.locator("form.lcx-form button[type=submit][data-kind=primary]").click()
    page.wait_for_url("**/change/")
    found = Variant.objects.filter(touchpoint__step__campaign=campaign).order_by("key")
    assert list(found.values_list("key", "weight")) == [("A", 70), ("B", 30)]


def test_f2_an_email_is_seen_at_both_widths(
    open_screen: Callable[..., Screen], marketer: User, segment: Any
) -> None:
    make_channel("email")
    screen = open_screen(marketer, "en")
    page = screen.go("/admin/campaigns/campaign/add/")
    page.locator("#id_channel").select_option(index=1)
    page.locator("#id_A_zh_hans_subject").fill("{{ name }}，您好")
    page.locator("#id_A_zh_hans_text").fill("您好")
    page.locator("#id_A_zh_hans_html").fill("<h1>{{ name }}，您好</h1><p>您的专属服务已开通。</p>")
    mail = page.locator(".lcx-mail-frame iframe")
    expect(page.locator(".lcx-mail-head b")).to_have_text("王芳，您好")
    expect(mail).to_have_css("width", "640px")
    page.locator("button[data-width=phone]").click()
    expect(mail).to_have_css("width", "375px")
    screen.shoot("composer_email")


def test_u40_the_second_of_two_editors_is_told_while_writing(
    open_screen: Callable[..., Screen], marketer: User, approver: User, segment: Any
) -> None:
    make_channel("sms")
    first = open_screen(marketer, "en")
    page = first.go("/admin/campaigns/campaign/add/")
    page.locator("#id_name").fill("Shared")
    page.locator("#id_segment").select_option(index=1)
    page.locator("#id_channel").select_option(index=1)
    page.locator("#id_A_zh_hans_text").fill("您的专属服务已开通。")
    expect(page.locator("[data-saving]")).to_contain_text("Saved", timeout=10_000)
    second = open_screen(approver, "en")
    other = second.go(page.url.removeprefix(first.base))
    page.locator("#id_A_zh_hans_text").fill("改过的。")
    expect(page.locator("[data-saving]")).to_contain_text("Saving", timeout=10_000)
    expect(page.locator("[data-saving]")).to_contain_text("Saved", timeout=10_000)
    other.locator("#id_description").fill("Mine")
    expect(other.locator("[data-saving]")).to_contain_text("Somebody else", timeout=10_000)
    assert Campaign.objects.get(name="Shared").description == ""
