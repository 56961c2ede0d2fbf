from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns.models import Campaign, Chunk, Message
from campaigns.services.accounts import fates
from campaigns.services.accounts.fates import Fate
from customers.models import Event
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.sent import make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def lost(actor, now):
    """Three messages whose answers were lost, in a campaign that runs, with a budget."""
    _channel, messages = make_sent(actor, now, count=3)
    campaign = messages[0].dispatch.campaign
    rows = Message.objects.filter(dispatch__campaign=campaign)
    rows.update(state="unknown", reason="connection_lost", sent_at=None, cost_amount=Decimal(1))
    Event.objects.filter(type__name="message_sent").delete()
    Campaign.objects.filter(pk=campaign.pk).update(
        status="running", budget_amount=10, committed_amount=3
    )
    Chunk.objects.filter(dispatch__campaign=campaign).update(reserved_amount=3)
    campaign.refresh_from_db()
    return campaign


def _states(campaign):
    rows = Message.objects.filter(dispatch__campaign=campaign).order_by("pk")
    return list(rows.values_list("state", flat=True))


def _ids(campaign):
    return list(
        Message.objects.filter(dispatch__campaign=campaign)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def test_a5_what_was_sent_has_its_event_and_keeps_its_cost(lost, actor, now):
    chosen = _ids(lost)[:2]
    for _again in range(2):
        fates.decide(campaign=lost, message_ids=chosen, fate=Fate.WAS_SENT, actor=actor, now=now)
    lost.refresh_from_db()
    assert _states(lost) == ["sent", "sent", "unknown"]
    assert Event.objects.filter(type__name="message_sent").count() == 2
    assert lost.committed_amount == 3
    assert AuditEntry.objects.filter(action="messages.fate_decided").count() == 1


def test_a5_what_was_not_sent_fails_and_costs_nothing(lost, actor, now):
    count = fates.decide(
        campaign=lost, message_ids=None, fate=Fate.WAS_NOT_SENT, actor=actor, now=now
    )
    lost.refresh_from_db()
    assert count == 3
    assert _states(lost) == ["failed"] * 3
    assert lost.committed_amount == 0
    assert not Event.objects.filter(type__name="message_sent").exists()


def test_a5_what_was_not_sent_is_sent_again_if_the_person_says_so(lost, actor, now):
    (first, *_rest) = _ids(lost)
    count = fates.decide(
        campaign=lost, message_ids=[first], fate=Fate.SEND_AGAIN, actor=actor, now=now
    )
    assert count == 1
    assert _states(lost) == ["planned", "unknown", "unknown"]
    lost.refresh_from_db()
    assert lost.committed_amount == 2
    assert Chunk.objects.get(dispatch__campaign=lost).state == "ready"


def test_a5_nothing_is_sent_again_for_a_campaign_that_is_over(lost, actor, now):
    Campaign.objects.filter(pk=lost.pk).update(status="completed")
    lost.refresh_from_db()
    with pytest.raises(fates.CampaignIsOver):
        fates.decide(campaign=lost, message_ids=None, fate=Fate.SEND_AGAIN, actor=actor, now=now)
    assert _states(lost) == ["unknown"] * 3


def test_a5_not_everybody_decides(lost, now, django_user_model):
    reader = user_actor(django_user_model.objects.create_user("reader"))
    with pytest.raises(PermissionRefused):
        fates.decide(campaign=lost, message_ids=None, fate=Fate.WAS_SENT, actor=reader, now=now)
    assert _states(lost) == ["unknown"] * 3


def test_a5_the_page_lists_and_decides(lost, admin_client):
    address = f"{reverse('admin:campaigns_unknown')}?campaign={lost.slug}"
    shown = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert shown.count('name="message"') == 3
    assert "The connection was lost before the answer" in shown
    assert "connection_lost" not in shown
    campaign_page = admin_client.get(reverse("admin:campaigns_campaign_change", args=[lost.pk]))
    assert f"?campaign={lost.slug}" in campaign_page.content.decode()
    admin_client.post(address, {"message": _ids(lost)[:1], "fate": "was_sent"})
    assert _states(lost) == ["sent", "unknown", "unknown"]
    admin_client.post(address, {"all": "on", "fate": "was_not_sent"})
    assert _states(lost) == ["sent", "failed", "failed"]
