"""The page of one person: stages, scores with versions, charts, and the timeline's filter."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from customers.domain.events.event import ReportedEvent
from customers.services import scores
from customers.services.events import log
from customers.services.scores import GivenScore
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from tests.e2e.conftest import Screen
from tests.factories.people import make_people

WORDS = {
    "zh-hans": ["生命周期", "已结清", "在贷", "每月活跃", "重要价值客户", "使用中"],
    "en": ["Lifecycle", "Repaid", "Active", "Activity a month", "Important, valued", "in use"],
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_b5_the_page_tells_the_story_of_a_borrower(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    person, now, actor = make_people(1, prefix="story")[0], clock.now(), system_actor("test")
    told = [
        ReportedEvent(
            source="bank",
            external_id="",
            name=name,
            occurred_at=now - timedelta(days=days),
            dedup_key=name,
            customer_id=person.pk,
        )
        for name, days in (("loan_disbursed", 200), ("app_login", 100), ("loan_settled", 20))
    ]
    log.append_events(events=told, now=now)
    scores.record_scores(
        actor=actor,
        model_name="rfm",
        version="rfm-1",
        scores=[GivenScore(person.pk, Decimal(555), "important-value")],
        now=now,
    )

    screen = open_screen(marketer, language)
    page = screen.go(f"/admin/customers/customer/{person.pk}/change/")

    for text in WORDS[language]:
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.locator("#chart-activity [data-drawn=true] canvas")).to_be_visible()
    events_shown = page.locator("#timeline-events li")
    expect(events_shown).to_have_count(7)
    page.locator("select[name=event]").select_option("app_login")
    expect(events_shown).to_have_count(1)
    screen.shoot("customer")
