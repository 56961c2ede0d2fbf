"""What goes wrong with one campaign stops no other, and is shown."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.db import Error as DatabaseFault

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult
from campaigns.models import Campaign, Message, Step, Touchpoint
from campaigns.services.campaigns import authoring, ticking
from campaigns.services.sending import dispatch
from tests.factories.campaigns import EMAIL, SMS, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def drain(now, **options):
    return dispatch.drain(
        holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=30.0, **options
    )


@pytest.fixture
def broken(actor, now):
    """A campaign whose fallback cannot be begun."""
    make_channel("sms")
    make_channel()
    make_people(4)
    run = make_launched(
        actor,
        now,
        slug="broken",
        channel="sms-memory",
        content=SMS,
        fallback_channel="email-memory",
        fallback_content=EMAIL,
        fallback_after_minutes=30,
    )
    ticking.advance(now=now)
    drain(now)
    ticking.advance(now=now)
    Message.objects.update(state="failed", reason="channel_refused")
    second = Step.objects.get(campaign=run.campaign_id, position=2)
    Touchpoint.objects.filter(step=second).update(channel=None)
    return run


def test_a9_a_campaign_whose_next_message_cannot_begin_stops_no_other(actor, now, broken):
    later = now + timedelta(minutes=40)
    other = make_launched(actor, later, slug="other")
    for _round in range(4):
        ticking.advance(now=later)
        drain(later)
    assert Counter(other.messages.values_list("state", flat=True)) == {"sent": 4}
    broken.refresh_from_db()
    assert (broken.status, broken.hold_reason) == ("held", "next_step_fails")


def test_a9_what_could_not_begin_begins_when_somebody_has_mended_it(actor, now, broken):
    later = now + timedelta(minutes=40)
    for _round in range(4):
        ticking.advance(now=later)
    Touchpoint.objects.filter(step__position=2).update(channel=make_channel(slug="other-email"))
    ticking.resume_campaign(campaign=Campaign.objects.get(), actor=actor, now=later)
    for minutes in (1, 40):
        ticking.advance(now=later + timedelta(minutes=minutes))
    assert Message.objects.exclude(dispatch=broken).count() == 4


def test_a9_a_look_that_fails_is_no_fault_of_the_chunk_in_hand(actor, now):
    def failing():
        raise authoring.CampaignLocked("somebody has paused it")

    make_channel()
    make_people(30)
    run = make_launched(actor, now)
    ticking.advance(now=now)
    drain(now, advance=failing)
    assert Counter(run.messages.values_list("state", flat=True)) == {"sent": 30}


def test_a9_a_database_that_is_away_is_no_fault_of_a_campaign(actor, now, broken, monkeypatch):
    def away(**_arguments):
        raise DatabaseFault("server closed the connection unexpectedly")

    monkeypatch.setattr(ticking.launch, "start_next_step", away)
    monkeypatch.setattr(ticking, "trouble_of", lambda _error: next(iter(ticking.PASSING)))
    with pytest.raises(DatabaseFault):
        ticking.advance(now=now + timedelta(minutes=40))
    broken.refresh_from_db()
    assert broken.fault_count == 0


@pytest.mark.parametrize("minutes", [5, 15, 30])
def test_a10_whom_a_relay_greylists_is_not_written_off(actor, now, minutes):
    make_channel(options={"supports_idempotency": False})
    make_people(5)
    make_launched(actor, now)
    at, first = [now], {}

    def answer(message):
        seen = first.setdefault(message.to, at[0])
        if at[0] - seen < timedelta(minutes=minutes):
            return SendResult(message.message_id, SendOutcome.RETRY, code="4.7.1")
        return SendResult(message.message_id, SendOutcome.ACCEPTED, "x")

    options = {"supports_idempotency": False}
    provider = registry.shared(name="email-memory", backend="memory", options=options)
    provider.answer = answer
    for _round in range(60):
        ticking.advance(now=at[0])
        dispatch.drain(holder="w", clock=lambda: at[0], rng=random.Random(1), slice_seconds=9)
        waiting = Message.objects.filter(state="planned").order_by("due_at").first()
        if waiting is None:
            break
        at[0] = max(at[0] + timedelta(seconds=5), waiting.due_at)
    assert Counter(Message.objects.values_list("state", flat=True)) == {"sent": 5}


def test_a10_whom_a_relay_puts_off_for_ever_has_failed_after_an_hour_at_least(actor, now):
    options = {"supports_idempotency": False}
    make_channel(options=options)
    make_people(2)
    make_launched(actor, now)
    at, tried = [now], []

    def answer(message):
        tried.append(at[0])
        return SendResult(message.message_id, SendOutcome.RETRY, code="4.7.1")

    registry.shared(name="email-memory", backend="memory", options=options).answer = answer
    for _round in range(40):
        ticking.advance(now=at[0])
        dispatch.drain(holder="w", clock=lambda: at[0], rng=random.Random(1), slice_seconds=9)
        waiting = Message.objects.filter(state="planned").order_by("due_at").first()
        if waiting is None:
            break
        at[0] = max(at[0], waiting.due_at)
    ended = set(Message.objects.values_list("state", "reason"))
    assert ended == {("failed", "retries_exhausted")}
    assert len(tried) == 2 * 9
    assert timedelta(hours=1) <= tried[-1] - tried[0] <= timedelta(hours=2)
