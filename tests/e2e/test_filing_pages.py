"""A signature on its way through a provider's approval, on its page in both languages."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from campaigns.models import Filing
from loancrm.kernel import clock
from tests.e2e.conftest import Screen
from tests.factories.campaigns import make_channel

WORDS = {
    "zh-hans": {"save": "保存", "in": "已提交", "yes": "已通过", "near": "起失效"},
    "en": {"save": "Save", "in": "Was handed in", "yes": "Was approved", "near": "No longer good"},
}


@pytest.mark.parametrize("language", WORDS)
def test_g15_a_signature_is_filed_and_its_end_is_told(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    words = WORDS[language]
    make_channel("sms", name="短信一", filing_demand="signature", filing_idle_days=180)
    screen = open_screen(marketer, language)
    page = screen.page
    page.set_viewport_size({"width": 1280, "height": 900})
    screen.go(reverse("admin:campaigns_filing_add"))
    page.locator("#id_channel").select_option(label="短信一")
    page.locator("#id_name").fill("示例金融")
    page.get_by_role("button", name=words["save"]).click()
    page.get_by_role("button", name=words["in"]).click()
    page.get_by_role("button", name=words["yes"]).click()
    expect(page.get_by_role("button", name=words["yes"])).to_have_count(0)
    assert Filing.objects.get().status == "approved"
    Filing.objects.update(decided_at=clock.now() - timedelta(days=160))
    page.reload()
    expect(page.get_by_text(words["near"])).to_be_visible()
    screen.shoot("filing")
    screen.go(reverse("admin:campaigns_filing_changelist"))
    screen.shoot("filings")
