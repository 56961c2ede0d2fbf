"""Which stops of another channel keep somebody from a campaign's later step, until its mark."""

from datetime import timedelta

import pytest

from campaigns.channels import registry
from campaigns.models import Message, Suppression
from campaigns.selectors.sending import refusals
from tests.factories.campaigns import EMAIL, SMS, make_channel, make_launched
from tests.factories.people import make_people
from tests.integration.campaigns.services.sending.test_marks import drain, meanwhile, provider

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def reached_by_the_fallback(actor, now, monkeypatch, stop):
    """Return who gets the e-mail when something happens to one person before its mark."""
    make_channel("sms", options={"supports_idempotency": False})
    make_channel(options={"supports_idempotency": False})
    people = make_people(12)
    make_launched(
        actor,
        now,
        channel="sms-memory",
        content=SMS,
        fallback_channel="email-memory",
        fallback_content=EMAIL,
        fallback_after_minutes=30,
    )
    drain(lambda: now)
    Message.objects.update(state="failed", reason="channel_refused")
    later = now + timedelta(minutes=31)
    values = {"channel": "sms", "purpose": "marketing", "reason": "opted_out", "at": later}
    meanwhile(
        monkeypatch,
        people[7],
        lambda: Suppression.objects.create(customer=people[7], **{**values, **stop}),
    )
    drain(lambda: later)
    return {sent.to for sent in provider(supports_idempotency=False).delivered}


def test_f12_b2_a_refusal_through_another_channel_is_heard_until_the_mark(actor, now, monkeypatch):
    reached = reached_by_the_fallback(actor, now, monkeypatch, {"source": "sms_reply"})
    assert len(reached) == 11
    assert "p8@example.com" not in reached


@pytest.mark.parametrize("is_before", [True, False])
def test_b2_a_stop_that_is_no_answer_to_the_campaign_closes_its_own_channel_only(
    actor, now, monkeypatch, is_before
):
    stop = {"source": refusals.CHOSEN_ONE_BY_ONE}
    if is_before:
        stop = {"source": "sms_reply", "at": now - timedelta(days=30)}
    assert len(reached_by_the_fallback(actor, now, monkeypatch, stop)) == 12
