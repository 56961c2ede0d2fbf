"""Eight workers at the same moment: caps, budgets, rates and the control group hold."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from threading import Barrier, get_ident
from uuid import UUID

import pytest
from django.db import connection

from campaigns.channels import registry
from campaigns.domain.experiments.global_control import PeriodLength, period_at
from campaigns.models import Budget, Chunk, FrequencyRule, GlobalControlChoice, Message
from campaigns.selectors.sending import global_control
from campaigns.services.campaigns import launch, ticking
from campaigns.services.sending import chunks, dispatch, freezing, settling, throttling
from loancrm.kernel import clock
from tests.factories.campaigns import give_budget, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
WORKERS = 8
CAMPAIGNS = 4
PEOPLE = 10


@pytest.fixture(autouse=True)
def _a_chunk_a_worker(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one worker write at a time")
    monkeypatch.setattr(freezing, "CHUNK_SIZE", CAMPAIGNS * PEOPLE // WORKERS)
    # What is started at the commit would be worked here and now.
    monkeypatch.setattr(launch, "enqueue", lambda *_args, **_facts: None)
    yield
    registry.close_all()


def _meet_before(monkeypatch, module, name):
    """Let every worker wait for all others before it first does a thing; return who has come."""
    together, come, act = Barrier(WORKERS, timeout=60), set(), getattr(module, name)

    def met(*values, **named):
        if get_ident() not in come:
            come.add(get_ident())
            together.wait()
        return act(*values, **named)

    monkeypatch.setattr(module, name, met)
    return come


def _work_together(now, come):
    def work(number):
        try:
            dispatch.drain(
                holder=f"w{number}",
                clock=lambda: now,
                rng=random.Random(number),
                slice_seconds=60,
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    assert len(come) == WORKERS
    assert not Message.objects.filter(state__in=["planned", "sending"]).exists()


def _launch(actor, now, **changes):
    for number in range(CAMPAIGNS):
        make_launched(actor, now, slug=f"campaign-{number}", **changes)
    ticking.advance(now=now)
    assert Chunk.objects.filter(state="ready").count() == WORKERS


def _sent():
    rows = Message.objects.filter(state="sent").values_list("customer_id", flat=True)
    return Counter(rows)


@pytest.mark.parametrize("most", [1, 2])
def test_f72_d9_campaigns_at_the_same_moment_keep_a_cap_together(actor, now, monkeypatch, most):
    make_channel()
    people = make_people(PEOPLE)
    FrequencyRule.objects.create(window_hours=24, max_count=most)
    _launch(actor, now)

    # By then all have seen nobody at the cap.
    _work_together(now, _meet_before(monkeypatch, settling, "step"))

    assert _sent() == {person.pk: most for person in people}
    skipped = Message.objects.filter(state="skipped", reason="frequency_cap")
    assert skipped.count() == PEOPLE * (CAMPAIGNS - most)


def test_f73_d16_campaigns_at_the_same_moment_spend_one_budget_once(actor, now, monkeypatch):
    make_channel()
    make_people(PEOPLE)
    _launch(actor, now, cost_per_message="0.30")
    give_budget(10)

    _work_together(now, _meet_before(monkeypatch, chunks, "reserve_budget"))

    sent = Message.objects.filter(state="sent")
    spent = sum(sent.values_list("cost_amount", flat=True), Decimal(0))
    assert sent.count() == 33
    assert spent == Decimal("9.90")
    assert Budget.objects.latest("pk").committed_amount == spent
    assert (
        Message.objects.filter(state="skipped", reason="budget").count() == CAMPAIGNS * PEOPLE - 33
    )


def test_d12_a_rate_is_that_of_all_workers_together_and_everybody_is_written_to(
    actor, now, monkeypatch
):
    make_channel(rate_per_second=10)
    people = make_people(PEOPLE)
    _launch(actor, now)

    began = time.monotonic()
    _work_together(now, _meet_before(monkeypatch, throttling, "reserve"))

    # A quarter of a second's worth may go out at once.
    assert time.monotonic() - began >= (CAMPAIGNS * PEOPLE - 2) / 10
    assert _sent() == {person.pk: CAMPAIGNS for person in people}


def test_d8_no_worker_writes_to_the_global_control_group(actor, now, monkeypatch):
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
    _launch(actor, now)

    _work_together(now, _meet_before(monkeypatch, settling, "close"))

    assert _sent() == dict.fromkeys(outside, CAMPAIGNS)
