"""Writing a campaign with its preview beside it, shares of variants, and drafts saved meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from campaigns.models import Campaign, Channel, Variant
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
    page = _begun(screen, "Beside")
    text = page.locator("#id_A_zh_hans_text")
    text.fill("您好，{{ nmae }}")
    bubble = page.locator("[data-live-preview] .lcx-bubble")
    expect(page.locator("#id_A_zh_hans_text_faults")).to_contain_text("nmae")
    expect(page.locator(".lcx-marked mark[data-unknown=true]")).to_have_text("{{ nmae }}")
    content = page.locator("[data-step-link=content]")
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


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_f2_shares_of_variants_add_up_to_a_hundred(
    open_screen: Callable[..., Screen], marketer: User, segment: Any, language: str
) -> None:
    make_channel("sms")
    screen = open_screen(marketer, language)
    screen.page.set_viewport_size({"width": 1280, "height": 900})
    page = _begun(screen, "Shares")
    page.locator("#id_A_zh_hans_text").fill("一段话。")
    bubble = page.locator("[data-live-preview] .lcx-bubble")
    tabs = page.locator("[data-variant-tab]")
    page.locator("[data-add-variant]").click()
    expect(tabs.first).to_contain_text("50 %")
    page.locator("#id_B_zh_hans_text").fill("另一段话。")
    expect(bubble).to_contain_text("另一段话。")
    page.locator("#id_B_weight").fill("30")
    page.locator("#id_B_weight").press("Tab")
    expect(tabs.first).to_contain_text("70 %")
    screen.shoot("composer_variants")
    tabs.first.click()
    expect(bubble).to_contain_text("】一段话。")
    page.locator("form.lcx-form button[type=submit][data-kind=primary]").click()
    page.wait_for_url("**/change/")
    found = Variant.objects.filter(touchpoint__step__campaign__name="Shares").order_by("key")
    assert list(found.values_list("key", "weight")) == [("A", 70), ("B", 30)]


def _begun(screen: Screen, name: str) -> Page:
    """Open an empty campaign and fill in all but its text."""
    page = screen.go("/admin/campaigns/campaign/add/")
    expect(page.locator("[data-step-link=content]")).to_have_attribute("data-step-state", "missing")
    page.locator("#id_name").fill(name)
    page.locator("#id_segment").select_option(index=1)
    page.locator("#id_channel").select_option(index=1)
    return page


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
    page = _begun(first, "Shared")
    page.locator("#id_A_zh_hans_text").fill("您的专属服务已开通。")
    expect(page.locator("[data-saving]")).to_contain_text("Saved", timeout=10_000)
    second = open_screen(approver, "en")
    other = second.go(page.url.removeprefix(first.base))
    page.locator("#id_A_zh_hans_text").fill("改过的。")
    saves = page.locator("form.lcx-form")
    expect(saves).to_have_attribute("data-saves", "2", timeout=10_000)
    other.locator("#id_description").fill("Mine")
    expect(other.locator("[data-saving]")).to_contain_text("Somebody else", timeout=10_000)
    assert Campaign.objects.get(name="Shared").description == ""


@pytest.mark.parametrize(("language", "width"), [("zh-hans", 1440), ("en", 1280)])
def test_g1_a_channel_is_set_up_by_fields(
    open_screen: Callable[..., Screen], marketer: User, language: str, width: int
) -> None:
    screen = open_screen(marketer, language)
    screen.page.set_viewport_size({"width": width, "height": 900})
    page = screen.go("/admin/campaigns/channel/add/")
    expect(page.locator("#id_option_smtp_host")).to_be_hidden()
    page.locator("#id_slug").fill("mail")
    page.locator("#id_name").fill("Mail")
    page.locator("#id_kind").select_option("email")
    page.locator("#id_backend").select_option("smtp")
    page.locator("#id_sender").fill("Lender <news@lender.example>")
    page.locator("#id_option_smtp_host").fill("mail.lender.example")
    page.locator("#id_option_smtp_port").fill("587")
    page.locator("#id_option_smtp_security").select_option("starttls")
    page.locator("#id_secret").fill("a long secret")
    screen.shoot("channel_new")
    page.locator("form.lcx-form button[type=submit][data-kind=primary]").click()
    page.wait_for_url("**/channel/")
    screen.shoot("channel_list")
    channel = Channel.objects.get(slug="mail")
    wanted = {"host": "mail.lender.example", "port": 587, "security": "starttls"}
    assert channel.options == wanted
    page = screen.go(f"/admin/campaigns/channel/{channel.pk}/change/")
    expect(page.locator("[data-secret=kept]")).to_be_visible()
    assert "a long secret" not in page.content()
    expect(page.locator("#webhook")).to_contain_text("/hooks/mail/")
    expect(page.locator("#hint-SPF")).to_have_text("v=spf1 a:mail.lender.example ~all")
    screen.shoot("channel_settings")
