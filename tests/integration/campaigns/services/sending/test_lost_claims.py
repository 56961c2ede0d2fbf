"""Workers that die, stall or are slow: nobody is lost, doubled or written off for it."""

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from campaigns.channels import registry
from campaigns.models import Budget, Chunk, Dispatch, Message
from campaigns.selectors.sending import contact_facts
from campaigns.services.campaigns import ticking
from campaigns.services.sending import (
    chunks,
    composing,
    deciding,
    dispatch,
    flights,
    settling,
    suspects,
)
from campaigns.services.sending.lane import Lane
from tests.factories.campaigns import expire_leases, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it is run but the database's own clean-up."""


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def provider():
    return registry.shared(name="email-memory", backend="memory", options={})


def lane(now, holder="w1"):
    return Lane(holder=holder, clock=lambda: now, rng=random.Random(1))


def drain(now, holder="w1"):
    ticking.advance(now=now)
    return dispatch.drain(holder=holder, clock=lambda: now, rng=random.Random(1), slice_seconds=60)


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def received():
    return Counter(sent.to for sent in provider().delivered)


POINTS = (
    (contact_facts, "load_recipients"),
    (composing.Composer, "compose"),
    (settling, "step"),
    (chunks, "reserve_budget"),
    (suspects, "take_in_hand"),
)


def die_at(monkeypatch, place, name, call):
    """Let the process die at a call of a function, before or after it has done its work."""
    original, calls = getattr(place, name), Counter()

    def wrapped(*args, **kwargs):
        calls["all"] += 1
        if calls["all"] == call:
            if call % 2:
                original(*args, **kwargs)
            raise Killed
        return original(*args, **kwargs)

    monkeypatch.setattr(place, name, wrapped)


def test_g2_two_hundred_kills_at_different_points_lose_and_double_nobody(actor, now):
    make_channel()
    make_people(240)
    make_launched(actor, now, cost_per_message="0.10", budget_amount="24.00")
    provider().limits = replace(provider().limits, batch_size=1, flights=1)
    ticking.advance(now=now)
    chance, kills = random.Random(7), 0
    while kills < 200:
        chunk = chunks.claim(holder=f"w{kills}", now=now)
        assert chunk is not None
        with pytest.MonkeyPatch.context() as patched:
            place, name = chance.choice(POINTS)
            die_at(patched, place, name, chance.choice((1, 1, 1, 2)))
            try:
                dispatch.work_chunk(chunk=chunk, lane=lane(now))
            except Killed:
                kills += 1
        expire_leases()
    drain(now)
    assert states() == {"sent": 240}
    assert received() == {f"p{number}@example.com": 1 for number in range(1, 241)}
    assert Budget.objects.get().committed_amount == Decimal("24.00")


def test_a1_two_hundred_lost_claims_count_nobodys_try(actor, now):
    make_channel()
    make_people(10)
    make_launched(actor, now)
    ticking.advance(now=now)
    for number in range(200):
        assert chunks.claim(holder=f"w{number}", now=now) is not None
        expire_leases()
    drain(now)
    assert states() == {"sent": 10}
    assert set(Message.objects.values_list("attempts", flat=True)) == {1}


def test_a1_a_poisonous_person_ends_alone(actor, now, monkeypatch):
    make_channel()
    make_people(10)
    make_launched(actor, now)
    ticking.advance(now=now)
    poison = Message.objects.order_by("pk")[7].pk
    compose = composing.Composer.compose

    def deadly(self, recipient, *, now):
        if recipient.message_id == poison:
            raise Killed
        return compose(self, recipient, now=now)

    monkeypatch.setattr(composing.Composer, "compose", deadly)
    deaths = 0
    for _claim in range(20):
        chunk = chunks.claim(holder="w1", now=now)
        if chunk is None:
            break
        try:
            dispatch.work_chunk(chunk=chunk, lane=lane(now))
        except Killed:
            deaths += 1
        expire_leases()
    assert states() == {"sent": 9, "failed": 1}
    assert Message.objects.get(pk=poison).reason == "crashed"
    assert deaths == 2 + suspects.MOST_DEATHS
    assert Chunk.objects.get().state == "done"


def test_a1_a_poisonous_person_who_may_have_the_message_ends_unknown(actor, now):
    make_channel()
    make_people(3)
    make_launched(actor, now)
    ticking.advance(now=now)
    first = Message.objects.order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(reason="asked_again")
    for number in range(suspects.MOST_DEATHS):
        chunk = chunks.claim(holder=f"w{number}", now=now)
        suspects.take_in_hand(chunk=chunk, message_id=first.pk)
        expire_leases()
        chunk = chunks.claim(holder=f"w{number}b", now=now)
        suspects.accuse(chunk=chunk, now=now)
        expire_leases()
    drain(now)
    first.refresh_from_db()
    assert (first.state, first.reason) == ("unknown", "crashed")
    assert states() == {"sent": 2, "unknown": 1}


def test_a1_a_person_whose_text_raises_ends_alone_too(actor, now, monkeypatch):
    make_channel()
    make_people(10)
    make_launched(actor, now)
    poison = Message.objects.order_by("pk")[7].pk
    compose = composing.Composer.compose

    def broken(self, recipient, *, now):
        if recipient.message_id == poison:
            raise ZeroDivisionError
        return compose(self, recipient, now=now)

    monkeypatch.setattr(composing.Composer, "compose", broken)
    drain(now)
    assert states() == {"sent": 9, "failed": 1}
    assert Message.objects.get(pk=poison).reason == "crashed"


def test_a1_a_database_slower_than_the_lease_counts_no_tries(actor, now, monkeypatch):
    make_channel()
    make_people(5)
    make_launched(actor, now)
    ticking.advance(now=now)
    load = contact_facts.load_recipients

    def slow(**kwargs):
        found = load(**kwargs)
        expire_leases()
        other = chunks.claim(holder="other", now=now)
        suspects.accuse(chunk=other, now=now)
        expire_leases()
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(contact_facts, "load_recipients", slow)
        for number in range(30):
            chunk = chunks.claim(holder=f"w{number}", now=now)
            assert dispatch.work_chunk(chunk=chunk, lane=lane(now)) == {}
            expire_leases()
    assert states() == {"planned": 5}
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}
    drain(now)
    assert states() == {"sent": 5}


def test_a1_deciding_renews_its_lease(actor, now, monkeypatch):
    make_channel()
    make_people(3)
    make_launched(actor, now)
    ticking.advance(now=now)
    chunk = chunks.claim(holder="w1", now=now)
    renewed = []
    monkeypatch.setattr(chunks, "renew", lambda *, chunk: renewed.append(chunk) or True)
    own = lane(now)
    work = dispatch._prepare(chunk, own)
    deciding.decide_and_write(work, own, ids=None, now=now)
    assert renewed


def test_a1_a_sender_that_no_header_can_hold_holds_the_dispatch(actor, now):
    channel = make_channel()
    make_people(3)
    launched = make_launched(actor, now)
    type(channel).objects.update(sender="示例金融 <no address>")
    Dispatch.objects.update(approved_parts={})
    for _round in range(5):
        drain(now)
    launched.refresh_from_db()
    assert launched.status == "held"
    assert launched.hold_reason
    assert states() == {"planned": 3}
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}


def test_a1_three_people_suspected_alike_hold_the_dispatch_and_fail_nobody(actor, now):
    make_channel()
    make_people(10)
    launched = make_launched(actor, now)
    ticking.advance(now=now)
    chunk = chunks.claim(holder="w1", now=now)
    suspected = list(Message.objects.order_by("pk").values_list("pk", flat=True)[:3])
    for _death in range(suspects.MOST_DEATHS):
        suspects.accuse(chunk=chunk, message_ids=suspected, now=now)
    launched.refresh_from_db()
    assert (launched.status, launched.hold_reason) == ("held", "work_fails")
    assert states() == {"planned": 10}
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}


def test_a1_two_people_suspected_alike_hold_nothing_and_end_alone(actor, now):
    make_channel()
    make_people(10)
    launched = make_launched(actor, now)
    ticking.advance(now=now)
    chunk = chunks.claim(holder="w1", now=now)
    suspected = list(Message.objects.order_by("pk").values_list("pk", flat=True)[:2])
    for _death in range(suspects.MOST_DEATHS):
        suspects.accuse(chunk=chunk, message_ids=suspected, now=now)
    launched.refresh_from_db()
    assert launched.status == "running"
    assert states() == {"planned": 8, "failed": 2}


def test_a1_texts_that_cannot_be_compiled_hold_the_dispatch_after_three_rounds(
    actor, now, monkeypatch
):
    make_channel()
    make_people(3)
    launched = make_launched(actor, now)
    rounds = []

    def broken(*_args, **_kept):
        rounds.append(1)
        raise ValueError

    monkeypatch.setattr(dispatch, "Composer", broken)
    drain(now)
    launched.refresh_from_db()
    assert (launched.status, launched.hold_reason, len(rounds)) == ("held", "work_fails", 3)
    assert states() == {"planned": 3}
    monkeypatch.undo()
    ticking.resume_campaign(campaign=launched.campaign, actor=actor, now=now)
    drain(now)
    assert states() == {"sent": 3}


def stalled(now):
    """Claim and decide in a lane that then stalls past its lease; return it before it goes on."""
    chunk = chunks.claim(holder="stalled", now=now)
    own = lane(now, "stalled")
    own.renewed_at = 10.0**9
    work = dispatch._prepare(chunk, own)
    composed, _counts = deciding.decide_and_write(work, own, ids=None, now=now)
    expire_leases()
    return own, work, composed


def test_a4_a_stalled_worker_spends_no_budget_twice(actor, now):
    make_channel()
    make_people(20)
    make_launched(actor, now, cost_per_message="1.00", budget_amount="10.00")
    ticking.advance(now=now)
    own, work, composed = stalled(now)
    assert len(composed) == 10
    drain(now, "w2")
    flights.HandOver(work, own, now).run(composed)
    with pytest.raises(chunks.LeaseLost):
        dispatch._finish(work, own, is_complete=True)
    with pytest.raises(chunks.LeaseLost):
        chunks.reserve_budget(chunk=work.chunk, costs=[Decimal(1)])
    assert states() == {"sent": 10, "skipped": 10}
    assert Budget.objects.get().committed_amount == Decimal(10)
    assert sum(Message.objects.values_list("cost_amount", flat=True)) == Decimal(10)
    assert sum(Chunk.objects.values_list("reserved_amount", flat=True)) == Decimal(10)
    assert max(received().values()) == 1


@pytest.mark.parametrize("takes", [True, False])
def test_a4_the_answer_of_a_worker_that_lost_its_lease_is_still_stored(actor, now, takes):
    options = {"supports_idempotency": False}
    make_channel(options=options)
    make_people(3)
    make_launched(actor, now, cost_per_message="1.00", budget_amount="10.00")
    ticking.advance(now=now)
    _own, work, composed = stalled(now)
    chunk = work.chunk
    Chunk.objects.update(claimed_by=chunk.claimed_by)
    attempt = settling.SendAttempt(composed, work.plan, now)
    _counts, marked = settling.step(chunk=chunk, answer=None, attempt=attempt, now=now)
    assert len(marked) == 3
    drain(now, "w2")
    assert states() == {"unknown": 3}
    shared = registry.shared(name="email-memory", backend="memory", options=options)
    if not takes:
        shared.answer = lambda message: flights.SendResult(
            message.message_id, "rejected", code="5.1.1"
        )
    results = shared.send([item.outbound for item in marked])
    answer = settling.SubBatchResult(marked, results, 0.5)
    settling.step(chunk=chunk, answer=answer, attempt=None, now=now)
    assert states() == ({"sent": 3} if takes else {"failed": 3})
    spent = Decimal(3 if takes else 0)
    assert Budget.objects.get().committed_amount == spent


def test_a4_the_same_worker_that_lost_and_claimed_again_is_another(actor, now):
    make_channel()
    make_people(2)
    make_launched(actor, now)
    ticking.advance(now=now)
    first = chunks.claim(holder="w1", now=now)
    expire_leases()
    second = chunks.claim(holder="w1", now=now)
    assert second.pk == first.pk
    assert not chunks.renew(chunk=first)
    assert chunks.renew(chunk=second)
