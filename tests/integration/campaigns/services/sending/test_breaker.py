"""Refusals that name no address: counted across drains and workers, undone by one that is taken."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult, failed
from campaigns.channels.errors import ChannelBlocked
from campaigns.models import Channel, Chunk, Dispatch, Message
from campaigns.services.campaigns import ticking
from campaigns.services.channels import reopening
from campaigns.services.sending import breaker, dispatch
from tests.factories.campaigns import end_pauses, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def provider():
    return registry.shared(name="email-memory", backend="memory", options={})


def drain(at, holder="w1"):
    """Work what is due with a worker that remembers nothing of the last one."""
    ticking.advance(now=at)
    dispatch.drain(holder=holder, clock=lambda: at, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=at)


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def refusing(code, detail="", outcome=SendOutcome.REJECTED):
    return lambda message: SendResult(message.message_id, outcome, code=code, detail=detail)


def rounds(count, at):
    """Drain again and again, an hour apart."""
    for number in range(count):
        Message.objects.filter(state="planned").update(due_at=at)
        Chunk.objects.exclude(state="done").update(due_at=at)
        end_pauses()
        drain(at, holder=f"w{number}")


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("5.7.1", "policy"),
        ("550", "Mail rejected: your IP is on a blacklist"),
        ("isv.AMOUNT_NOT_ENOUGH", ""),
    ],
)
def test_a6_a_few_people_on_a_refused_account_fail_in_no_drain(actor, now, code, detail):
    make_channel()
    make_people(3)
    launched = make_launched(actor, now)
    provider().answer = refusing(code, detail)
    rounds(4, now)
    assert states() == {"planned": 3}
    assert Channel.objects.get().refusals_in_a_row == 12
    rounds(3, now)
    launched.refresh_from_db()
    assert launched.hold_reason == "channel_blocked"
    assert Channel.objects.get().blocked_reason == code
    assert states() == {"planned": 3}


def test_a6_an_unknown_code_in_a_row_opens_the_breaker(actor, now):
    make_channel()
    make_people(40)
    make_launched(actor, now)
    provider().answer = refusing("sign_not_filed")
    drain(now)
    assert Channel.objects.get().blocked_reason == "sign_not_filed"
    assert states() == {"planned": 40}


@pytest.mark.parametrize("code", ["5.1.1", "number_invalid", "5.2.2"])
def test_a6_refusals_that_name_addresses_open_nothing(actor, now, code):
    make_channel()
    make_people(40)
    make_launched(actor, now)
    provider().answer = refusing(code)
    drain(now)
    assert Channel.objects.get().blocked_at is None
    assert states() == {"failed": 40}


def test_a6_one_that_is_taken_ends_the_row(actor, now):
    make_channel()
    make_people(4)
    make_launched(actor, now)
    provider().answer = refusing("5.7.1")
    rounds(1, now)
    assert Channel.objects.get().refusals_in_a_row == 4
    provider().answer = lambda message: (
        refusing("5.7.1")(message) if message.to.startswith("p2@") else None
    )
    rounds(1, now)
    assert Channel.objects.get().refusals_in_a_row == 0
    assert states() == {"sent": 3, "planned": 1}
    # Others are taken after that refusal: it is hers, if it lasts.
    Message.objects.filter(state="sent").update(sent_at=now + timedelta(seconds=1))
    rounds(1, now)
    assert states() == {"sent": 3, "planned": 1}
    rounds(1, now + breaker.STUBBORN)
    assert states() == {"sent": 3, "failed": 1}


@pytest.mark.parametrize("code", ["5.7.1", "isv.AMOUNT_NOT_ENOUGH"])
def test_a6_who_is_refused_because_the_account_is_blocked_in_the_middle_of_a_batch_does_not_fail(
    actor, now, code
):
    make_channel()
    make_people(30)
    launched = make_launched(actor, now)
    shared = provider()
    shared.answer = lambda message: refusing(code)(message) if len(shared.delivered) >= 7 else None
    rounds(8, now)
    launched.refresh_from_db()
    assert launched.hold_reason == "channel_blocked"
    assert states() == {"sent": 7, "planned": 23}
    shared.answer = lambda message: None
    reopening.reopen_channel(channel=Channel.objects.get(), actor=actor, now=now)
    rounds(2, now)
    assert states() == {"sent": 30}


def test_a6_an_account_that_is_blocked_twice_for_a_while_fails_nobody(actor, now):
    make_channel()
    make_people(30)
    launched = make_launched(actor, now)
    shared = provider()
    shared.answer = lambda message: (
        refusing("5.7.1")(message) if len(shared.delivered) >= 7 else None
    )
    drain(now)
    assert states() == {"sent": 7, "planned": 23}
    waiting = Message.objects.filter(state="planned", waiting_since__isnull=False)
    refused_first = set(waiting.values_list("pk", flat=True))
    assert refused_first
    # Others are taken meanwhile; then those who wait come to a second block.
    Message.objects.filter(state="sent").update(sent_at=now + timedelta(seconds=5))
    shared.answer = refusing("5.7.1")
    Message.objects.filter(state="planned").exclude(pk__in=refused_first).update(
        due_at=now + timedelta(hours=1)
    )
    for seconds in (20, 60, 200):
        at = now + timedelta(seconds=seconds)
        Message.objects.filter(pk__in=refused_first, state="planned").update(due_at=at)
        Chunk.objects.exclude(state="done").update(due_at=at)
        end_pauses()
        drain(at)
    assert states() == {"sent": 7, "planned": 23}
    assert Channel.objects.get().blocked_at is None
    shared.answer = lambda message: None
    rounds(2, now + timedelta(hours=1))
    assert states() == {"sent": 30}
    launched.refresh_from_db()
    assert launched.status == "completed"


def test_a6_what_another_worker_had_taken_meanwhile_opens_nothing(actor, now):
    make_channel()
    make_people(4)
    make_launched(actor, now)
    provider().answer = refusing("5.7.1")
    rounds(1, now)
    Channel.objects.update(refusals_in_a_row=19)
    first = Message.objects.order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(state="sent", sent_at=now + timedelta(seconds=1))
    rounds(1, now)
    assert (Channel.objects.get().blocked_at, Channel.objects.get().refusals_in_a_row) == (None, 0)


def test_a6_the_checkbox_lets_refused_recipients_fail_and_the_channel_go_on(actor, now):
    channel = make_channel()
    make_people(40)
    make_launched(actor, now)
    provider().answer = refusing("5.7.1")
    drain(now)
    reopening.reopen_channel(channel=channel, actor=actor, now=now, blames_recipients=True)
    assert Channel.objects.get().refusals_in_a_row == 0
    rounds(2, now)
    assert Channel.objects.get().blocked_at is None
    assert states() == {"failed": 40}


@pytest.mark.parametrize(("problem", "ends"), [("5.7.1", "failed"), ("http_403", "planned")])
def test_a6_the_checkbox_counts_for_whole_batches_but_never_for_a_login(
    actor, now, monkeypatch, problem, ends
):
    make_channel(tolerated_code=problem)
    make_people(4)
    make_launched(actor, now)
    error = ChannelBlocked(channel="email-memory", problem=problem)
    monkeypatch.setattr(provider(), "submit", lambda _batch: failed(error))
    drain(now)
    assert states() == {ends: 4}
    assert (Channel.objects.get().blocked_at is None) is (ends == "failed")


def test_f1_one_address_that_is_busy_for_ever_pauses_nobody_else_and_ends(actor, now):
    make_channel()
    make_people(4)
    make_launched(actor, now)
    busy = refusing("421", "try again later", SendOutcome.NOT_TAKEN)
    provider().answer = lambda message: busy(message) if message.to.startswith("p2@") else None
    drain(now)
    assert states() == {"sent": 3, "planned": 1}
    assert Channel.objects.get().paused_until is None
    left = Message.objects.get(state="planned")
    assert (left.attempts, left.waiting_since) == (0, now)
    assert left.due_at > now
    at = now + timedelta(hours=1)
    rounds(1, at)
    assert Channel.objects.get().paused_until is None
    assert Message.objects.get(state="planned").due_at >= at + timedelta(minutes=30)
    rounds(1, now + timedelta(days=3, hours=1))
    assert Message.objects.get(pk=left.pk).reason == "never_taken"
    assert states() == {"sent": 3, "failed": 1}
    assert Dispatch.objects.get().status == "completed"
