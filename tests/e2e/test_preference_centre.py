"""The preference page as a customer meets it: a link, no login, both languages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, expect

from campaigns.domain.content import links
from campaigns.domain.content.preference_links import preference_token
from customers.models import ConsentRecord, Customer, PrivacyRequest
from loancrm.kernel import clock
from tests.e2e.conftest import Screen, picture
from tests.factories.people import make_people

WORDS = {
    "zh-hans": {
        "email": "邮件 · 营销", "pause": "暂停 30 天", "save": "保存选择", "paused": "已暂停至",
        "saved": "您的选择已保存并生效。", "correct": "请求更正", "recorded": "您的请求已登记。",
        "delete": "请求删除", "back": "不，返回", "sure": "确认请求删除",
    },
    "en": {
        "email": "e-mail · marketing", "pause": "Pause for 30 days", "save": "Save choices",
        "paused": "Paused until", "saved": "Your choices are saved and in force.",
        "correct": "Ask for a correction", "recorded": "Your request is recorded.",
        "delete": "Ask for deletion", "back": "No, go back", "sure": "Yes, ask for deletion",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_f10_a_customer_withdraws_pauses_and_asks_for_a_correction(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    words = WORDS[language]
    person = make_people(1, language=language)[0]
    signer = links.signer_for(settings.SECRET_KEY)
    token = preference_token(signer, person.pk, today=clock.today())
    screen = open_screen(marketer, language)
    screen.page.context.clear_cookies()
    page = screen.go(f"/p/{token}/")
    withdrawn = page.locator('input[value="email.marketing"]')
    expect(withdrawn).to_be_checked()
    assert not ConsentRecord.objects.exists()

    withdrawn.uncheck()
    page.get_by_label(words["pause"]).check()
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_role("status")).to_have_text(words["saved"])
    expect(withdrawn).not_to_be_checked()
    expect(page.get_by_label(words["paused"])).to_be_checked()
    screen.shoot("preferences")
    record = ConsentRecord.objects.get()
    assert (record.channel, record.is_granted) == ("email", False)
    paused_until = Customer.objects.get().marketing_paused_until
    assert paused_until is not None
    assert paused_until > clock.now()

    page.locator("textarea").fill("电话号码不对")
    page.get_by_role("button", name=words["correct"]).click()
    expect(page.get_by_role("status")).to_have_text(words["recorded"])
    assert PrivacyRequest.objects.get().kind == "correction"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_k1_a_deletion_is_asked_for_twice_on_a_phone_without_scripts(
    browser: Browser, live_server: Any, language: str
) -> None:
    words = WORDS[language]
    person = make_people(1, language=language, source="web_form_x")[0]
    signer = links.signer_for(settings.SECRET_KEY)
    token = preference_token(signer, person.pk, today=clock.today())
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{live_server.url}/p/{token}/")
    assert "web_form_x" not in page.locator("main").inner_text()

    page.locator("textarea").fill("旧电话\n旧邮箱")
    page.get_by_role("button", name=words["delete"], exact=True).click()
    expect(page.locator(".quoted")).to_have_text("旧电话\n旧邮箱")
    page.screenshot(path=picture(language, "deletion_asked_again"), full_page=True)
    page.get_by_role("link", name=words["back"]).click()
    assert not PrivacyRequest.objects.exists()

    page.locator("textarea").fill("旧电话\n旧邮箱")
    page.get_by_role("button", name=words["delete"], exact=True).click()
    page.get_by_role("button", name=words["sure"]).click()
    expect(page.get_by_role("status")).to_have_text(words["recorded"])
    context.close()
    assert PrivacyRequest.objects.get().kind == "deletion"
