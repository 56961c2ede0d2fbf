"""Eight workers, a gateway that dies in the middle, and another one that takes over."""

import random
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from campaigns.channels import registry
from campaigns.models import Channel, Chunk, Dispatch, Message, StandIn
from campaigns.services.campaigns import launch, ticking
from campaigns.services.sending import dispatch
from campaigns.simulators.sms_gateway import SmsGateway
from loancrm.kernel.database.shared_clock import Moment
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
WORKERS = 8
PEOPLE = 1200


def at_work(at, meanwhile=None):
    """Drain with eight workers at once."""
    errors = []

    def work(number):
        try:
            dispatch.drain(
                holder=f"w{number}", clock=lambda: at, rng=random.Random(number), slice_seconds=60
            )
        except Exception as error:  # noqa: BLE001 - shown below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    if meanwhile is not None:
        threads.append(threading.Thread(target=meanwhile))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert errors == []


def test_g5_when_a_gateway_dies_another_takes_over_and_nobody_gets_two(actor, now, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite in memory has one connection's worth of writers")
    # What is started at the commit would be worked here and now.
    monkeypatch.setattr(launch, "enqueue", lambda *_args, **_facts: None)
    with SmsGateway() as dying, SmsGateway() as living:
        own = make_channel(
            "sms", "http_sms", options={"url": dying.url, "require_signature": False},
            cost_per_part="0.05",
        )  # fmt: skip
        other = make_channel(
            "sms", "http_sms", slug="spare", cost_per_part="0.08",
            options={"url": living.url, "require_signature": False},
        )  # fmt: skip
        StandIn.objects.create(channel=own, other=other, position=1)
        make_people(PEOPLE)
        make_launched(actor, now, channel="sms-http_sms", content=SMS)
        ticking.advance(now=now)

        def kill():
            ends = time.monotonic() + 30
            while dying.taken_count < 40 and time.monotonic() < ends:
                time.sleep(0.001)
            dying.stop()

        at_work(now, meanwhile=kill)
        assert 40 <= dying.taken_count < PEOPLE
        # It stands still for a minute.
        Channel.objects.filter(pk=own.pk).update(
            blocked_at=None, paused_until=Moment(600), paused_since=Moment(-100)
        )
        Dispatch.objects.update(status="running", hold_reason="")
        Chunk.objects.exclude(state="done").update(due_at=now, lease_until=None)
        at_work(now + timedelta(minutes=2))
        registry.close_all()
        copies = Counter(
            message.to for gateway in (dying, living) for message in gateway.messages.values()
        )
    assert set(copies.values()) == {1}
    found = Counter(Message.objects.values_list("channel__slug", "state"))
    assert found["spare", "sent"] == living.taken_count
    assert found[own.slug, "sent"] + found[own.slug, "unknown"] >= dying.taken_count
    assert sum(found.values()) == PEOPLE
    assert {state for _way, state in found} <= {"sent", "unknown"}
    # What was on the wire when it died is all that is not known.
    assert found[own.slug, "unknown"] <= WORKERS * 8 * 50
    sent = Message.objects.filter(state="sent")
    prices = set(sent.values_list("channel__slug", "cost_amount"))
    assert {(slug, f"{cost:.2f}") for slug, cost in prices} == {
        (own.slug, "0.05"), ("spare", "0.08"),
    }  # fmt: skip
