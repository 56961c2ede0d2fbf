"""A campaign for which nobody is at work says so, and one that waits says until when."""

from datetime import timedelta

import pytest
from django.urls import reverse

from campaigns.models import Campaign, Chunk, Dispatch, FrequencyRule, Message
from campaigns.selectors.campaigns import standstill
from campaigns.services.campaigns import ticking
from campaigns.services.sending import holding
from loancrm.kernel.database import shared_clock
from tests.factories.campaigns import SMS, make_approved, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
SILENT = "although people are due"


@pytest.fixture
def run(actor, now):
    make_channel()
    make_people(2)
    run = make_launched(actor, now)
    ticking.advance(now=now)
    run.refresh_from_db()
    assert run.status == "running"
    return run


@pytest.fixture
def shown(admin_client):
    def get(name, *arguments):
        address = reverse(name, args=arguments)
        return admin_client.get(address, headers={"accept-language": "en"}).content.decode()

    return get


def due(run, minutes):
    at = shared_clock.now() - timedelta(minutes=minutes)
    Chunk.objects.filter(dispatch=run).update(due_at=at)
    Dispatch.objects.filter(pk=run.pk).update(due_at=at, frozen_at=at)


def test_u48_a_campaign_that_no_worker_takes_says_for_how_long(run, shown, admin_client):
    page = ("admin:campaigns_campaign_change", run.campaign_id)
    due(run, 1)
    assert SILENT not in shown(*page)
    due(run, 7)
    assert "Nothing has been sent for 7 minutes although people are due" in shown(*page)
    assert "nothing has been sent for 7 minutes although" in shown("admin:index")
    live = admin_client.get(
        reverse("admin:campaigns_campaign_progress", args=[run.campaign_id]),
        headers={"accept-language": "en"},
    )
    assert SILENT in live.json()["facts"]["standstill"]
    # A worker holds the chunk: it is at work.
    soon = shared_clock.now() + timedelta(minutes=1)
    Chunk.objects.update(state="leased", lease_until=soon)
    assert SILENT not in shown(*page)
    # It was frozen since, and its lease has run out.
    Chunk.objects.update(lease_until=soon - timedelta(minutes=5))
    assert SILENT in shown(*page)
    Message.objects.update(attempted_at=shared_clock.now())
    assert SILENT not in shown(*page)


def test_u48_a_due_run_that_no_tick_begins_is_told(run):
    due(run, 5)
    Dispatch.objects.update(status="scheduled")
    (found,) = standstill.everywhere()
    assert found.minutes(shared_clock.now()) == 5
    holding.pause(dispatches=Dispatch.objects.all())
    assert standstill.everywhere() == []


def test_u48_a_run_that_waits_for_its_hour_or_is_done_stands_not_still(run):
    due(run, -30)
    assert standstill.of_campaign(run.campaign) is None
    due(run, 30)
    Chunk.objects.update(state="done")
    assert standstill.of_campaign(run.campaign) is None


def test_u37_a_campaign_that_waits_for_its_fallback_says_until_when(actor, now, shown):
    make_channel()
    make_channel("sms")
    make_people(1)
    run = make_launched(
        actor,
        now,
        fallback_channel="sms-memory",
        fallback_content=SMS,
        fallback_after_minutes=90,
    )
    Dispatch.objects.filter(pk=run.pk).update(status="completed", completed_at=now)
    Chunk.objects.update(state="done")
    found = standstill.next_step(run.campaign)
    assert found.until == now + timedelta(minutes=90)
    text = shown("admin:campaigns_campaign_change", run.campaign_id)
    assert "The fallback through" in text


def test_u43_the_dialog_foretells_that_a_start_long_past_is_held(actor, now, admin_client):
    make_channel()
    make_people(1)
    campaign = make_approved(actor, now, schedule={"start_at": "2020-01-01T09:00:00+08:00"})
    address = reverse("admin:campaigns_campaign_forecast", args=[campaign.pk])
    text = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "is held until somebody releases it" in text
    assert "2020-01-01 09:00" in text
    Campaign.objects.update(start_at=None)
    text = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "is held" not in text


def test_u22_the_dialog_says_that_nothing_caps_how_often_a_person_is_written_to(
    actor, now, admin_client
):
    make_channel()
    make_people(1)
    campaign = make_approved(actor, now)
    address = reverse("admin:campaigns_campaign_forecast", args=[campaign.pk])
    text = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "No frequency rule limits" in text
    assert reverse("admin:campaigns_frequencyrule_changelist") in text
    FrequencyRule.objects.create(channel="email", window_hours=168, max_count=2)
    text = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "No frequency rule limits" not in text


def test_u49_a_void_approval_offers_no_launch(actor, now, shown):
    channel = make_channel()
    make_people(1)
    campaign = make_approved(actor, now)
    page = ("admin:campaigns_campaign_change", campaign.pk)
    assert "What was approved has changed" not in shown(*page)
    channel.cost_per_part += 1
    channel.save()
    text = shown(*page)
    assert "What was approved has changed; see above." in text
    assert 'disabled aria-describedby="waits-launch"' in text


def test_u20_a_preview_promises_nothing_to_who_has_a_message_or_missed_it(run, admin_client):
    address = reverse("admin:campaigns_campaign_preview", args=[run.campaign_id])
    first, second = Message.objects.order_by("pk")
    variant = run.touchpoint.variants.get()

    def verdict(message):
        form = {"variant": variant.pk, "customer": f"#{message.customer_id}"}
        answer = admin_client.post(address, form, headers={"accept-language": "en"})
        return answer.content.decode()

    Message.objects.filter(pk=first.pk).update(state="unknown")
    assert "Is decided already: Unknown." in verdict(first)
    assert "Is decided already" not in verdict(second)
    Campaign.objects.update(status="completed")
    assert "The campaign is over" in verdict(second)
