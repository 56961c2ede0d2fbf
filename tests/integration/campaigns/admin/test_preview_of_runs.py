"""The preview of a campaign that runs again says who is in no further run of it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from campaigns.models import Campaign, Channel, Dispatch, Message, Variant
from campaigns.services.campaigns import previews, ticking
from customers.models import Customer
from loancrm.kernel import clock
from loancrm.kernel.database.shared_clock import Moment
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
NO_MORE = "Was in an earlier run and gets nothing more of this campaign."


@pytest.fixture(autouse=True)
def _at_night(monkeypatch, now):
    """Everybody would be written to later, as the gates see it."""
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=14))


@pytest.fixture
def launch(actor, now):
    def make(**repeat):
        make_channel()
        people = make_people(2)
        schedule = {"start_at": now.isoformat(), "repeat": {"every": "week", **repeat}}
        make_launched(actor, now, schedule=schedule)
        ticking.advance(now=now)
        first = Message.objects.filter(customer=people[0])
        first.update(state="sent", sent_at=now, attempted_at=now)
        return people

    return make


@pytest.fixture
def verdict(admin_client):
    def read(person: Customer) -> str:
        campaign, variant = Campaign.objects.get(), Variant.objects.get()
        answer = admin_client.post(
            reverse("admin:campaigns_campaign_preview", args=[campaign.pk]),
            {"variant": variant.pk, "customer": f"#{person.pk}"},
            headers={"accept-language": "en"},
        )
        return answer.content.decode()

    return read


def test_who_had_it_gets_nothing_more_where_nobody_does_twice(launch, verdict):
    had, waiting = launch(again="never_twice")
    assert NO_MORE in verdict(had)
    assert "Would be sent later" in verdict(waiting)


def test_the_control_group_of_the_only_run_was_in_no_earlier_one(launch, verdict):
    had, _waiting = launch(again="never_twice")
    Message.objects.filter(customer=had).update(
        state="held_out", reason="holdout", sent_at=None, attempted_at=None
    )
    shown = verdict(had)
    assert "Is in the control group of the latest run and gets no message." in shown
    assert NO_MORE not in shown


def test_whose_other_record_had_it_gets_nothing_more_either(launch, verdict):
    had, _waiting = launch(again="never_twice")
    (kept,) = make_people(1, prefix="k")
    Customer.objects.filter(pk=had.pk).update(merged_into=kept)
    assert NO_MORE in verdict(kept)


def test_who_had_it_lately_is_not_in_the_next_run(launch, verdict):
    had, _waiting = launch(again="not_within_days", again_after_days=10)
    assert "less than 10 days before the next one" in verdict(had)
    Dispatch.objects.update(due_at=Dispatch.objects.get().due_at - timedelta(days=5))
    assert "Would be sent later" in verdict(had)


def test_who_had_it_is_in_the_next_run_where_everybody_is(launch, verdict):
    had, _waiting = launch(again="every_run")
    assert "Would be sent later" in verdict(had)


def test_who_gets_nothing_more_is_shown_last_of_the_examples(launch, now):
    had, waiting = launch(again="never_twice")
    step = Campaign.objects.get().steps.get()
    Customer.objects.filter(pk=waiting.pk).update(gender="male")
    found = previews.examples(campaign=Campaign.objects.get(), step=step, now=now)
    assert found == [waiting, had]


def test_a_forecast_is_of_one_run_and_says_when_the_next_ones_are(admin_client, launch, now):
    launch(again="never_twice")
    campaign = Campaign.objects.get()
    campaign.start_at = now + timedelta(days=1)
    campaign.status = "approved"
    campaign.save()
    address = reverse("admin:campaigns_campaign_forecast", args=[campaign.pk])
    page = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "These are the numbers of one run." in page
    assert "Further runs:" in page
    assert page.count(f"{now + timedelta(days=8):%Y-%m-%d}") == 1
    Campaign.objects.update(recurrence=None)
    page = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "one run" not in page


def test_a_preview_says_that_its_channel_sends_nothing_now(launch, verdict):
    (person, _other) = launch()
    assert "is paused until" not in verdict(person)
    Channel.objects.update(paused_until=Moment(3600))
    assert "is paused until" in verdict(person)
    Channel.objects.update(blocked_at=Moment(), paused_until=None)
    assert "is blocked: nothing is sent through it" in verdict(person)
