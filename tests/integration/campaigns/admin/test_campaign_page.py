"""The campaign's page: who may do what, and that nothing happens beside the services."""

import random
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from campaigns.channels import registry
from campaigns.channels.base import SmsPayload
from campaigns.channels.memory import MemoryChannel
from campaigns.models import Approval, Campaign, ContentVersion, Dispatch, Message, Variant
from campaigns.services.campaigns import authoring, previews, ticking
from campaigns.services.sending import dispatch as dispatching
from campaigns.services.sending import providers
from customers.models import Customer, Segment
from loancrm.kernel import roles
from loancrm.kernel.access import user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import SMS, make_channel, make_launched, spec
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db


def person(name: str, *groups: str) -> User:
    """Create a user of the staff with roles."""
    roles.ensure_roles()
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    return User.objects.get(pk=user.pk)


def browser_of(user: User) -> Client:
    """Return a signed-in client that reads English."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def step_url(campaign: Campaign, name: str) -> str:
    return reverse("admin:campaigns_campaign_step", args=[campaign.pk, name])


@pytest.fixture
def author() -> User:
    return person("author", "marketer", "approver")


@pytest.fixture
def draft(author: User, now: datetime) -> Campaign:
    make_channel("email")
    make_people(3)
    return authoring.create_campaign(source=spec(), actor=user_actor(author), now=now)


def test_d3_the_author_cannot_approve_even_by_calling_the_address(
    draft: Campaign, author: User, now: datetime
) -> None:
    authoring.submit_for_review(campaign=draft, actor=user_actor(author), now=now)
    answer = browser_of(author).post(step_url(draft, "approve"), follow=True)
    assert b"A campaign is never approved by somebody who wrote or changed it." in answer.content
    draft.refresh_from_db()
    assert draft.status == "in_review"
    assert Approval.objects.count() == 0
    assert AuditEntry.objects.filter(action="campaign.own_approval_refused").count() == 1


def test_another_person_approves_and_the_comment_is_kept(
    draft: Campaign, author: User, now: datetime
) -> None:
    authoring.submit_for_review(campaign=draft, actor=user_actor(author), now=now)
    other = person("other", "approver")
    browser = browser_of(other)
    page = browser.get(reverse("admin:campaigns_campaign_change", args=[draft.pk]))
    fields = {"comment": "fine", "seen": page.context["seen_digest"]}
    assert f'name="seen" value="{fields["seen"]}"' in page.content.decode()
    browser.post(step_url(draft, "approve"), fields)
    approval = Approval.objects.get()
    assert (approval.approver, approval.is_granted, approval.comment) == (other, True, "fine")


def test_the_form_of_an_approval_carries_what_was_seen(
    draft: Campaign, author: User, now: datetime
) -> None:
    authoring.submit_for_review(campaign=draft, actor=user_actor(author), now=now)
    browser = browser_of(person("other", "approver"))
    page = browser.get(reverse("admin:campaigns_campaign_change", args=[draft.pk]))
    seen = page.context["seen_digest"]
    ContentVersion.objects.update(subject="换掉的主题")
    for form in ({}, {"seen": seen}):
        answer = browser.post(step_url(draft, "approve"), form, follow=True)
        assert b"The campaign has changed since you looked at it." in answer.content
    draft.refresh_from_db()
    assert draft.status == "in_review"
    assert not Approval.objects.exists()


def test_a_step_by_get_changes_nothing(draft: Campaign, author: User) -> None:
    assert browser_of(author).get(step_url(draft, "submit")).status_code == 405
    draft.refresh_from_db()
    assert draft.status == "draft"


@pytest.mark.parametrize("step", ["submit", "approve", "launch", "cancel"])
def test_an_analyst_can_look_but_take_no_step(draft: Campaign, step: str) -> None:
    client = browser_of(person("ana", "analyst"))
    page = client.get(reverse("admin:campaigns_campaign_change", args=[draft.pk]))
    assert page.status_code == 200
    assert page.context["buttons"] == []
    client.post(step_url(draft, step))
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert Dispatch.objects.count() == 0


def test_a_stranger_sees_no_campaign(draft: Campaign) -> None:
    client = browser_of(person("stranger"))
    for name in ("change", "progress", "preview"):
        url = reverse(f"admin:campaigns_campaign_{name}", args=[draft.pk])
        answer = client.post(url) if name == "preview" else client.get(url)
        assert answer.status_code == 403


def test_a_preview_shows_the_message_and_leaves_no_row(draft: Campaign, author: User) -> None:
    url = reverse("admin:campaigns_campaign_preview", args=[draft.pk])
    answer = browser_of(author).post(url, {"customer": "p2@example.com"})
    assert "客户2，您好" in answer.content.decode()
    entry = AuditEntry.objects.get(action="campaign.previewed")
    assert entry.facts["customers"] == [Customer.objects.get(external_id="p2").pk]
    assert (Dispatch.objects.count(), Message.objects.count()) == (0, 0)


def test_one_look_at_several_people_is_one_audit_entry(draft: Campaign, author: User) -> None:
    Customer.objects.filter(external_id="p2").update(gender="male")
    Customer.objects.filter(external_id="p3").update(language="en")
    url = reverse("admin:campaigns_campaign_preview", args=[draft.pk])
    shown = browser_of(author).post(url).context["previews"]
    entry = AuditEntry.objects.get(action="campaign.previewed")
    assert entry.facts["customers"] == [item["customer"].pk for item in shown]
    assert len(shown) == 3


def test_f3_a_preview_is_the_text_that_is_sent(author: User, now: datetime) -> None:
    channel = make_channel("sms")
    people = make_people(1)
    registry.close_all()
    dispatch = make_launched(
        user_actor(author), now, channel=channel.slug, content=SMS, slug="same", name="同一文本"
    )
    campaign = dispatch.campaign
    variant = Variant.objects.get(touchpoint__step__campaign=campaign)
    (shown,) = previews.preview(
        campaign=campaign,
        variant=variant,
        customers=people,
        actor=user_actor(author),
        now=now,
    )
    ticking.advance(now=now)
    dispatching.drain(holder="t", clock=lambda: now, rng=random.Random(1), slice_seconds=5)
    provider = providers.provider_of(channel)
    assert isinstance(provider, MemoryChannel)
    assert [message.payload for message in provider.delivered] == [
        SmsPayload(shown.text, shown.parts)
    ]


def test_a_test_message_goes_to_the_given_address_only(draft: Campaign, author: User) -> None:
    url = reverse("admin:campaigns_campaign_test", args=[draft.pk])
    client = browser_of(author)
    refused = client.post(url, {"to": "no address"}, follow=True)
    assert b"This is no address for the channel." in refused.content
    sent = client.post(url, {"to": "colleague@lender.example"}, follow=True)
    # The channel of this test keeps messages in memory.
    assert b"Nothing was sent: this channel only writes" in sent.content
    assert Message.objects.count() == 0
    entry = AuditEntry.objects.get(action="campaign.test_sent")
    assert entry.facts["outcome"] == "accepted"


def test_the_progress_adds_up_to_the_audience(author: User, now: datetime) -> None:
    make_channel("email")
    make_people(7)
    dispatch = make_launched(user_actor(author), now, holdout_share="0.4")
    url = reverse("admin:campaigns_campaign_progress", args=[dispatch.campaign_id])
    found = browser_of(author).get(url).json()
    assert found["audience"] == 7
    assert sum(found["states"].values()) == 7
    assert found["isFinished"] is False


def form_data(**changes: Any) -> dict[str, Any]:
    """Return what the form sends for a campaign by SMS."""
    base = {
        "name": "Autumn",
        "segment": Segment.objects.get().pk,
        "goal_event": "application_submitted",
        "goal_window_days": "7",
        "purpose": "marketing",
        "late_limit_hours": "24",
        "holdout_percent": "10",
        "A_weight": "1",
        "A_zh_hans_text": "{{ name }}，您的专属服务已开通。",
    }
    return {**base, **changes}


def test_the_form_creates_the_campaign_that_a_file_would(draft: Campaign, author: User) -> None:
    channel = make_channel("sms")
    url = reverse("admin:campaigns_campaign_add")
    browser_of(author).post(url, form_data(channel=channel.pk, B_en_text="Hello", B_weight="3"))
    made = Campaign.objects.get(slug="autumn")
    assert made.author == author
    assert f"{made.holdout_share:.3f}" == "0.100"
    step = made.steps.get()
    assert step.channel == channel
    assert list(step.touchpoint.variants.order_by("key").values_list("key", "weight")) == [
        ("A", 1),
        ("B", 3),
    ]


def test_editing_a_draft_makes_a_new_version_of_the_changed_text_only(
    draft: Campaign, author: User
) -> None:
    channel = make_channel("sms")
    client = browser_of(author)
    client.post(
        reverse("admin:campaigns_campaign_add"),
        form_data(channel=channel.pk, A_en_text="Hello {{ name }}"),
    )
    made = Campaign.objects.get(slug="autumn")
    client.post(
        reverse("admin:campaigns_campaign_edit", args=[made.pk]),
        form_data(channel=channel.pk, A_en_text="Hi {{ name }}", goal_window_days="14"),
    )
    made.refresh_from_db()
    assert made.goal_window_days == 14
    contents = made.steps.get().touchpoint.variants.get().contents.filter(is_current=True)
    assert dict(contents.values_list("locale", "number")) == {"zh-hans": 1, "en": 2}


def test_a_form_without_a_text_is_refused_and_nothing_is_kept(
    draft: Campaign, author: User
) -> None:
    channel = make_channel("sms")
    answer = browser_of(author).post(
        reverse("admin:campaigns_campaign_add"), form_data(channel=channel.pk, A_zh_hans_text="")
    )
    assert b"Write the message in at least one language." in answer.content
    assert Campaign.objects.count() == 1  # only the draft


def test_an_analyst_sees_no_message_with_a_name_in_it(draft: Campaign) -> None:
    client = browser_of(person("ana", "analyst"))
    url = reverse("admin:campaigns_campaign_preview", args=[draft.pk])
    answer = client.post(url, {"customer": "p2@example.com"})
    assert "客户2" not in answer.content.decode()
    assert b"You do not have permission" in answer.content


def test_the_empty_list_offers_the_first_campaign_to_those_who_may_write_one() -> None:
    listed = reverse("admin:campaigns_campaign_changelist")
    add = reverse("admin:campaigns_campaign_add")
    page = browser_of(person("writer", "marketer")).get(listed).text
    assert "Write the first campaign" in page
    assert add in page
    page = browser_of(person("looker", "analyst")).get(listed).text
    assert "No campaign yet" in page
    assert "Write the first campaign" not in page
    assert add not in page
