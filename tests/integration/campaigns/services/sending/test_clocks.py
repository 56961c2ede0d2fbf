"""What a worker holds ends by the database's clock, whatever its own host's clock says."""

import random
import time
from datetime import timedelta

import pytest

from campaigns.models import Channel, Chunk
from campaigns.models.dispatch import ChunkState
from campaigns.services.campaigns import ticking
from campaigns.services.sending import chunks, dispatch, throttling
from loancrm.kernel import clock
from loancrm.kernel.database import shared_clock
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(params=[-1, 1])
def jump(monkeypatch, request):
    """The host's clock is an hour off."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + request.param * 3600)
    assert abs(clock.now() - shared_clock.now()) > timedelta(minutes=59)


def seconds_left(until):
    return (until - shared_clock.now()).total_seconds()


def test_d_a_chunk_is_held_as_long_as_on_any_other_host(actor, now, jump):
    make_channel()
    make_people(3)
    make_launched(actor, now)
    ticking.advance(now=now)
    chunk = chunks.claim(holder="ahead", now=clock.now())
    held = Chunk.objects.get(pk=chunk.pk)
    assert held.state == ChunkState.LEASED
    assert 0 < seconds_left(held.lease_until) <= chunks.lease_seconds(chunk)
    assert chunks.claim(holder="other", now=clock.now()) is None
    Chunk.objects.update(lease_until=shared_clock.Moment(-1))
    assert chunks.claim(holder="other", now=clock.now()).pk == chunk.pk


def test_d_a_pause_of_an_account_lasts_as_long_as_the_provider_asked(now, jump):
    channel = make_channel()
    throttling.pause(channel=channel, seconds=30, reason="busy")
    channel.refresh_from_db()
    assert 0 < seconds_left(channel.paused_until) <= 30
    assert not Channel.objects.filter(throttling.is_open()).exists()
    Channel.objects.update(paused_until=shared_clock.Moment(-1))
    assert Channel.objects.filter(throttling.is_open()).exists()


def test_d_a_rate_limit_asks_for_no_wait_of_an_hour(actor, now, jump):
    channel = make_channel(rate_per_second=1)
    make_people(1)
    make_launched(actor, now)
    ticking.advance(now=now)
    assert throttling.reserve(channel=channel, count=1) == 0
    channel.refresh_from_db()
    assert 0 < seconds_left(channel.next_slot_at) <= 1
    Channel.objects.update(next_slot_at=shared_clock.Moment(-1))
    dispatch.drain(holder="w", clock=lambda: now, rng=random.Random(1), slice_seconds=5)
    channel.refresh_from_db()
    assert seconds_left(channel.next_slot_at) <= 1
