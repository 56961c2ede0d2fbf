"""What an approver says yes to: every text as people get it; and a refusal says why."""

import pytest
from django.urls import reverse

from campaigns.models import Approval
from campaigns.services.campaigns import approval, authoring
from campaigns.services.campaigns.approval import RefusalUnexplained
from tests.factories.campaigns import make_approver, make_channel, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def submitted(actor, now):
    make_channel("sms")
    make_people(2)
    both = {"zh-hans": {"text": "{{ name }}，您好。"}, "en": {"text": "Dear {{ name }}."}}
    other = {"zh-hans": {"text": "另一段话。"}}
    source = spec(
        channel="sms-memory",
        variants=[{"key": "A", "content": both}, {"key": "B", "content": other}],
    )
    del source["content"]
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    return authoring.submit_for_review(campaign=campaign, actor=actor, now=now)


def test_f5_every_variant_is_rendered_in_every_language(admin_client, submitted):
    url = reverse("admin:campaigns_campaign_rendered", args=[submitted.pk])
    shown = admin_client.get(url, headers={"accept-language": "en"}).content.decode()
    assert shown.count("data-rendered=") == 3
    for text in ("王芳，您好。", "Dear Fang Wang.", "另一段话。"):
        assert text in shown


def test_f5_the_page_asks_for_it(admin_client, submitted):
    page = admin_client.get(reverse("admin:campaigns_campaign_change", args=[submitted.pk]))
    assert "data-every-text" in page.content.decode()


@pytest.mark.parametrize("comment", ["", "  "])
def test_f5_a_refusal_says_why(submitted, now, comment):
    with pytest.raises(RefusalUnexplained):
        approval.reject_campaign(
            campaign=submitted, actor=make_approver(), now=now, comment=comment
        )
    submitted.refresh_from_db()
    assert submitted.status == "in_review"
    assert not Approval.objects.exists()


def test_f5_an_approval_needs_no_comment(submitted, now):
    approver = make_approver()
    approval.approve_campaign(
        campaign=submitted,
        seen_digest=approval.campaign_digest(submitted),
        actor=approver,
        now=now,
    )
    assert Approval.objects.get().is_granted
