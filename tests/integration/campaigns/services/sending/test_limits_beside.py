"""f72, f73, d12: eight workers beside each other pass no cap, budget or rate that they share."""

import random
import threading
import time
from collections import Counter
from decimal import Decimal

import pytest
from django.db import connection

from campaigns.models import Budget, FrequencyRule, Message
from campaigns.services.campaigns import launch, ticking
from campaigns.services.sending import dispatch, freezing
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
WORKERS = 8
PEOPLE = 120


@pytest.fixture(autouse=True)
def _several_writers():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")


def drain_beside(now):
    """Let eight workers begin at once; each ends when nothing is left."""
    barrier, errors = threading.Barrier(WORKERS), []

    def work(number):
        try:
            barrier.wait(30)
            dispatch.drain(
                holder=f"w{number}",
                clock=lambda: now,
                rng=random.Random(number),
                slice_seconds=30,
            )
        except Exception as error:  # noqa: BLE001 - shown below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert not any(thread.is_alive() for thread in threads)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    """Cut what is frozen into as many chunks as workers can quarrel about."""
    # What is started at the commit would be worked here and now.
    monkeypatch.setattr(launch, "enqueue", lambda *_args, **_facts: None)
    monkeypatch.setattr(freezing, "CHUNK_SIZE", 10)


def test_f72_d9_two_campaigns_beside_each_other_never_write_more_often_than_the_cap(actor, now):
    make_channel()
    make_people(PEOPLE)
    FrequencyRule.objects.create(window_hours=24, max_count=1)
    first = make_launched(actor, now)
    make_launched(actor, now, slug="second")
    ticking.advance(now=now)
    assert first.chunks.count() > WORKERS / 2

    drain_beside(now)

    sent = Counter(Message.objects.filter(state="sent").values_list("customer_id", flat=True))
    assert set(sent.values()) == {1}
    assert len(sent) == PEOPLE
    skipped = Message.objects.filter(state="skipped")
    assert set(skipped.values_list("reason", flat=True)) == {"frequency_cap"}
    assert skipped.count() == PEOPLE


def test_f73_d16_the_last_yuan_is_spent_once(actor, now):
    make_channel()
    make_people(PEOPLE)
    make_launched(actor, now, cost_per_message="0.30", budget_amount="10.00")
    ticking.advance(now=now)

    drain_beside(now)

    assert Counter(Message.objects.values_list("state", flat=True)) == {
        "sent": 33,
        "skipped": PEOPLE - 33,
    }
    assert Budget.objects.get().committed_amount == Decimal("9.90")


def test_d12_a_rate_is_that_of_all_workers_together_and_everybody_is_written_to(actor, now):
    make_channel(rate_per_second=40)
    make_people(PEOPLE)
    make_launched(actor, now)
    ticking.advance(now=now)

    began = time.monotonic()
    drain_beside(now)

    # A quarter of a second's worth may go out at once.
    assert time.monotonic() - began >= (PEOPLE - 10) / 40
    assert Counter(Message.objects.values_list("state", flat=True)) == {"sent": PEOPLE}
