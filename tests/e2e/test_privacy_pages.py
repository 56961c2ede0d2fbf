"""What a person says on a phone and what staff then see, in both languages."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from playwright.sync_api import expect

from campaigns.domain.content import links
from campaigns.domain.content.preference_links import preference_token
from customers.labels import SEARCH_STEPS
from customers.models import Customer, DataSource, DuplicateSearch, MergeDecision, OptInRequest
from loancrm.kernel import clock
from loancrm.kernel.models import Work
from tests.e2e.conftest import Screen
from tests.factories.people import make_people
from tests.factories.sources import make_source

PHONE = {"width": 390, "height": 844}
WORDS = {
    "zh-hans": {
        "email": "邮件 · 营销", "save": "保存选择", "saved": "您的选择已保存并生效。",
        "withdrawn": "已撤回", "send": "提交", "thanks": "谢谢", "add": "数据来源",
        "reveal": "显示", "search": "查找重复客户", "pairs": "新增待审客户对",
        "consents": "授权", "from": "偏好设置页",
        "ends": "10 天后到期", "missing": "数据供应商必须填写合同编号。",
    },
    "en": {
        "email": "E-mail · Marketing", "save": "Save choices",
        "saved": "Your choices are saved and in force.", "withdrawn": "withdrawn",
        "send": "Send", "thanks": "Thank you", "add": "data source", "reveal": "Show",
        "search": "Look for duplicates", "pairs": "New pairs in the queue",
        "consents": "Consents", "from": "Preference page",
        "ends": "ends in 10 days", "missing": "A vendor needs a contract reference.",
    },
}  # fmt: skip
LANGUAGES = pytest.mark.parametrize("language", ["zh-hans", "en"])


def fits(screen: Screen) -> bool:
    """Whether nothing is wider than the screen."""
    script = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    return bool(screen.page.evaluate(script))


@LANGUAGES
def test_s60_a_withdrawal_on_a_phone_is_seen_on_the_customers_page(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    words = WORDS[language]
    person = make_people(1, language=language)[0]
    token = preference_token(links.signer_for(settings.SECRET_KEY), person.pk, today=clock.today())
    screen = open_screen(marketer, language)
    screen.page.set_viewport_size(PHONE)
    page = screen.go(f"/p/{token}/")
    screen.shoot("preferences_phone")
    assert fits(screen)
    page.locator('input[value="email.marketing"]').uncheck()
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_role("status")).to_have_text(words["saved"])

    page.set_viewport_size({"width": 1440, "height": 900})
    screen.go(f"/admin/customers/customer/{person.pk}/change/")

    heading = page.get_by_role("heading", name=words["consents"], exact=True)
    card = page.locator("section.lcx-card").filter(has=heading)
    line = card.locator("dt", has_text=words["email"]).locator("+ dd")
    expect(line).to_contain_text(words["withdrawn"], ignore_case=True)
    expect(line).to_contain_text(words["from"])
    expect(page.locator("#past dt", has_text=words["email"])).to_have_count(1)
    expect(page.locator("body")).not_to_contain_text("preference_centre")
    screen.shoot("customer_after_withdrawal")


@LANGUAGES
def test_s65_the_enquiry_form_is_filled_in_on_a_phone(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    cache.clear()
    words = WORDS[language]
    screen = open_screen(marketer, language)
    screen.page.context.clear_cookies()
    screen.page.set_viewport_size(PHONE)
    page = screen.go(f"/enquiry/?lang={language}&utm_campaign=spring")
    screen.shoot("enquiry_phone")
    assert fits(screen)
    page.locator("#name").fill("王小明")
    page.locator("#phone").fill("13800138000")
    page.locator('input[name="notice"]').check()
    page.locator('input[value="sms"]').check()
    page.get_by_role("button", name=words["send"]).click()
    expect(page.get_by_role("status")).to_contain_text(words["thanks"])
    screen.shoot("enquiry_done_phone")

    customer = Customer.objects.get()
    assert isinstance(customer.public_id, UUID)
    asked = OptInRequest.objects.get()
    assert (asked.channel, asked.policy_version != "") == ("sms", True)
    assert not customer.consent_states.exists()


@LANGUAGES
def test_s65_sources_are_kept_in_the_admin(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    words = WORDS[language]
    soon = clock.today() + timedelta(days=10)
    make_source("acme", title="Acme Data", valid_until=soon, purposes=["marketing"])
    make_source("gone", valid_until=clock.today() - timedelta(days=1))
    make_source("core", kind="unregistered", contract="")
    screen = open_screen(marketer, language)
    page = screen.go("/admin/customers/datasource/")
    expect(page.get_by_text(words["ends"])).to_be_visible()
    screen.shoot("data_sources")

    screen.go("/admin/customers/datasource/add/")
    page.locator("#id_name").fill("panel")
    page.locator("#id_kind").select_option("vendor")
    screen.shoot("data_source_form")
    page.locator('button[name="_save"], input[name="_save"]').first.click()
    expect(page.get_by_text(words["missing"])).to_be_visible()
    screen.shoot("data_source_refused")
    page.locator("#id_contract").fill("V-2026-7")
    page.locator("#id_valid_until").fill(soon.isoformat())
    page.locator('button[name="_save"], input[name="_save"]').first.click()
    page.wait_for_url("**/datasource/")
    assert DataSource.objects.get(name="panel").contract == "V-2026-7"


@LANGUAGES
def test_a11_duplicates_are_looked_for_by_a_button(
    open_screen: Callable[..., Screen],
    marketer: User,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("loancrm.kernel.work.service.enqueue", lambda *_args, **_kwargs: None)
    words = WORDS[language]
    screen = open_screen(marketer, language)
    page = screen.go("/admin/customers/mergedecision/")
    screen.shoot("duplicates_empty")
    page.get_by_role("button", name=words["search"]).click()
    page.wait_for_url("**/duplicatesearch/*/change/")
    Work.objects.update(
        state="running",
        step=SEARCH_STEPS.phrase("compare"),
        done_count=61_000,
        total_count=184_000,
    )
    page.reload()
    expect(page.locator("progress")).to_be_visible()
    screen.shoot("duplicate_search")
    Work.objects.update(state="done", finished_at=clock.now())
    DuplicateSearch.objects.update(compared_count=200_000, proposed_count=312)
    one, other = make_people(2)
    MergeDecision.objects.create(
        kept=one, other=other, matched_by="likeness", probability=0.9, created_at=clock.now()
    )
    page.reload()
    expect(page.get_by_text(words["pairs"])).to_be_visible()
    screen.shoot("duplicate_search_done")
    screen.go("/admin/customers/mergedecision/")
    screen.shoot("duplicates")


@LANGUAGES
def test_k6_whole_values_are_shown_for_a_reason(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    person = make_people(1)[0]
    screen = open_screen(marketer, language)
    page = screen.go(f"/admin/customers/customer/{person.pk}/change/")
    form = page.locator("form", has=page.locator('[name="reason"]')).first
    form.locator('[name="reason"]').fill("电话回访")
    screen.shoot("reveal_form")
    form.get_by_role("button").click()
    expect(page.get_by_text("p1@example.com").first).to_be_visible()
    screen.shoot("reveal_shown")
