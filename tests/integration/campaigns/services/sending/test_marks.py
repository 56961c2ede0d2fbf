"""What is asked again with every mark: refusals, hours; and answers that outlive a session."""

import random
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError, connection, connections

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult
from campaigns.models import Channel, Chunk, Dispatch, Message, Suppression
from campaigns.services.campaigns import launch, ticking
from campaigns.services.sending import chunks, dispatch, settling
from customers.models import ConsentState, ContactPoint, Customer
from loancrm.kernel.access import system_actor
from loancrm.kernel.auditing import deployment
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import Deployment
from loancrm.kernel.security import crypto
from tests.factories.campaigns import (
    end_pauses,
    expire_leases,
    make_channel,
    make_launched,
)
from tests.factories.people import make_people
from tests.integration.campaigns.services.sending.between import meanwhile

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def provider(**options):
    return registry.shared(name="email-memory", backend="memory", options=options)


def drain(clock, seconds=60.0, **options):
    ticking.advance(now=clock())
    counts = dispatch.drain(
        holder="w1", clock=clock, rng=random.Random(1), slice_seconds=seconds, **options
    )
    ticking.advance(now=clock())
    return counts


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def free_slots():
    Channel.objects.update(next_slot_at=None)


def stop(person, now):
    Suppression.objects.create(customer=person, reason="opted_out", at=now)


def stop_address(person, now):
    point = person.contact_points.get(kind="email")
    Suppression.objects.create(value_index=point.value_index, reason="opted_out", at=now)


def withdraw(person, _now):
    ConsentState.objects.filter(customer=person).update(is_granted=False)


def run_out_of_consent(person, now):
    ConsentState.objects.filter(customer=person).update(expires_at=now)


def fall_into_hardship(person, _now):
    Customer.objects.filter(pk=person.pk).update(marketing_status="hardship")


def take_a_break(person, now):
    Customer.objects.filter(pk=person.pk).update(marketing_paused_until=now + timedelta(days=3))


def refuse_personalisation(person, _now):
    Customer.objects.filter(pk=person.pk).update(personalisation_allowed=False)


def want_no_more_than_one_a_week(person, now):
    Customer.objects.filter(pk=person.pk).update(weekly_message_limit=1)
    before = now - timedelta(days=1)
    other = make_launched(system_actor("test"), now, slug="before")
    Chunk.objects.filter(dispatch=other).delete()
    other.messages.exclude(customer=person).delete()
    other.messages.update(state="sent", attempted_at=before)
    Dispatch.objects.filter(pk=other.pk).update(status="completed", completed_at=before)


def lose_the_mailbox(person, _now):
    person.contact_points.filter(kind="email").update(status="bounced")


REFUSALS = {
    lose_the_mailbox: "bounced",
    stop: "suppressed",
    stop_address: "suppressed",
    withdraw: "no_consent",
    run_out_of_consent: "no_consent",
    fall_into_hardship: "hardship",
    take_a_break: "paused",
    refuse_personalisation: "personalisation_off",
    want_no_more_than_one_a_week: "frequency_cap",
}


@pytest.mark.parametrize("refuse", REFUSALS)
def test_b1_who_refuses_between_decision_and_mark_is_not_sent_to(actor, now, monkeypatch, refuse):
    make_channel(options={"supports_idempotency": False})
    people = make_people(12)
    run = make_launched(actor, now)
    Dispatch.objects.update(uses_personal_rules=True)
    meanwhile(monkeypatch, people[7], lambda: refuse(people[7], now))
    drain(lambda: now)
    assert Counter(run.messages.values_list("state", flat=True)) == {"sent": 11, "skipped": 1}
    assert "p8@example.com" not in {
        sent.to for sent in provider(supports_idempotency=False).delivered
    }
    assert run.messages.get(customer=people[7]).reason == REFUSALS[refuse]


def give_the_address_to_a_stranger(person, now):
    """As numbers are given out again."""
    stranger = make_people(1, prefix="s", kinds=())[0]
    person.contact_points.filter(kind="email").update(customer=stranger)
    add_address(person, now)


def prefer_another_address(person, now):
    person.contact_points.filter(kind="email").update(is_primary=False)
    add_address(person, now)


def add_address(person, now):
    vault, point = crypto.vault(), ContactPoint(customer=person, kind="email", created_at=now)
    column = ContactPoint.VALUE_COLUMN
    point.value_sealed = vault.seal(column, point.row_key, "new8@example.com")
    point.value_index = vault.blind_index(column, "new8@example.com")
    point.save()


@pytest.mark.parametrize("change", [give_the_address_to_a_stranger, prefer_another_address])
def test_b1_an_address_that_is_another_meanwhile_is_not_written_to(actor, now, monkeypatch, change):
    make_channel(options={"supports_idempotency": False})
    people = make_people(12)
    make_launched(actor, now)
    meanwhile(monkeypatch, people[7], lambda: change(people[7], now))
    drain(lambda: now)
    reached = {sent.to for sent in provider(supports_idempotency=False).delivered}
    assert reached & {"p8@example.com", "new8@example.com"} == {"new8@example.com"}
    assert states() == {"sent": 12}


def test_a8_a_machine_that_slept_for_weeks_sends_nothing_of_its_chunk(actor, now, monkeypatch):
    make_channel(options={"supports_idempotency": False})
    people = make_people(60)
    make_launched(actor, now)
    long_ago = Moment(-30 * 86_400)

    def sleep():
        Deployment.objects.update(last_seen_at=long_ago)
        Chunk.objects.filter(lease_until__isnull=False).update(lease_until=long_ago)

    meanwhile(monkeypatch, people[20], sleep)
    drain(lambda: now)
    assert len(provider(supports_idempotency=False).delivered) <= 20
    assert states()["sending"] == 0
    assert not deployment.may_send()


def test_g10_f11_an_opt_out_while_a_channel_sends_one_a_second_is_kept(actor, now):
    make_channel(rate_per_second=1)
    people = make_people(5)
    make_launched(actor, now)
    seen = []
    provider().answer = lambda message: seen.append(message.to)
    ticking.advance(now=now)
    for number in range(4):
        if number == 2:
            stop(people[3], now)
        free_slots()
        before = len(seen)
        drain(lambda: now, should_stop=lambda: len(seen) > before)  # noqa: B023 - drained before it changes
    assert seen == [f"p{number}@example.com" for number in (1, 2, 3, 5)]


def test_b1_nothing_is_marked_at_or_after_the_end_of_the_hours(actor, now):
    make_channel(options={"supports_idempotency": False})
    make_people(30)
    ends = datetime(2026, 3, 4, 20, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    at = [ends - timedelta(minutes=4)]

    def clock():
        at[0] += timedelta(seconds=12)
        return at[0]

    make_launched(actor, at[0])
    drain(clock)
    marked = Message.objects.filter(attempted_at__isnull=False)
    assert 0 < marked.count() < 30
    assert max(marked.values_list("attempted_at", flat=True)) < ends
    waiting = Message.objects.filter(state="planned")
    assert waiting.count() == 30 - marked.count()
    assert set(waiting.values_list("due_at", flat=True)) == {ends + timedelta(hours=13)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [False, True])
def test_a5_a_cut_database_session_makes_nobody_unknown(actor, now, monkeypatch, is_committed):
    make_channel(options={"supports_idempotency": False})
    make_people(23)
    # What is started at the commit would be worked here and now.
    monkeypatch.setattr(launch, "enqueue", lambda *_args, **_facts: None)
    make_launched(actor, now)
    step, calls = settling.step, Counter()

    def cut(**arguments):
        calls["all"] += 1
        if calls["all"] in {3, 4, 6}:
            if is_committed:
                step(**arguments)
            raise OperationalError("server closed the connection unexpectedly")
        return step(**arguments)

    monkeypatch.setattr(settling, "step", cut)
    drain(lambda: now)
    assert calls["all"] > 6
    assert states() == {"sent": 23}
    sent = Counter(message.to for message in provider(supports_idempotency=False).delivered)
    assert len(sent) == 23
    assert max(sent.values()) == 1


@pytest.mark.django_db(transaction=True)
def test_a5_a_backend_killed_by_the_server_makes_nobody_unknown(actor, now, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("only a database server has sessions that it can end")
    make_channel(options={"supports_idempotency": False})
    make_people(23)
    # What is started at the commit would be worked here and now.
    monkeypatch.setattr(launch, "enqueue", lambda *_args, **_facts: None)
    make_launched(actor, now)
    step, calls = settling.step, Counter()

    def cut(**arguments):
        calls["all"] += 1
        if calls["all"] in {2, 5}:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pid = cursor.fetchone()[0]
            other = connections.create_connection("default")
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
            other.close()
        return step(**arguments)

    monkeypatch.setattr(settling, "step", cut)
    drain(lambda: now)
    assert calls["all"] > 5
    assert states() == {"sent": 23}
    sent = Counter(message.to for message in provider(supports_idempotency=False).delivered)
    assert max(sent.values()) == 1


def unknown(message):
    return SendResult(message.message_id, SendOutcome.UNKNOWN, code="connection_lost")


def test_a3_an_idempotent_provider_is_asked_again_with_the_same_key(actor, now):
    make_channel()
    make_people(3)
    make_launched(actor, now)
    seen = []

    def lost(message):
        seen.append(message.idempotency_key)
        return unknown(message)

    provider().answer = lost
    at = now
    for _question in range(3):
        drain(lambda: at)  # noqa: B023 - drained before it changes
        assert states() == {"planned": 3}
        at = max(Message.objects.values_list("due_at", flat=True))
        end_pauses()
    provider().answer = None
    drain(lambda: at)
    assert states() == {"sent": 3}
    assert len(set(seen)) == 3
    assert len(seen) == 9


def test_a3_a_provider_that_never_answers_ends_unknown_after_bounded_questions(actor, now):
    make_channel()
    make_people(1)
    make_launched(actor, now)
    provider().answer = unknown
    at, rounds = now, 0
    while states() != {"unknown": 1}:
        drain(lambda: at)  # noqa: B023 - drained before it changes
        end_pauses()
        rounds += 1
        at = Message.objects.get().due_at or at
        # The night is not waited out here: hours are not what this is about.
        Message.objects.filter(state="planned").update(due_at=now)
        Chunk.objects.exclude(state="done").update(due_at=now)
        at = now
        assert rounds < 30
    assert rounds == 12


def test_a3_who_opts_out_while_it_is_not_known_is_unknown_not_skipped(actor, now):
    make_channel()
    people = make_people(1)
    make_launched(actor, now)
    provider().answer = unknown
    drain(lambda: now)
    stop(people[0], now)
    end_pauses()
    drain(lambda: now + timedelta(hours=1))
    assert states() == {"unknown": 1}


def test_a3_another_provider_is_never_asked_again(actor, now):
    make_channel(options={"supports_idempotency": False})
    make_people(2)
    make_launched(actor, now)
    provider(supports_idempotency=False).answer = unknown
    drain(lambda: now)
    assert states() == {"unknown": 2}


def refused(message):
    return SendResult(message.message_id, SendOutcome.REJECTED, code="5.7.1")


@pytest.mark.parametrize("rate", [None, 1])
def test_a6_all_refused_for_policy_opens_the_breaker_and_fails_nobody(actor, now, rate):
    make_channel(rate_per_second=rate)
    make_people(40)
    launched = make_launched(actor, now)

    def refusing(message):
        free_slots()
        return refused(message)

    provider().answer = refusing
    drain(lambda: now)
    launched.refresh_from_db()
    assert (launched.status, launched.hold_reason) == ("held", "channel_blocked")
    assert Channel.objects.get().blocked_reason == "5.7.1"
    assert states() == {"planned": 40}
    provider().answer = None
    Channel.objects.update(rate_per_second=None)
    ticking.resume_campaign(campaign=launched.campaign, actor=actor, now=now)
    drain(lambda: now + timedelta(hours=1))
    assert states() == {"sent": 40}
    assert Channel.objects.get().blocked_at is None


def test_g7_a_policy_refusal_among_others_is_that_persons(actor, now):
    make_channel()
    make_people(4)
    make_launched(actor, now)
    provider().answer = lambda message: refused(message) if message.to.startswith("p2@") else None
    drain(lambda: now)
    # The account may have been blocked in the middle of them.
    assert states() == {"sent": 3, "planned": 1}
    Message.objects.filter(state="sent").update(sent_at=now + timedelta(seconds=1))
    for minutes, state in ((1, "planned"), (11, "failed")):
        later = now + timedelta(minutes=minutes)
        drain(lambda: later)  # noqa: B023 - drained before it changes
        assert states() == {"sent": 3, state: 1}
    assert Channel.objects.get().blocked_at is None


def test_h1_a_stop_settles_what_is_under_way_and_gives_the_chunk_back(actor, now):
    make_channel(options={"supports_idempotency": False})
    make_people(40)
    make_launched(actor, now)
    shared = provider(supports_idempotency=False)
    drain(lambda: now, should_stop=lambda: len(shared.delivered) >= 10)
    sent = len(shared.delivered)
    assert 10 <= sent <= 15
    assert states() == {"sent": sent, "planned": 40 - sent}
    chunk = Chunk.objects.get()
    assert (chunk.state, chunk.claimed_by, chunk.attempts) == ("ready", "", 0)
    drain(lambda: now)
    assert states() == {"sent": 40}


def test_a5_pause_stores_what_a_slow_relay_took(actor, now, monkeypatch):
    make_channel(options={"supports_idempotency": False})
    make_people(20)
    launched = make_launched(actor, now)
    shared = provider(supports_idempotency=False)
    submit = shared.submit

    def pausing(batch):
        if launched.campaign.status == "running":
            launched.campaign.refresh_from_db()
            ticking.pause_campaign(campaign=launched.campaign, actor=actor, now=now)
        return submit(batch)

    monkeypatch.setattr(shared, "submit", pausing)
    drain(lambda: now)
    taken = len(shared.delivered)
    assert states() == {"sent": taken, "planned": 20 - taken}
    assert Chunk.objects.get().state == "ready"


@pytest.mark.parametrize("outcome", ["accepted", "retry", "not_taken"])
def test_a5_cancel_with_messages_in_flight_leaves_nothing_open(actor, now, monkeypatch, outcome):
    make_channel(options={"supports_idempotency": False})
    make_people(20)
    launched = make_launched(actor, now)
    shared = provider(supports_idempotency=False)
    submit = shared.submit
    if outcome != "accepted":
        shared.answer = lambda message: SendResult(message.message_id, outcome, code="x")

    def cancelling(batch):
        launched.campaign.refresh_from_db()
        if launched.campaign.status == "running":
            ticking.cancel_campaign(campaign=launched.campaign, actor=actor, now=now)
        return submit(batch)

    monkeypatch.setattr(shared, "submit", cancelling)
    drain(lambda: now)
    assert set(states()) <= {"sent", "cancelled"}
    assert sum(states().values()) == 20
    assert Chunk.objects.get().state == "done"


def test_a5_what_a_dead_worker_left_of_a_cancelled_campaign_is_ended(actor, now):
    make_channel()
    make_people(6)
    launched = make_launched(actor, now)
    ticking.advance(now=now)
    chunks.claim(holder="dead", now=now)
    first = Message.objects.order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(state="sending", mark=1)
    launched.campaign.refresh_from_db()
    ticking.cancel_campaign(campaign=launched.campaign, actor=actor, now=now)
    expire_leases()
    ticking.advance(now=now)
    assert states() == {"unknown": 1, "cancelled": 5}
    assert Chunk.objects.get().state == "done"
    assert Dispatch.objects.get().status == "cancelled"
