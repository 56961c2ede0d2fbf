"""No campaign sends more messages than it may, in all or a day, however many workers send."""

import random
import re
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult
from campaigns.models import Campaign, Message, VolumeCap, VolumeReservation, VolumeUse
from campaigns.services.campaigns import approval, authoring, launch, ticking
from campaigns.services.campaigns.problems import CampaignRefused
from campaigns.services.sending import dispatch, freezing
from campaigns.services.sending.spending import volumes
from tests.factories.campaigns import (
    make_approved,
    make_channel,
    make_launched,
    spec,
    submit_and_approve,
)
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def drain(now, holder="w1"):
    ticking.advance(now=now)
    dispatch.drain(holder=holder, clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=now)


def fates():
    return Counter(Message.objects.values_list("state", "reason"))


def test_d16_sending_stops_at_the_most_messages(actor, now, monkeypatch):
    monkeypatch.setattr(freezing, "CHUNK_SIZE", 4)
    make_channel()
    make_people(10)
    make_launched(actor, now, message_limit=6)
    drain(now)
    assert fates() == {("sent", ""): 6, ("skipped", "volume_cap"): 4}
    assert VolumeUse.objects.get().committed == 6


def test_d16_the_rest_of_a_day_waits_for_the_next(actor, now):
    make_channel()
    make_people(10)
    make_launched(actor, now, daily_message_limit=4)
    drain(now)
    assert fates() == {("sent", ""): 4, ("planned", "daily_volume"): 6}
    drain(now + timedelta(hours=3))
    assert fates()["sent", ""] == 4
    # At its midnight quiet hours hold; the morning after goes on.
    drain(now + timedelta(days=1))
    assert fates()["sent", ""] == 8
    drain(now + timedelta(days=2))
    assert fates() == {("sent", ""): 10}
    assert list(VolumeUse.objects.order_by("day").values_list("committed", flat=True)) == [4, 4, 2]


def test_d16_both_caps_hold_together(actor, now):
    make_channel()
    make_people(10)
    make_launched(actor, now, daily_message_limit=4, message_limit=6)
    drain(now)
    assert fates() == {("sent", ""): 4, ("planned", "daily_volume"): 6}
    drain(now + timedelta(days=1))
    assert fates() == {("sent", ""): 6, ("skipped", "volume_cap"): 4}


def test_d16_a_refused_message_gives_its_place_back(actor, now):
    make_channel(options={"supports_idempotency": False})
    make_people(3)
    make_launched(actor, now, message_limit=3)
    provider = registry.shared(
        name="email-memory", backend="memory", options={"supports_idempotency": False}
    )

    def answer(message):
        if message.to == "p1@example.com":
            return SendResult(message.message_id, SendOutcome.REJECTED, code="5.1.1")
        return None

    provider.answer = answer
    drain(now)
    assert Counter(Message.objects.values_list("state", flat=True)) == {"sent": 2, "failed": 1}
    assert VolumeUse.objects.get().committed == 2


def test_d16_places_are_given_back_in_the_order_in_which_they_are_taken(actor, now):
    make_channel()
    make_people(1)
    launched = make_launched(actor, now, message_limit=6, daily_message_limit=4)
    chunk = launched.chunks.get()
    in_all, day = (VolumeCap.objects.get(period=period) for period in ("in_all", "day"))
    days = [(day, now.date()), (in_all, now.date()), (day, now.date() + timedelta(days=1))]
    uses = [VolumeUse.objects.create(cap=cap, day=at, committed=1) for cap, at in days]
    VolumeReservation.objects.bulk_create(
        VolumeReservation(chunk=chunk, use=use, count=1) for use in uses
    )
    with CaptureQueriesContext(connection) as queries:
        volumes.settle(row=chunk)
    written = [
        int(found[1])
        for query in queries
        if (found := re.search(r'UPDATE "campaigns_volumeuse".* = (\d+)$', query["sql"]))
    ]
    assert written == sorted(use.pk for use in uses)
    assert not VolumeUse.objects.filter(committed__gt=0).exists()


def test_d16_all_messages_of_a_campaign_count_together(actor, now):
    make_channel()
    make_people(4)
    text = spec()["content"]
    steps = [{"channel": "email-memory", "content": text} for _number in range(2)]
    source = {"steps": steps, "message_limit": 6}
    campaign = authoring.create_campaign(
        source={**{k: v for k, v in spec().items() if k not in {"channel", "content"}}, **source},
        actor=actor,
        now=now,
    )
    campaign.steps.filter(position=2).update(wait_minutes=1)
    submit_and_approve(campaign, actor, now)
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    drain(now)
    later = now + timedelta(minutes=5)
    drain(later)
    drain(later)
    assert fates() == {("sent", ""): 6, ("skipped", "volume_cap"): 2}


def test_d16_limits_are_part_of_the_approval_and_at_least_one(actor, now):
    make_channel()
    make_people(1)
    campaign = make_approved(actor, now, message_limit=5)
    Campaign.objects.update(message_limit=6)
    assert not approval.is_approved(Campaign.objects.get(pk=campaign.pk))
    for wrong in (0, 1.5, "many"):
        with pytest.raises(CampaignRefused) as caught:
            authoring.create_campaign(
                source=spec(slug="other", message_limit=wrong), actor=actor, now=now
            )
        assert "message_limit" in dict(caught.value.facts["problems"])


@pytest.mark.django_db(transaction=True)
def test_d16_eight_workers_are_never_above_a_cap(actor, now, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time is all that the other database has")
    monkeypatch.setattr(freezing, "CHUNK_SIZE", 10)
    monkeypatch.setattr(launch, "enqueue", lambda *_args, **_facts: None)
    make_channel()
    make_people(200)
    make_launched(actor, now, message_limit=73)
    ticking.advance(now=now)
    errors = []

    def work(number):
        try:
            dispatch.drain(
                holder=f"w{number}",
                clock=lambda: now,
                rng=random.Random(number),
                slice_seconds=60,
            )
        except Exception as error:  # noqa: BLE001 - told by the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert fates() == {("sent", ""): 73, ("skipped", "volume_cap"): 127}
    assert VolumeUse.objects.get().committed == 73
