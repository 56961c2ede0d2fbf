"""Exclusions, limits and conditions on the campaign's form; the page of a dry run."""

import csv
import re
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from campaigns.admin.forms import CampaignForm, initial_of
from campaigns.admin.stored_messages import stored_messages
from campaigns.models import Campaign
from campaigns.services.campaigns import authoring
from loancrm.kernel.access import Actor
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import EMAIL, make_channel, spec
from tests.factories.people import make_people
from tests.integration.campaigns.services.campaigns.test_exclusions import make_segment

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

EXCLUDE: dict[str, Any] = {
    "segments": ["left-out"],
    "campaigns": [],
    "tags": [],
    "messaged_days": 30,
    "applied_days": 9,
    "called_days": None,
}


def make_draft(actor: Actor, now: datetime) -> Campaign:
    make_channel()
    make_segment(actor, now)
    base = {key: value for key, value in spec().items() if key not in {"channel", "content"}}
    message = {"channel": "email-memory", "content": EMAIL}
    steps = [message, {**message, "only_if": "not_clicked", "after_minutes": 4320}]
    source = {**base, "steps": steps, "exclude": EXCLUDE, "daily_message_limit": 50}
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    campaign.refresh_from_db()
    return campaign


def test_d14_the_form_gives_back_what_is_stored(actor: Actor, now: datetime) -> None:
    campaign = make_draft(actor, now)
    stored = stored_messages(campaign)
    initial = initial_of(campaign, stored)
    assert initial["excluded_segments"] == ["left-out"]
    assert (initial["excludes_applied"], initial["applied_days"]) == (True, 9)
    assert not initial["excludes_called"]
    assert (initial["m2_only_if"], initial["m2_after_minutes"]) == ("not_clicked", 4320)
    sent = {name: value for name, value in initial.items() if value not in (None, False)}
    sent |= {"segment": campaign.segment_id, "late_limit_hours": 24, "message_count": 2}
    channel = campaign.steps.get(position=1).touchpoint.channel_id
    sent |= {"channel": channel, "m2_channel": channel}
    form = CampaignForm(sent, campaign=campaign, messages=stored)
    assert form.is_valid(), form.errors
    described = form.spec(now=now)
    assert described["exclude"] == EXCLUDE
    assert described["daily_message_limit"] == 50
    assert described["steps"][1]["only_if"] == "not_clicked"
    assert described["steps"][1]["after_minutes"] == 4320
    assert "exclusions" not in form.changes()
    assert "daily_message_limit" not in form.changes()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Left out of the segment", "In the segment", "who has clicked no link"]),
        ("zh-hans", ["从客群中排除", "客群人数", "至今未点击"]),
    ],
)
def test_d15_the_dry_run_stands_on_a_page_and_in_a_file(
    admin_client: Client, actor: Actor, now: datetime, language: str, words: list[str]
) -> None:
    people = make_people(3)
    campaign = make_draft(actor, now)
    admin_client.cookies["django_language"] = language
    page = admin_client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
    address = reverse("admin:campaigns_campaign_dry_run", args=[campaign.pk])
    assert address in page.content.decode()
    assert words[0] in page.content.decode()
    # What is approved is shown: for whom a later message is, and how many there are at most.
    assert re.search(r"data-place>[^<]*4,320 [^<]*" + words[2], page.content.decode())
    assert re.search(r'data-fact="daily_message_limit"[^<]*(<[^>]*>\s*)*50', page.content.decode())
    answer = admin_client.get(address)
    assert answer.status_code == 200
    assert words[1] in answer.content.decode()
    assert 'data-waterfall="to_send"' in answer.content.decode()
    listed = admin_client.get(address, {"list": "csv"}).content.decode("utf-8-sig")
    rows = list(csv.DictReader(listed.splitlines()))
    assert [int(row["customer"]) for row in rows] == [person.pk for person in people]
    told = answer.content.decode()
    for row in rows:
        assert row["fate"] in told
        assert row["why"] in told
    assert "The provider answered" not in told
    assert "no receipt yet" not in told
    assert AuditEntry.objects.get(action="campaign.dry_run_listed").facts == {"count": len(rows)}


def test_d15_the_list_of_people_is_for_who_may_see_and_take_them(
    client: Client, actor: Actor, now: datetime
) -> None:
    make_people(3)
    campaign = make_draft(actor, now)
    address = reverse("admin:campaigns_campaign_dry_run", args=[campaign.pk])
    user = User.objects.create_user("onlooker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_campaign"))
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.context["people"] == []
    assert client.get(address, {"list": "csv"}).status_code == 403
    assert not AuditEntry.objects.filter(action="campaign.dry_run_listed").exists()
