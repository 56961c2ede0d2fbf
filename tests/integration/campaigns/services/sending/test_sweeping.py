"""What dead workers left behind ends, also where nobody may claim their chunks."""

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from campaigns.models import Budget, Campaign, Channel, Chunk, Dispatch, Message
from campaigns.services.campaigns import launch, ticking
from campaigns.services.sending import chunks, dispatch, sweeping
from loancrm.kernel.database.shared_clock import Moment
from tests.factories.campaigns import (
    EMAIL,
    SMS,
    expire_leases,
    give_budget,
    make_channel,
    make_launched,
)
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def pause(actor, now):
    ticking.pause_campaign(campaign=Campaign.objects.get(), actor=actor, now=now)


def hold(_actor, _now):
    Dispatch.objects.update(status="held", hold_reason="work_fails")


def block(_actor, now):
    Channel.objects.update(blocked_at=now)


@pytest.mark.parametrize("stop", [pause, hold, block])
@pytest.mark.parametrize("is_idempotent", [False, True])
def test_a5_what_a_dead_worker_had_sent_ends_while_the_campaign_stands(
    actor, now, stop, is_idempotent
):
    options = {} if is_idempotent else {"supports_idempotency": False}
    make_channel(options=options, cost_per_part=Decimal("0.05"))
    make_people(6)
    make_launched(actor, now)
    give_budget(10)
    ticking.advance(now=now)
    chunk = chunks.claim(holder="dead", now=now)
    chunks.reserve_budget(chunk=chunk, costs=[Decimal("0.05")] * 6)
    first = Message.objects.order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(
        state="sending", mark=1, attempted_at=now, cost_amount=Decimal("0.05")
    )
    stop(actor, now)
    Chunk.objects.update(lease_until=Moment(-sweeping.UNCLAIMED_SECONDS - 1))
    ticking.advance(now=now)

    first.refresh_from_db()
    expected = ("planned", "asked_again") if is_idempotent else ("unknown", "crashed")
    assert (first.state, first.reason) == expected
    assert states()["planned"] == 5 + is_idempotent
    assert Budget.objects.get().committed_amount == Decimal("0.05")
    left = Chunk.objects.get()
    # Whom it was that killed the worker is still looked for.
    assert (left.state, left.attempts) == ("ready", chunk.attempts)


def test_a5_a_chunk_is_left_to_whoever_may_claim_it_soon(actor, now):
    make_channel(options={"supports_idempotency": False})
    make_people(2)
    make_launched(actor, now)
    ticking.advance(now=now)
    chunks.claim(holder="slow", now=now)
    expire_leases()
    ticking.advance(now=now)
    assert Chunk.objects.get().state == "leased"


def test_a5_a_worker_that_renews_its_lease_at_a_stop_keeps_its_chunk(actor, now, monkeypatch):
    make_channel(options={"supports_idempotency": False})
    make_people(2)
    make_launched(actor, now)
    ticking.advance(now=now)
    chunk = chunks.claim(holder="slow", now=now)
    first = Message.objects.order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(state="sending", mark=1)
    pause(actor, now)
    Chunk.objects.update(lease_until=Moment(-sweeping.UNCLAIMED_SECONDS - 1))
    recover = chunks.recover_unclaimed

    def renewed_first(**arguments):
        assert chunks.renew(chunk=chunk)
        return recover(**arguments)

    monkeypatch.setattr(chunks, "recover_unclaimed", renewed_first)
    ticking.advance(now=now)
    assert states() == {"sending": 1, "planned": 1}
    assert Chunk.objects.get().state == "leased"


def test_a5_a_cancel_while_the_tick_freezes_the_next_step_leaves_nothing_open(
    actor, now, monkeypatch
):
    make_channel("sms")
    make_channel()
    make_people(4)
    make_launched(
        actor,
        now,
        channel="sms-memory",
        content=SMS,
        fallback_channel="email-memory",
        fallback_content=EMAIL,
        fallback_after_minutes=30,
    )
    ticking.advance(now=now)
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60.0)
    ticking.advance(now=now)
    Message.objects.update(state="failed", reason="channel_refused")
    start = launch.start_next_step

    def cancelled_first(**arguments):
        ticking.cancel_campaign(campaign=Campaign.objects.get(), actor=actor, now=now)
        return start(**arguments)

    monkeypatch.setattr(launch, "start_next_step", cancelled_first)
    ticking.advance(now=now + timedelta(minutes=31))
    assert Campaign.objects.get().status == "cancelled"
    assert states() == {"failed": 4}


def test_a5_a_worker_that_renews_its_lease_as_the_sweep_comes_keeps_its_chunk(
    actor, now, monkeypatch
):
    make_channel(options={"supports_idempotency": False})
    make_people(6)
    make_launched(actor, now)
    ticking.advance(now=now)
    chunk = chunks.claim(holder="slow", now=now)
    first = Message.objects.order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(state="sending", mark=1)
    ticking.cancel_campaign(campaign=Campaign.objects.get(), actor=actor, now=now)
    expire_leases()
    close = sweeping._close

    def renewed_first(row, at):
        assert chunks.renew(chunk=chunk)
        return close(row, at)

    monkeypatch.setattr(sweeping, "_close", renewed_first)
    ticking.advance(now=now)
    assert states() == {"sending": 1, "cancelled": 5}
    assert Chunk.objects.get().state == "leased"
    monkeypatch.setattr(sweeping, "_close", close)
    expire_leases()
    ticking.advance(now=now)
    assert states() == {"unknown": 1, "cancelled": 5}


def test_a4_a_kill_in_the_sweep_leaves_no_money_reserved(actor, now, monkeypatch):
    class Killed(BaseException):
        """The process ended here."""

    def killed(**_arguments):
        raise Killed

    make_channel(options={"supports_idempotency": False}, cost_per_part=Decimal("0.05"))
    make_people(6)
    make_launched(actor, now)
    give_budget(10)
    ticking.advance(now=now)
    chunk = chunks.claim(holder="dead", now=now)
    chunks.reserve_budget(chunk=chunk, costs=[Decimal("0.05")] * 6)
    ticking.cancel_campaign(campaign=Campaign.objects.get(), actor=actor, now=now)
    expire_leases()
    settle = chunks.settle_late
    monkeypatch.setattr(chunks, "settle_late", killed)
    with pytest.raises(Killed):
        ticking.advance(now=now)
    monkeypatch.setattr(chunks, "settle_late", settle)
    ticking.advance(now=now)
    assert Budget.objects.get().committed_amount == 0
    assert Chunk.objects.get().reserved_amount == 0
