import pytest
from django.contrib.auth.models import Group, User

from campaigns.models import Approval, Campaign, ContentVersion
from campaigns.services.campaigns import approval, authoring, launch
from campaigns.services.campaigns.approval import ApprovalRefused
from campaigns.services.campaigns.authoring import CampaignLocked
from campaigns.services.campaigns.problems import CampaignRefused
from campaigns.services.campaigns.steps_freezing import CampaignNotReady
from customers.models import Segment
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import (
    make_approved,
    make_approver,
    make_channel,
    revise_text,
    spec,
    submit_and_approve,
)
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db


def person(name, *roles):
    user = User.objects.create_user(name)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user_actor(User.objects.get(pk=user.pk))


def test_a_marketer_writes_and_an_approver_approves(now):
    make_channel()
    author = person("wang", "marketer")
    campaign = authoring.create_campaign(source=spec(), actor=author, now=now)
    assert campaign.author == author.user
    submit_and_approve(campaign, author, now, approver=person("li", "approver"))
    assert campaign.status == "approved"
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", "actor_label"))
    assert ("campaign.created", "wang") in actions
    assert ("campaign.approved", "li") in actions


def test_d3_nobody_approves_a_campaign_of_their_own_and_the_attempt_is_recorded(now):
    make_channel()
    both = person("zhao", "marketer", "approver")
    campaign = authoring.create_campaign(source=spec(), actor=both, now=now)
    with pytest.raises(ApprovalRefused):
        submit_and_approve(campaign, both, now, approver=both)
    campaign.refresh_from_db()
    assert campaign.status == "in_review"
    assert not Approval.objects.exists()
    assert AuditEntry.objects.filter(action="campaign.own_approval_refused").count() == 1


def test_the_system_cannot_approve(actor, now):
    make_channel()
    campaign = authoring.create_campaign(source=spec(), actor=actor, now=now)
    with pytest.raises(ApprovalRefused):
        submit_and_approve(campaign, actor, now, approver=actor)


def test_an_analyst_may_not_write(now):
    make_channel()
    with pytest.raises(PermissionRefused):
        authoring.create_campaign(source=spec(), actor=person("qian", "analyst"), now=now)
    assert not Campaign.objects.exists()


def test_a_wrong_description_leaves_nothing_behind(actor, now):
    with pytest.raises(CampaignRefused) as caught:
        authoring.create_campaign(source=spec(channel="nowhere"), actor=actor, now=now)
    assert "nowhere" in caught.value.message
    assert not Campaign.objects.exists()
    assert not Segment.objects.exists()


def test_d4_a_changed_text_voids_the_approval(actor, now):
    make_channel()
    make_people(1)
    campaign = make_approved(actor, now)
    ContentVersion.objects.update(text="退订：{{ unsubscribe_url }} 另一段话")
    with pytest.raises(CampaignNotReady):
        launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    campaign.refresh_from_db()
    assert campaign.status == "approved"


@pytest.mark.parametrize(
    "change",
    [{"holdout_share": "0.2"}, {"cost_per_message": "9.99"}, {"goal_window_days": 30}],
)
def test_d4_a_changed_number_voids_the_approval(actor, now, change):
    make_channel()
    campaign = make_approved(actor, now)
    Campaign.objects.update(**change)
    campaign.refresh_from_db()
    assert not approval.is_approved(campaign)


def test_d4_an_approved_campaign_is_locked_until_returned_to_draft(actor, now):
    make_channel()
    campaign = make_approved(actor, now)
    variant = campaign.steps.get().touchpoint.variants.get()
    content = {"zh-hans": {"subject": "新主题", "text": "新内容 {{ unsubscribe_url }}"}}
    with pytest.raises(CampaignLocked):
        revise_text(variant, content, actor, now)
    authoring.return_to_draft(campaign=campaign, actor=actor, now=now)
    revise_text(variant, content, actor, now)
    revised = ContentVersion.objects.filter(is_current=True).get()
    assert (revised.number, revised.subject) == (2, "新主题")
    assert not approval.is_approved(campaign)


def test_a_rejected_campaign_goes_back_to_its_author(actor, now):
    make_channel()
    campaign = authoring.create_campaign(source=spec(), actor=actor, now=now)
    authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
    approval.reject_campaign(
        campaign=campaign, actor=make_approver(), now=now, comment="利率未标明"
    )
    campaign.refresh_from_db()
    assert campaign.status == "draft"
    assert not approval.is_approved(campaign)


def test_a_draft_cannot_be_launched(actor, now):
    make_channel()
    campaign = authoring.create_campaign(source=spec(), actor=actor, now=now)
    with pytest.raises(CampaignLocked):
        launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    assert not campaign.dispatches.exists()


def test_a_campaign_is_launched_once(actor, now):
    make_channel()
    make_people(2)
    campaign = make_approved(actor, now)
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    campaign.refresh_from_db()
    with pytest.raises(CampaignLocked):
        launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    assert campaign.dispatches.count() == 1
