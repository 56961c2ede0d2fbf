"""d2: a marketer says in the form what a campaign waits for, and reads it and its counts."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import translation

from campaigns.admin.starts.trigger_fields import sentence
from campaigns.models import Campaign, CampaignTrigger
from loancrm.kernel import clock
from tests.factories.campaigns import make_channel
from tests.factories.people import make_people
from tests.integration.campaigns.admin.test_campaign_page import (
    author,
    browser_of,
    draft,
    form_data,
)

__all__ = ["author", "draft"]
pytestmark = pytest.mark.django_db
ON_EVENT = {
    "trigger_on": "event",
    "trigger_event": "application_started",
    "trigger_channel": "app",
    "trigger_amount_at_least": "1000",
    "trigger_delay_minutes": "30",
    "trigger_again": "not_within_days",
    "trigger_again_after_days": "14",
}
STORED = {
    "on": "event",
    "event": "application_started",
    "channel": "app",
    "subject": "",
    "amount_at_least": "1000",
    "amount_at_most": None,
    "delay_minutes": 30,
    "again": "not_within_days",
    "again_after_days": 14,
}


def saved(client: Any, **changes: Any) -> Campaign | None:
    channel = make_channel("sms")
    client.post(reverse("admin:campaigns_campaign_add"), form_data(channel=channel.pk, **changes))
    return Campaign.objects.filter(slug="autumn").first()


def page_of(client: Any, campaign: Campaign, name: str = "change") -> str:
    address = reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk])
    content: bytes = client.get(address).content
    return content.decode()


def test_d2_what_it_waits_for_is_stored_shown_and_edited(draft: Campaign, author: User) -> None:
    client = browser_of(author)
    made = saved(client, **ON_EVENT)
    assert made is not None
    assert made.trigger == STORED
    assert "after 30 minutes" in page_of(client, made)
    assert 'value="application_started" selected' in page_of(client, made, "edit")
    values = form_data(channel=made.steps.get().channel.pk, **{**ON_EVENT, "trigger_on": ""})
    client.post(reverse("admin:campaigns_campaign_edit", args=[made.pk]), values)
    made.refresh_from_db()
    assert made.trigger is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trigger_event": ""}, "Say which event it waits for."),
        ({"repeat_every": "week"}, "A campaign waits for something or has a calendar."),
        ({"trigger_amount_at_most": "5"}, "Not less than the amount at least."),
    ],
)
def test_d2_what_does_not_go_together_is_said_beside_its_field(
    draft: Campaign, author: User, changes: dict[str, str], words: str
) -> None:
    channel = make_channel("sms")
    client = browser_of(author)
    data = form_data(channel=channel.pk, **{**ON_EVENT, **changes})
    page = client.post(reverse("admin:campaigns_campaign_add"), data).content.decode()
    assert words in page
    assert not Campaign.objects.filter(slug="autumn").exists()


def test_d2_the_page_counts_the_triggers_and_the_list_names_the_event(
    draft: Campaign, author: User
) -> None:
    client = browser_of(author)
    made = saved(client, **ON_EVENT)
    assert made is not None
    now = clock.now()
    CampaignTrigger.objects.bulk_create(
        CampaignTrigger(
            campaign=made,
            customer=person,
            occurred_at=now,
            received_at=now,
            due_at=now,
            state=state,
            reason=reason,
        )
        for person, state, reason in zip(
            make_people(3, prefix="t"),
            ("waiting", "refused", "refused"),
            ("", "too_late", "too_late"),
            strict=True,
        )
    )
    page = page_of(client, made)
    assert 'data-trigger="received">3<' in page
    assert 'data-trigger="too_late">2<' in page
    listed = client.get(reverse("admin:campaigns_campaign_changelist")).content.decode()
    assert "on event: " in listed


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "on event: application started · through app · at least ¥1000 · after 30 minutes"),
        ("zh-hans", "事件触发："),
    ],
)
def test_d2_it_reads_in_both_languages(language: str, words: str) -> None:
    with translation.override(language):
        found = sentence(STORED)
    assert found.lower().startswith(words)
    assert "14" in found
    assert sentence(None) == ""
