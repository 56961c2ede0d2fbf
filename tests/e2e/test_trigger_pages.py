"""d2: what a campaign waits for, in its form and on its page, in both languages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from campaigns.models import Campaign, CampaignTrigger
from campaigns.services.triggers import following
from customers.models import Customer, Event, EventType
from loancrm.kernel.access import user_actor
from tests.e2e.conftest import Screen, daytime
from tests.factories.campaigns import make_channel, make_launched

WORDS = {"zh-hans": ("事件触发：", "仍在等待"), "en": ("on event: ", "still waiting")}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_d2_the_form_asks_and_the_page_tells_what_it_waits_for(
    open_screen: Callable[..., Screen],
    marketer: User,
    people: list[Customer],
    segment: Any,
    language: str,
) -> None:
    now = daytime()
    make_channel()
    trigger = {
        "on": "event",
        "event": "application_started",
        "delay_minutes": 30,
        "amount_at_least": "1000",
    }
    make_launched(user_actor(marketer), now, segment="everybody", schedule={"trigger": trigger})
    following.follow(holder="w", now=now)
    kind = EventType.objects.get_or_create(name="application_started")[0]
    for minutes, person in enumerate(people[:3]):
        Event.objects.create(
            customer=person,
            type=kind,
            occurred_at=now + timedelta(minutes=minutes - 1),
            received_at=now,
            amount=2000,
            source="test",
            dedup_key=f"started-{person.pk}",
        )
    following.follow(holder="w", now=now + timedelta(minutes=5))
    assert CampaignTrigger.objects.count() == 3
    on_event, waiting = WORDS[language]
    screen = open_screen(marketer, language)
    screen.page.set_viewport_size({"width": 1280, "height": 900})
    campaign = Campaign.objects.get()
    page = screen.go(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    expect(page.locator("[data-fact=trigger]")).to_contain_text(on_event)
    expect(page.locator("[data-trigger=received]")).to_have_text("3")
    expect(page.locator("[data-trigger=before_start]")).to_have_text("1")
    expect(page.get_by_text(waiting)).to_be_visible()
    screen.shoot("triggers_page")
    page = screen.go("/admin/campaigns/campaign/")
    expect(page.get_by_text(on_event).first).to_be_visible()
    screen.shoot("triggers_list")
    page = screen.go("/admin/campaigns/campaign/add/")
    page.locator("[name=trigger_on]").select_option("event")
    page.locator("details", has=page.locator("[name=trigger_event]")).locator("summary").click()
    expect(page.locator("[name=trigger_event]")).to_be_visible()
    screen.shoot("triggers_form")
