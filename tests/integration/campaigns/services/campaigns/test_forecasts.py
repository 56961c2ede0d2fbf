"""What is foretold before a launch is what happens after it."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.domain.sending.schedule import SendingWindow, expected_end
from campaigns.models import Campaign, Channel, Message, Suppression
from campaigns.services.campaigns import authoring, forecasts, launch, ticking
from campaigns.services.sending import dispatch as dispatching
from customers.models import ConsentState, ContactPoint, Customer
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from tests.factories.campaigns import SMS, make_approved, make_channel, spec
from tests.factories.people import make_people
from tests.integration.campaigns.admin.test_campaign_page import browser_of, person

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


# In the order of the people whom `make_mixed_people` makes.
REASONS_OF_MIXED_PEOPLE = (
    *("no_consent",) * 3, *("bounced",) * 2, *("hardship",) * 2, *("missing_variable",) * 2,
    "suppressed",
)  # fmt: skip


def make_mixed_people() -> list[Customer]:
    """Thirty people, ten of whom get nothing for five different reasons."""
    people = make_people(30)
    ids = [customer.pk for customer in people]
    ConsentState.objects.filter(customer_id__in=ids[:3]).update(is_granted=False)
    ContactPoint.objects.filter(customer_id__in=ids[3:5]).update(status="bounced")
    Customer.objects.filter(pk__in=ids[5:7]).update(marketing_status="hardship")
    Customer.objects.filter(pk__in=ids[7:9]).update(name_sealed=None)
    Suppression.objects.create(
        customer_id=ids[9], channel="", purpose="", reason="by_hand", at=clock.now()
    )
    return people


def make_campaign(actor: Actor, now: datetime, **changes: Any) -> Campaign:
    make_channel("sms", rate_per_second=2, cost_per_part=Decimal("0.05"))
    return make_approved(actor, now, channel="sms-memory", content=SMS, **changes)


def test_f3_the_forecast_is_what_then_happens(actor: Actor, now: datetime) -> None:
    people = make_mixed_people()
    campaign = make_campaign(actor, now, holdout_share="0.3")
    found = forecasts.forecast(campaign=campaign, actor=actor, now=now)
    assert not Message.objects.exists()
    Channel.objects.update(rate_per_second=None)
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    ticking.advance(now=now)
    dispatching.drain(holder="t", clock=lambda: now, rng=random.Random(1), slice_seconds=20)
    states = Counter(Message.objects.values_list("state", flat=True))
    reasons = Counter(Message.objects.filter(state="skipped").values_list("reason", flat=True))
    # Who is held out depends on the numbers that the database gave; all others are skipped.
    held_out = set(Message.objects.filter(state="held_out").values_list("customer_id", flat=True))
    kinds = Counter(
        reason
        for customer, reason in zip(people, REASONS_OF_MIXED_PEOPLE, strict=False)
        if customer.pk not in held_out
    )
    assert reasons == kinds
    assert found.skipped == dict(reasons)
    assert (found.audience, found.held_out, found.to_send) == (
        30,
        states["held_out"],
        states["sent"] + states["delivered"],
    )
    assert found.held_out > 0
    spent = sum(Message.objects.values_list("cost_amount", flat=True))
    assert found.cost == spent.quantize(Decimal("0.01"))


def test_f3_the_end_follows_the_rate_and_a_small_budget_is_told(
    actor: Actor, now: datetime
) -> None:
    make_people(10)
    campaign = make_campaign(actor, now, budget_amount="0.20")
    found = forecasts.forecast(campaign=campaign, actor=actor, now=now)
    assert (found.to_send, found.cost, found.affordable) == (10, Decimal("0.50"), 4)
    assert found.ends_at == now + timedelta(seconds=2)
    night = now.replace(hour=20)
    later = forecasts.forecast(campaign=campaign, actor=actor, now=night)
    assert later.waiting == later.to_send == 10
    assert later.ends_at == datetime(2026, 3, 5, 1, 0, 2, tzinfo=UTC)


def test_f3_a_large_audience_is_told_from_a_sample_that_adds_up(
    actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mixed_people()
    campaign = make_campaign(actor, now, holdout_share="0.3")
    monkeypatch.setattr(forecasts, "ASKED_AT_MOST", 20)
    monkeypatch.setattr(forecasts, "SAMPLE_SIZE", 10)
    found = forecasts.forecast(campaign=campaign, actor=actor, now=now)
    assert found.is_sample
    assert found.asked == 10
    assert sum(found.skipped.values()) + found.held_out + found.to_send == found.audience == 30


def test_f3_the_approver_sees_the_same_numbers_as_the_author(actor: Actor, now: datetime) -> None:
    make_mixed_people()
    make_channel("sms", cost_per_part=Decimal("0.05"))
    author, approver = person("author", "marketer"), person("other", "approver")
    campaign = authoring.create_campaign(
        source=spec(channel="sms-memory", content=SMS), actor=actor, now=now
    )
    authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
    Campaign.objects.update(start_at=clock.now() + timedelta(days=3))
    url = reverse("admin:campaigns_campaign_forecast", args=[campaign.pk])

    def numbers(browser: Client) -> str:
        page = browser.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        assert f'data-load="{url}"' in page.content.decode()
        answer = browser.get(url)
        assert answer.status_code == 200
        return answer.content.decode()

    seen = numbers(browser_of(author))
    assert seen == numbers(browser_of(approver))
    assert "No consent for this channel and purpose" in seen
    assert browser_of(person("stranger")).get(url).status_code == 403


def test_f3_an_end_keeps_the_window_over_several_days() -> None:
    zone = clock.company_zone()
    start = datetime(2026, 3, 4, 19, 0, tzinfo=zone)
    # An hour today, eleven tomorrow, one the day after.
    end = expected_end(
        start=start, count=13 * 3600, per_second=1, zone=zone, window=SendingWindow()
    )
    assert end == datetime(2026, 3, 6, 10, 0, tzinfo=zone)
    free = expected_end(start=start, count=3600, per_second=2, zone=zone, window=None)
    assert free == start + timedelta(minutes=30)
