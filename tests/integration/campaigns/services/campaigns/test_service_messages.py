"""Messages that only inform go past consent and caps: who may write them, what, and when (b7)."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, Permission, User

from campaigns.models import Campaign, Message
from campaigns.selectors.content import faults
from campaigns.services.campaigns import approval, authoring
from customers.services.segments import versions
from loancrm.kernel.access import PermissionRefused, user_actor
from tests.factories.campaigns import EVERYONE, SMS, make_channel, make_launched, spec
from tests.factories.people import make_people
from tests.integration.campaigns.services.consents.test_refusals import drain

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

# 23:30 in Shanghai; 07:30 the next morning.
NIGHT = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
MORNING = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)


def _person(role):
    user = User.objects.create_user(role)
    user.groups.set(Group.objects.filter(name=role))
    return user_actor(User.objects.get(pk=user.pk))


def _service(**changes):
    return spec(channel="sms-memory", content=SMS, purpose="service", **changes)


def test_b7_a_marketer_writes_no_service_message(now):
    make_channel("sms")
    with pytest.raises(PermissionRefused):
        authoring.create_campaign(source=_service(), actor=_person("marketer"), now=now)
    assert not Campaign.objects.exists()


def test_b7_a_marketer_makes_no_service_message_of_a_draft(now):
    make_channel("sms")
    marketer = _person("marketer")
    source = spec(channel="sms-memory", content=SMS)
    campaign = authoring.create_campaign(source=source, actor=marketer, now=now)
    with pytest.raises(PermissionRefused):
        authoring.update_campaign(
            campaign=campaign, changes={"purpose": "service"}, actor=marketer, now=now
        )
    campaign.refresh_from_db()
    assert campaign.purpose == "marketing"


def _trusted_marketer():
    """A marketer to whom an operator has given the writing of service messages."""
    actor = _person("marketer")
    actor.user.user_permissions.add(Permission.objects.get(codename="send_service_messages"))
    return user_actor(User.objects.get(pk=actor.user.pk))


def test_b7_whom_an_operator_has_named_writes_service_messages(actor, now):
    make_channel("sms")
    versions.create_segment(slug="all", name="所有人", rule=EVERYONE, actor=actor, now=now)
    campaign = authoring.create_campaign(
        source=_service(segment="all"), actor=_trusted_marketer(), now=now
    )
    assert (campaign.purpose, campaign.service_kind) == ("service", "notice")


def test_b7_who_approves_writes_no_service_message(now):
    make_channel("sms")
    for role in ("compliance", "approver"):
        with pytest.raises(PermissionRefused):
            authoring.create_campaign(source=_service(), actor=_person(role), now=now)


def test_b7_a_service_text_is_changed_by_those_alone_who_may_write_it(actor, now):
    make_channel("sms")
    campaign = authoring.create_campaign(source=_service(), actor=actor, now=now)
    marketer = _person("marketer")
    calls = {
        "field": lambda: authoring.update_campaign(
            campaign=campaign, changes={"name": "x"}, actor=marketer, now=now
        ),
        "purpose": lambda: authoring.update_campaign(
            campaign=campaign, changes={"purpose": "marketing"}, actor=marketer, now=now
        ),
        "messages": lambda: authoring.revise_messages(
            campaign=campaign,
            messages=[{"channel": "sms-memory", "content": SMS}],
            actor=marketer,
            now=now,
        ),
    }
    for call in calls.values():
        with pytest.raises(PermissionRefused):
            call()
        campaign.refresh_from_db()
    assert campaign.purpose == "service"


def test_b7_a_draft_becomes_a_service_message_and_marketing_again(now):
    make_channel("sms")
    marketer = _trusted_marketer()
    campaign = authoring.create_campaign(
        source=spec(channel="sms-memory", content=SMS), actor=marketer, now=now
    )
    for change, kind in (
        ({"purpose": "service"}, "notice"),
        ({"service_kind": "due_reminder"}, "due_reminder"),
        ({"purpose": "marketing"}, ""),
    ):
        authoring.update_campaign(campaign=campaign, changes=change, actor=marketer, now=now)
        campaign.refresh_from_db()
        assert campaign.service_kind == kind


@pytest.mark.parametrize(
    "text", ["本月特 惠", "{{ name|default('立即申请') }}", "Apply now", "您可提额", "Discount!"]
)
def test_b7_an_offer_in_a_service_text_stops_its_approval(actor, now, text):
    make_channel("sms")
    source = _service() | {"content": {"zh-hans": {"text": text}}}
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    assert faults.blocking(campaign, now=now)
    Campaign.objects.update(purpose="marketing")
    campaign.refresh_from_db()
    assert not faults.blocking(campaign, now=now)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("notice", "planned"),
        ("due_reminder", "planned"),
        ("one_time_code", "sent"),
        ("fraud_warning", "sent"),
    ],
)
def test_b7_at_night_only_what_is_no_use_in_the_morning_goes(actor, kind, state):
    make_channel("sms")
    make_people(1)
    make_launched(
        actor, NIGHT, channel="sms-memory", content=SMS, purpose="service", service_kind=kind
    )
    drain(NIGHT)
    assert Message.objects.get().state == state
    drain(MORNING)
    assert Message.objects.get().state == "sent"


def test_b7_the_kind_is_part_of_what_is_approved(actor, now):
    make_channel("sms")
    campaign = authoring.create_campaign(source=_service(), actor=actor, now=now)
    before = approval.campaign_digest(campaign)
    Campaign.objects.update(service_kind="one_time_code")
    assert approval.campaign_digest(campaign) != before
