"""Texts are checked where they are written, and nothing faulty reaches an approver."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from campaigns.models import Campaign, Channel, ContentVersion, Message
from campaigns.selectors.campaigns import live_progress, status
from campaigns.selectors.content import faults
from campaigns.services.campaigns import authoring, ticking
from campaigns.services.campaigns.composer.readiness import TextsFaulty
from campaigns.services.sending import dispatch as dispatching
from customers.models import ContactPoint, Customer
from loancrm.kernel.access import Actor, user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import EMAIL, SMS, make_channel, make_launched, spec
from tests.factories.people import make_people
from tests.integration.campaigns.admin.test_campaign_page import (
    browser_of,
    form_data,
    person,
    step_url,
)

pytestmark = pytest.mark.django_db

FAULTY = {
    "zh-hans": {
        "subject": "您好",
        "text": "尊敬的客户：\n活动开始了。\n{{ nmae }}，{{ nmae }}，请查看。",
        "html": "",
    }
}


def make_draft(now: datetime, **changes: Any) -> tuple[Campaign, Client]:
    author = person("author", "marketer")
    make_channel("email")
    make_channel("sms")
    campaign = authoring.create_campaign(
        source=spec(**{"content": FAULTY, **changes}), actor=user_actor(author), now=now
    )
    return campaign, browser_of(author)


def test_f1_a_faulty_draft_is_kept_but_not_submitted(now: datetime) -> None:
    campaign, browser = make_draft(now)
    actor = user_actor(campaign.author)
    with pytest.raises(TextsFaulty) as caught, translation.override("en"):
        authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
    assert caught.value.facts["faults"] == (
        "Version A · Chinese · body · line 3: There is no variable nmae",
        "Version A · Chinese · body: The unsubscribe link is missing",
    )
    campaign.refresh_from_db()
    assert campaign.status == "draft"
    assert not AuditEntry.objects.filter(action="campaign.in_review").exists()
    answer = browser.post(step_url(campaign, "submit"), follow=True).content.decode()
    assert "Version A · Chinese · body · line 3" in answer
    ContentVersion.objects.update(text="尊敬的{{ name }}，退订：{{ unsubscribe_url }}")
    authoring.submit_for_review(campaign=campaign, actor=actor, now=now)


def test_f1_the_page_lists_faults_with_links_and_the_button_waits(now: datetime) -> None:
    campaign, browser = make_draft(now)
    page = browser.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
    (submit,) = [button for button in page.context["buttons"] if button.name == "submit"]
    assert submit.waits_for
    html = page.content.decode()
    edit = reverse("admin:campaigns_campaign_edit", args=[campaign.pk])
    assert html.count(f'href="{edit}#id_A_zh_hans_text"') == 3  # two faults and a hint
    assert html.count("There is no variable nmae") == 1
    assert "disabled" in html.split('value="submit"')[1].split(">")[0]


def test_f1_faults_stand_beside_the_field_concerned(now: datetime) -> None:
    campaign, browser = make_draft(now)
    html = browser.get(
        reverse("admin:campaigns_campaign_edit", args=[campaign.pk])
    ).content.decode()
    beside = html.split('id="id_A_zh_hans_text_faults"')[1].split("</ul>")[0]
    assert "Line 3: There is no variable nmae" in beside
    assert "The unsubscribe link is missing" in beside
    assert "id_A_zh_hans_subject_faults" not in html


def test_f1_message_and_fallback_are_told_apart(now: datetime) -> None:
    wrong = {"zh-hans": {"text": "您好 {{ nmae }}"}}
    campaign, browser = make_draft(
        now,
        channel="sms-memory",
        content=SMS,
        fallback_channel="sms-memory",
        fallback_content=wrong,
    )
    with translation.override("zh-hans"):
        assert faults.blocking(campaign, now=now) == [
            "备用消息 · 版本 A · 中文 · 正文 · 第 1 行：没有变量 nmae"
        ]
    html = browser.get(
        reverse("admin:campaigns_campaign_edit", args=[campaign.pk])
    ).content.decode()
    assert "id_F_zh_hans_text_faults" in html
    assert "id_A_zh_hans_text_faults" not in html


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("一\n二\n{{ name", ("text", 3), "a brace is not closed"),
        ("一\n{{ name|shout }}", ("text", 2), "there is no such format after a bar: shout"),
        ("一\n{% set x = 1 %}", ("text", 2), "it calculates or calls something"),
    ],
)
def test_f1_what_cannot_be_read_is_told_in_words_at_its_line(
    now: datetime, text: str, place: tuple[str, int], words: str
) -> None:
    campaign, _browser = make_draft(now)
    ContentVersion.objects.update(text=f"{text}", html="<p>{{ unsubscribe_url }}</p>")
    (finding,) = [x for x in faults.findings_of(campaign, now=now) if x.is_blocking]
    assert (finding.place.part, finding.place.line) == place
    with translation.override("en"):
        assert words in finding.what


def test_f2_an_empty_fallback_is_an_error_beside_its_field(now: datetime) -> None:
    campaign, browser = make_draft(now)
    channels = {row.slug: row.pk for row in Channel.objects.all()}
    data = form_data(channel=channels["sms-memory"], fallback_channel=channels["sms-memory"])
    answer = browser.post(reverse("admin:campaigns_campaign_add"), data)
    assert "F_zh_hans_text" in answer.context["form"].errors
    assert Campaign.objects.get() == campaign


def test_f5_the_list_counts_people_as_the_page_does(actor: Actor, now: datetime) -> None:
    make_channel("sms")
    make_channel("email")
    make_people(6)
    ContactPoint.objects.filter(
        kind="phone", customer__in=Customer.objects.order_by("pk")[:2]
    ).update(status="bounced")
    run = make_launched(
        actor,
        now,
        channel="sms-memory",
        content=SMS,
        fallback_channel="email-memory",
        fallback_content=EMAIL,
        fallback_after_minutes=1,
    )
    for minutes in (0, 1, 3, 4, 5):
        at = now + timedelta(minutes=minutes)
        ticking.advance(now=at)
        dispatching.drain(holder="t", clock=lambda at=at: at, rng=random.Random(1), slice_seconds=5)
    messages = Message.objects.filter(dispatch__campaign=run.campaign)
    people = messages.values("customer").distinct().count()
    assert (messages.count(), people) == (8, 6)
    shares = live_progress.finished_shares([run.campaign])
    assert shares[run.campaign_id] == (6, 6)
    assert status.status_of(run.campaign).audience == 6
