"""Eight workers at the same moment: caps, budgets and the control group hold."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection

from campaigns.channels import registry
from campaigns.domain.experiments.global_control import PeriodLength, period_at
from campaigns.models import Budget, Chunk, FrequencyRule, GlobalControlChoice, Message
from campaigns.selectors.sending import global_control
from campaigns.services.campaigns import launch, ticking
from campaigns.services.sending import dispatch, freezing
from loancrm.kernel import clock
from tests.factories.campaigns import give_budget, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
WORKERS = 8
PEOPLE = 40


@pytest.fixture(autouse=True)
def _many_small_chunks(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one worker write at a time")
    monkeypatch.setattr(freezing, "CHUNK_SIZE", 5)
    # What is started at the commit would be worked here and now.
    monkeypatch.setattr(launch, "enqueue", lambda *_args, **_facts: None)
    yield
    registry.close_all()


def _work_together(now):
    together = Barrier(WORKERS)

    def work(number):
        try:
            together.wait()
            return dispatch.drain(
                holder=f"w{number}",
                clock=lambda: now,
                rng=random.Random(number),
                slice_seconds=60,
            )
        finally:
            connection.close()

    ticking.advance(now=now)
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    # Whoever had a claim that another one took leaves work for the next round.
    dispatch.drain(holder="last", clock=lambda: now, rng=random.Random(0), slice_seconds=60)
    assert not Message.objects.filter(state__in=["planned", "sending"]).exists()


def _launch(actor, now, count, **changes):
    for number in range(count):
        make_launched(actor, now, slug=f"campaign-{number}", **changes)
    assert Chunk.objects.count() == count * PEOPLE // 5


def _sent():
    rows = Message.objects.filter(state="sent").values_list("customer_id", flat=True)
    return Counter(rows)


@pytest.mark.parametrize("most", [1, 2])
def test_f72_campaigns_at_the_same_moment_keep_a_cap_together(actor, now, most):
    make_channel()
    people = make_people(PEOPLE)
    FrequencyRule.objects.create(window_hours=24, max_count=most)
    _launch(actor, now, 4)

    _work_together(now)

    assert _sent() == {person.pk: most for person in people}
    skipped = Message.objects.filter(state="skipped", reason="frequency_cap")
    assert skipped.count() == PEOPLE * (4 - most)


def test_f73_campaigns_at_the_same_moment_spend_one_budget_once(actor, now):
    make_channel()
    make_people(PEOPLE)
    _launch(actor, now, 2, cost_per_message="0.30")
    give_budget(10)

    _work_together(now)

    sent = Message.objects.filter(state="sent")
    spent = sum(sent.values_list("cost_amount", flat=True), Decimal(0))
    assert sent.count() == 33
    assert spent == Decimal("9.90")
    assert Budget.objects.latest("pk").committed_amount == spent
    assert Message.objects.filter(state="skipped", reason="budget").count() == 2 * PEOPLE - 33


def test_d8_no_worker_writes_to_the_global_control_group(actor, now):
    make_channel()
    people = make_people(PEOPLE)
    GlobalControlChoice.objects.create(
        share=Decimal("0.2"),
        period_length=PeriodLength.QUARTER,
        valid_from=date(2020, 1, 1),
        salt=UUID(int=3),
        reason="agreed by the board",
        recorded_at=now,
    )
    day = now.astimezone(clock.company_zone()).date()
    period = period_at(global_control.choices(), day)
    outside = {person.pk for person in people if not period.holds([person.pk])}
    assert 0 < len(outside) < PEOPLE
    _launch(actor, now, 2)

    _work_together(now)

    assert _sent() == dict.fromkeys(outside, 2)
