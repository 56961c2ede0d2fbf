"""The preference page as a customer meets it: a link, no login, both languages."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import expect

from campaigns.domain import links
from campaigns.domain.preference_links import preference_token
from customers.models import ConsentRecord, Customer, PrivacyRequest
from loancrm.kernel import clock
from tests.e2e.conftest import DATABASE, Screen
from tests.factories.people import make_people

WORDS = {
    "zh-hans": {
        "email": "邮件 · 营销", "pause": "暂停 30 天", "save": "保存选择", "paused": "已暂停至",
        "saved": "您的选择已保存并生效。", "correct": "请求更正", "recorded": "您的请求已登记。",
    },
    "en": {
        "email": "e-mail · marketing", "pause": "Pause for 30 days", "save": "Save choices",
        "paused": "Paused until", "saved": "Your choices are saved and in force.",
        "correct": "Ask for a correction", "recorded": "Your request is recorded.",
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
    with DATABASE:
        assert not ConsentRecord.objects.exists()

    withdrawn.uncheck()
    page.get_by_label(words["pause"]).check()
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_role("status")).to_have_text(words["saved"])
    expect(withdrawn).not_to_be_checked()
    expect(page.get_by_label(words["paused"])).to_be_checked()
    screen.shoot("preferences")
    with DATABASE:
        record = ConsentRecord.objects.get()
        assert (record.channel, record.is_granted) == ("email", False)
        paused_until = Customer.objects.get().marketing_paused_until
        assert paused_until is not None
        assert paused_until > clock.now()

    page.locator("textarea").fill("电话号码不对")
    page.get_by_role("button", name=words["correct"]).click()
    expect(page.get_by_role("status")).to_have_text(words["recorded"])
    with DATABASE:
        assert PrivacyRequest.objects.get().kind == "correction"
