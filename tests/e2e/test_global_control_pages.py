"""Choosing the global control group and reading what it shows, in a browser."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from campaigns.domain.experiments.global_control import PeriodLength
from campaigns.models import GlobalControlChoice
from loancrm.kernel import clock
from tests.e2e.conftest import Screen
from tests.factories.loans import make_loan
from tests.factories.people import make_people

WORDS = {
    "zh-hans": ["其他所有客户", "人均提款金额", "进行中"],
    "en": ["Everybody else", "Drawn a person", "Runs still"],
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_d8_a_share_is_chosen_and_its_periods_are_read(
    open_screen: Callable[..., Screen], language: str
) -> None:
    today = clock.today()
    for number, person in enumerate(make_people(20)):
        if number % 2:
            make_loan(person, f"L{number}", today)
    GlobalControlChoice.objects.create(
        share=Decimal("0.2"),
        period_length=PeriodLength.YEAR,
        valid_from=date(today.year - 1, 1, 1),
        salt=UUID(int=3),
        reason="agreed by the board",
        recorded_at=clock.now(),
    )
    screen = open_screen(User.objects.create_superuser("chooser"), language)
    screen.page.set_viewport_size({"width": 1280, "height": 900})
    page = screen.go("/admin/campaigns/globalcontrolchoice/add/")
    page.fill("#id_share_percent", "5")
    page.fill("#id_reason", "agreed by the board again")
    screen.shoot("global-control-add")
    page.locator("#id_reason").press("Tab")
    page.locator("button[name=_save], input[name=_save]").first.click()
    page.wait_for_url("**/globalcontrolchoice/")
    expect(page.get_by_text("5.0 %").first).to_be_visible()
    screen.shoot("global-control-list")
    page = screen.go("/admin/reports/control/periods/")
    expect(page.locator("[data-period]")).to_have_count(2)
    for text in WORDS[language]:
        expect(page.get_by_text(text).first).to_be_visible()
    screen.shoot("global-control-periods")
