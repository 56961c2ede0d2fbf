"""A campaign that stands still says why on its own page, with the way to end it."""

import pytest
from django.urls import reverse

from campaigns.models import Channel, Dispatch
from campaigns.services.campaigns import ticking
from campaigns.services.sending import holding
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db
GO_ON = "The channel works again: go on"


@pytest.fixture
def shown(admin_client, actor, now):
    make_channel()
    make_people(1)
    run = make_launched(actor, now)
    ticking.advance(now=now)
    address = reverse("admin:campaigns_campaign_change", args=[run.campaign_id])

    def get():
        return admin_client.get(address, headers={"accept-language": "en"}).content.decode()

    return get


def test_a6_the_campaigns_page_tells_of_a_block_and_ends_it(admin_client, shown, now):
    assert GO_ON not in shown()
    Channel.objects.update(blocked_at=now, blocked_reason="insufficient_balance")
    holding.hold(dispatch=Dispatch.objects.get(), reason="channel_blocked")
    text = shown()
    assert "There is no money left on the account." in text
    assert "insufficient_balance" not in text
    assert GO_ON in text
    admin_client.post(reverse("admin:campaigns_channel_reopen", args=[Channel.objects.get().pk]))
    assert GO_ON not in shown()
    assert Dispatch.objects.get().status == "running"


def test_a6_the_campaigns_page_tells_of_a_hold(shown):
    holding.hold(dispatch=Dispatch.objects.get(), reason="work_fails")
    text = shown()
    assert "This campaign waits for a person: the texts or the sender cannot be made" in text
    assert "Release" in text
