"""What a provider says about the account as a whole: a pause or a block, and nobody's try."""

import random
from collections import Counter

import pytest

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult, failed
from campaigns.channels.errors import ChannelBlocked, ChannelThrottled, ChannelUnavailable
from campaigns.models import Channel, Message
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch, throttling
from tests.factories.campaigns import end_pauses, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def provider():
    return registry.shared(name="email-memory", backend="memory", options={})


def drain(now):
    ticking.advance(now=now)
    counts = dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=now)
    return counts


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def busy(message):
    return SendResult(
        message.message_id, SendOutcome.NOT_TAKEN, code="http_429", retry_after_seconds=60
    )


def test_a3_a_busy_account_counts_no_try_however_often_and_pauses_all_workers(actor, now):
    make_channel()
    make_people(4)
    make_launched(actor, now)
    provider().answer = busy
    for _round in range(12):
        drain(now)
        assert states() == {"planned": 4}
        assert Channel.objects.get().pause_reason == "http_429"
        seen = len(provider().delivered)
        drain(now)
        assert len(provider().delivered) == seen
        end_pauses()
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}
    provider().answer = lambda _message: None
    drain(now)
    assert states() == {"sent": 4}


@pytest.mark.parametrize(
    "error",
    [
        ChannelThrottled(channel="email-memory", retry_after_seconds=60),
        ChannelUnavailable(channel="email-memory", problem="refused"),
    ],
)
def test_a3_a_batch_that_was_not_taken_counts_no_try_and_pauses_the_account(
    actor, now, monkeypatch, error
):
    make_channel()
    make_people(4)
    make_launched(actor, now)
    asked = []
    taking = provider().submit
    monkeypatch.setattr(provider(), "submit", lambda batch: asked.append(batch) or failed(error))
    for round_number in range(1, 9):
        drain(now)
        drain(now)
        assert len(asked) == round_number
        end_pauses()
    assert states() == {"planned": 4}
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}
    monkeypatch.setattr(provider(), "submit", taking)
    drain(now)
    assert states() == {"sent": 4}


def test_a3_a_shorter_pause_never_cuts_a_longer_one_short(now):
    channel = make_channel()
    throttling.pause(channel=channel, seconds=60, reason="http_429")
    asked_for = Channel.objects.get().paused_until
    throttling.pause(channel=channel, seconds=5, reason="unavailable")
    after = Channel.objects.get()
    assert (after.paused_until, after.pause_reason) == (asked_for, "http_429")
    throttling.pause(channel=channel, seconds=300, reason="unavailable")
    assert Channel.objects.get().paused_until > asked_for


def test_a6_an_account_that_is_refused_is_blocked_and_nobody_fails_for_it(actor, now, monkeypatch):
    make_channel()
    make_people(4)
    launched = make_launched(actor, now)
    error = ChannelBlocked(channel="email-memory", problem="5.7.1")
    monkeypatch.setattr(provider(), "submit", lambda _batch: failed(error))
    drain(now)
    launched.refresh_from_db()
    assert (launched.status, launched.hold_reason) == ("held", "channel_blocked")
    channel = Channel.objects.get()
    assert channel.blocked_at is not None
    assert channel.blocked_reason == "5.7.1"
    assert states() == {"planned": 4}
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}
