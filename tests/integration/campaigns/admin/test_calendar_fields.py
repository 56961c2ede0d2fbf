"""d1: a marketer says in the form when a campaign runs again, and reads it in her language."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import translation

from campaigns.admin.calendar_fields import sentence
from campaigns.models import Campaign
from tests.factories.campaigns import make_channel
from tests.integration.campaigns.admin.test_campaign_page import (
    author,
    browser_of,
    draft,
    form_data,
)

__all__ = ["author", "draft"]
pytestmark = pytest.mark.django_db
WEEKLY = {
    "repeat_every": "week",
    "repeat_interval": "2",
    "repeat_weekdays": ["mon", "thu"],
    "repeat_until": "2027-06-30",
    "repeat_holidays": "next_workday",
    "repeat_catch_up": "skip",
    "repeat_again": "not_within_days",
    "repeat_again_after_days": "14",
}
STORED = {
    "every": "week",
    "interval": 2,
    "weekdays": ["mon", "thu"],
    "until": "2027-06-30",
    "holidays": "next_workday",
    "catch_up": "skip",
    "again": "not_within_days",
    "again_after_days": 14,
}


def saved(client: Any, **changes: Any) -> Campaign:
    channel = make_channel("sms")
    client.post(reverse("admin:campaigns_campaign_add"), form_data(channel=channel.pk, **changes))
    return Campaign.objects.get(slug="autumn")


def test_the_calendar_of_the_form_is_stored_shown_and_edited(draft: Campaign, author: User) -> None:
    client = browser_of(author)
    made = saved(client, **WEEKLY)
    assert made.recurrence == STORED
    page = client.get(reverse("admin:campaigns_campaign_change", args=[made.pk])).content.decode()
    assert "every 2 weeks · Monday" in page
    edit = reverse("admin:campaigns_campaign_edit", args=[made.pk])
    form = client.get(edit).content.decode()
    assert 'value="2027-06-30"' in form
    assert form.count("checked") >= 2
    values = form_data(channel=made.steps.get().channel.pk, **{**WEEKLY, "repeat_every": ""})
    client.post(edit, values)
    made.refresh_from_db()
    assert made.recurrence is None


def test_a_campaign_without_a_calendar_runs_once(draft: Campaign, author: User) -> None:
    assert saved(browser_of(author)).recurrence is None


def test_a_wrong_calendar_is_told_beside_its_field(draft: Campaign, author: User) -> None:
    client = browser_of(author)
    values = form_data(channel=make_channel("sms").pk, **{**WEEKLY, "repeat_interval": "0"})
    page = client.post(reverse("admin:campaigns_campaign_add"), values).content.decode()
    assert not Campaign.objects.filter(slug="autumn").exists()
    assert "greater than or equal to 1" in page


CHINESE = (
    "每 2 周 · 星期一、星期四 · 截至 2027-06-30 · 遇休息日顺延至下一个工作日"
    " · 错过的不再执行 · 同一人 14 天内不重复"
)
ENGLISH = (
    "every 2 weeks · Monday, Thursday · until 2027-06-30"
    " · on a day off: on the next workday"
    " · what was missed is left out · nobody twice within 14 days"
)


@pytest.mark.parametrize(("language", "expected"), [("zh-hans", CHINESE), ("en", ENGLISH)])
def test_a_calendar_reads_as_a_sentence_in_both_languages(language: str, expected: str) -> None:
    with translation.override(language):
        assert sentence(STORED) == expected
        assert sentence(None) == ""
