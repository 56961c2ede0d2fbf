"""A half-written form outlives the session in which it was begun."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from campaigns.models import Campaign, ContentVersion
from tests.e2e.conftest import Screen
from tests.factories.campaigns import make_channel

TEXT = "{{ name }}，您的专属服务已开通。"
SAVE = "form.lcx-form button[type=submit][data-kind=primary]"
WORDS = {
    "zh-hans": {"ended": "您已退出登录", "other": "现在登录的是另一个账号", "again": "再次提交"},
    "en": {
        "ended": "You are signed out",
        "other": "Another account is signed in",
        "again": "Send again",
    },
}


def begin(screen: Screen) -> Page:
    page = screen.go("/admin/campaigns/campaign/add/")
    page.locator("#id_name").fill("Spring offer")
    page.locator("#id_segment").select_option(index=1)
    page.locator("#id_channel").select_option(index=1)
    page.locator("#id_A_zh_hans_text").fill(TEXT)
    return page


def end_sessions() -> None:
    Session.objects.all().delete()


def sign_in_beside(page: Page, name: str) -> None:
    """Follow the link to the page to sign in, which opens a tab of its own."""
    with page.context.expect_page() as opened:
        page.locator("dialog a[target=_blank]").click()
    beside = opened.value
    beside.locator("#id_username").fill(name)
    beside.locator("#id_password").fill("x")
    beside.locator("#id_password").press("Enter")
    beside.wait_for_url("**/admin/")
    beside.close()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_what_was_written_is_sent_after_signing_in_again(
    open_screen: Callable[..., Screen], marketer: User, segment: Any, language: str
) -> None:
    make_channel("sms")
    screen = open_screen(marketer, language)
    page = begin(screen)
    end_sessions()

    page.locator(SAVE).click()

    expect(page.locator("dialog[data-session=ended]")).to_contain_text(WORDS[language]["ended"])
    screen.shoot("session_ended")
    expect(page.locator("#id_A_zh_hans_text")).to_have_value(TEXT)
    # Pressed too early it asks again, and still nothing is lost.
    page.get_by_role("button", name=WORDS[language]["again"]).click()
    expect(page.locator("dialog[data-session=ended]")).to_be_visible()
    assert not Campaign.objects.exists()

    sign_in_beside(page, marketer.username)
    page.get_by_role("button", name=WORDS[language]["again"]).click()
    page.wait_for_url("**/change/")
    assert ContentVersion.objects.get(locale="zh-hans").text == TEXT


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_somebody_elses_session_does_not_send_it(
    open_screen: Callable[..., Screen],
    marketer: User,
    approver: User,
    segment: Any,
    language: str,
) -> None:
    make_channel("sms")
    page = begin(open_screen(marketer, language))
    end_sessions()
    page.locator(SAVE).click()
    sign_in_beside(page, approver.username)

    page.get_by_role("button", name=WORDS[language]["again"]).click()

    expect(page.locator("dialog[data-session=other]")).to_contain_text(WORDS[language]["other"])
    expect(page.locator("#id_name")).to_have_value("Spring offer")
    assert not Campaign.objects.exists()


def test_a_silent_server_leaves_the_form_as_it_is(
    open_screen: Callable[..., Screen], marketer: User, segment: Any
) -> None:
    make_channel("sms")
    screen = open_screen(marketer, "en")
    page = begin(screen)
    page.context.set_offline(True)

    page.locator(SAVE).click()

    expect(page.locator("dialog[data-session=away]")).to_be_visible()
    expect(page.locator("#id_name")).to_have_value("Spring offer")
    page.context.set_offline(False)
    page.get_by_role("button", name="Send again").click()
    page.wait_for_url("**/change/")
    # The browser itself notes the request that could not leave.
    screen.complaints[:] = [
        text
        for text in screen.complaints
        if "OFFLINE" not in text.upper() and "DISCONNECTED" not in text.upper()
    ]


def test_the_page_to_sign_in_is_never_a_piece_of_another(
    open_screen: Callable[..., Screen], marketer: User, people: list[Any]
) -> None:
    page = open_screen(marketer, "en").go(f"/admin/customers/customer/{people[0].pk}/change/")
    end_sessions()

    page.locator("select[name=kind]").select_option(index=1)

    expect(page.locator("dialog[data-session=ended]")).to_be_visible()
    expect(page.locator("#id_password")).to_have_count(0)
