import random
from collections import Counter

import pytest

from campaigns.admin import campaign_page
from campaigns.channels import registry
from campaigns.models import Campaign, Message
from campaigns.services.campaigns import dead_letters, ticking
from campaigns.services.sending import dispatch
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def drain(now):
    ticking.advance(now=now)
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=now)


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def test_g12_who_was_set_aside_is_shown_and_gets_another_turn_on_a_persons_word(actor, now):
    make_channel()
    make_people(5)
    campaign = make_launched(actor, now).campaign
    drain(now)
    campaign.refresh_from_db()
    assert campaign.status == "completed"
    aside = Message.objects.order_by("pk")[2]
    Message.objects.filter(pk=aside.pk).update(state="failed", reason="crashed", attempts=0)
    registry.close_all()
    shown = campaign_page.buttons(campaign, actor, is_held=False)
    assert "retry" in {button.name for button in shown}
    assert dead_letters.retry(campaign=campaign, actor=actor, now=now) == 1
    assert AuditEntry.objects.filter(action="campaign.set_aside_retried").count() == 1
    drain(now)
    assert states() == {"sent": 5}
    assert Campaign.objects.get().status == "completed"
    shown = campaign_page.buttons(campaign, actor, is_held=False)
    assert "retry" not in {button.name for button in shown}
    with pytest.raises(dead_letters.NothingSetAside):
        dead_letters.retry(campaign=campaign, actor=actor, now=now)


def test_a1_nobody_of_a_cancelled_campaign_is_tried_again(actor, now):
    make_channel()
    make_people(2)
    campaign = make_launched(actor, now).campaign
    Message.objects.filter(pk=Message.objects.first().pk).update(state="failed", reason="crashed")
    ticking.cancel_campaign(campaign=campaign, actor=actor, now=now)
    with pytest.raises(dead_letters.NothingSetAside):
        dead_letters.retry(campaign=campaign, actor=actor, now=now)
    assert states() == {"failed": 1, "cancelled": 1}
