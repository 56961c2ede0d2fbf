"""A provider that gives no clear answer: noticed before the audience is written off on it."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult
from campaigns.models import Channel, Chunk, Dispatch, Message
from campaigns.selectors.sending import channel_states
from campaigns.services.campaigns import ticking
from campaigns.services.channels import operator_mails, reopening
from campaigns.services.sending import dispatch, silence
from campaigns.simulators.moods import Mood, Turn
from campaigns.simulators.sms_gateway import SmsGateway
from campaigns.simulators.smtp_sink import SmtpSink
from tests.channels.swallowing import swallowing_port
from tests.factories.campaigns import SMS, end_pauses, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
# What a round costs at most once the provider is known not to answer.
SMALL = 5


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def memory(**options):
    return registry.shared(name="email-memory", backend="memory", options=options)


def launch_forgetful(actor, now, count):
    """Launch a campaign through a provider that does not know repeated keys."""
    make_channel(options={"supports_idempotency": False})
    make_people(count)
    return make_launched(actor, now), memory(supports_idempotency=False)


def drain(at):
    ticking.advance(now=at)
    dispatch.drain(holder="w1", clock=lambda: at, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=at)


def rounds(count, at):
    """Drain again and again, past all pauses and waits."""
    for _number in range(count):
        Message.objects.filter(state="planned").update(due_at=at)
        Chunk.objects.exclude(state="done").update(due_at=at)
        end_pauses()
        drain(at)


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def lost(message):
    return SendResult(message.message_id, SendOutcome.UNKNOWN, code="timeout", may_be_taken=True)


def asked_again(message):
    return SendResult(message.message_id, SendOutcome.RETRY, code="http_502", may_be_taken=True)


def test_a6_a_provider_that_never_answers_costs_what_was_on_the_wire(actor, now):
    launched, provider = launch_forgetful(actor, now, 60)
    provider.answer = lost
    drain(now)
    assert states() == {"unknown": SMALL, "planned": 55}
    state = channel_states.state_of(Channel.objects.get())
    assert (state.is_blocked, state.reason) == (False, silence.PROBLEM)
    rounds(2, now)
    assert states() == {"unknown": 3 * SMALL, "planned": 45}
    launched.refresh_from_db()
    assert (launched.status, launched.hold_reason) == ("held", "channel_blocked")
    assert Channel.objects.get().blocked_reason == silence.PROBLEM
    rounds(3, now)
    assert states() == {"unknown": 3 * SMALL, "planned": 45}


def test_a6_the_pause_grows_and_a_blip_holds_nobody(actor, now):
    _launched, provider = launch_forgetful(actor, now, 60)
    waits = []
    provider.answer = lost
    for _number in range(2):
        rounds(1, now)
        channel = Channel.objects.get()
        waits.append((channel.paused_until - channel_states.shared_clock.now()).total_seconds())
    assert 0 < waits[0] <= 10
    assert 30 < waits[1] <= 60
    provider.answer = None
    rounds(1, now)
    assert states() == {"unknown": 2 * SMALL, "sent": 50}
    channel = Channel.objects.get()
    assert (channel.blocked_at, channel.unanswered_in_a_row) == (None, 0)
    assert Dispatch.objects.get().status == "completed"


def test_a6_who_lets_a_silent_provider_go_on_risks_a_small_batch(actor, now):
    launched, provider = launch_forgetful(actor, now, 60)
    provider.answer = lost
    rounds(3, now)
    reopening.reopen_channel(channel=Channel.objects.get(), actor=actor, now=now)
    rounds(1, now)
    assert states() == {"unknown": 4 * SMALL, "planned": 40}
    assert Channel.objects.get().blocked_reason == silence.PROBLEM
    provider.answer = None
    reopening.reopen_channel(channel=Channel.objects.get(), actor=actor, now=now)
    rounds(1, now)
    assert states() == {"unknown": 4 * SMALL, "sent": 40}
    launched.refresh_from_db()
    assert launched.status == "completed"


def test_a6_those_who_run_the_system_are_told_why_in_words(actor, now, settings):
    _launched, provider = launch_forgetful(actor, now, 30)
    provider.answer = lost
    rounds(3, now)
    settings.LOANCRM_OPERATOR_EMAILS = ["ops@lender.example"]
    settings.LANGUAGE_CODE = "en"
    assert operator_mails.mail_operators(holder="w1") == 2
    (sent,) = mail.outbox
    assert "The provider gave no clear answer to what was handed over." in sent.body
    assert "or gives no clear answer" in sent.body
    assert silence.PROBLEM not in sent.body


def test_a6_a_provider_that_answers_about_every_other_goes_on(actor, now):
    _launched, provider = launch_forgetful(actor, now, 40)
    turns = iter(range(10_000))
    provider.answer = lambda message: None if next(turns) % 2 else lost(message)
    drain(now)
    assert Channel.objects.get().unanswered_in_a_row == 0
    assert states() == {"sent": 20, "unknown": 20}


def test_a6_a_provider_that_falls_silent_in_the_middle_keeps_the_rest_planned(actor, now):
    _launched, provider = launch_forgetful(actor, now, 100)
    provider.answer = lambda message: lost(message) if len(provider.delivered) >= 30 else None
    rounds(4, now)
    counts = states()
    assert counts["sent"] == 30
    # Two sub-batches were under way when it fell silent, then two small rounds.
    assert counts["unknown"] <= 4 * SMALL
    assert counts["planned"] == 70 - counts["unknown"]


@pytest.mark.parametrize("code", ["address_invalid", "signature_missing"])
def test_a6_what_never_left_is_no_sign_of_life(actor, now, code):
    _launched, provider = launch_forgetful(actor, now, 60)
    numbers = iter(range(10_000))

    def answer(message):
        if next(numbers) % 2:
            return SendResult(message.message_id, SendOutcome.REJECTED, code=code)
        return lost(message)

    provider.answer = answer
    rounds(4, now)
    assert Channel.objects.get().blocked_reason == silence.PROBLEM
    assert states()["planned"] >= 45


def test_a6_a_wait_between_two_silences_is_no_sign_of_life(actor, now):
    _launched, provider = launch_forgetful(actor, now, 60)
    for _number in range(3):
        provider.answer = lost
        rounds(1, now)
        provider.answer = lambda message: SendResult(
            message.message_id, SendOutcome.NOT_TAKEN, code="http_503"
        )
        rounds(1, now)
    assert Channel.objects.get().blocked_reason == silence.PROBLEM
    assert states() == {"unknown": 3 * SMALL, "planned": 45}


def test_a6_one_that_knows_keys_and_does_not_answer_is_noticed_before_questions_run_out(actor, now):
    make_channel()
    make_people(60)
    launched = make_launched(actor, now)
    memory().answer = asked_again
    rounds(14, now)
    launched.refresh_from_db()
    assert (launched.status, launched.hold_reason) == ("held", "channel_blocked")
    assert states() == {"planned": 60}
    memory().answer = None
    reopening.reopen_channel(channel=Channel.objects.get(), actor=actor, now=now)
    rounds(2, now)
    assert states() == {"sent": 60}


def test_a6_one_message_that_its_provider_stumbles_over_stops_no_account(actor, now):
    make_channel()
    make_people(40)
    make_launched(actor, now)
    memory().answer = lambda message: asked_again(message) if message.to.startswith("p7@") else None
    rounds(14, now + timedelta(seconds=1))
    assert states() == {"sent": 39, "unknown": 1}
    channel = Channel.objects.get()
    assert (channel.blocked_at, channel.unanswered_in_a_row) == (None, 0)


@pytest.mark.parametrize("turn", [Turn.SILENT, Turn.ERROR_AFTER, Turn.UNAVAILABLE_AFTER, Turn.CUT])
def test_a6_a_gateway_in_whatever_mood_costs_what_was_on_the_wire(actor, now, turn):
    with SmsGateway() as gateway:
        gateway.moods.mood = Mood(shares={turn: 1.0}, silence_seconds=0.2)
        options = {"url": gateway.url, "require_signature": False}
        make_channel("sms", "http_sms", options=options)
        make_people(60)
        launched = make_launched(actor, now, channel="sms-http_sms", content=SMS)
        rounds(4, now)
        registry.close_all()
        assert gateway.taken_count == 3 * SMALL
    launched.refresh_from_db()
    assert launched.hold_reason == "channel_blocked"
    assert states() == {"unknown": 3 * SMALL, "planned": 45}


def test_a6_a_relay_that_hangs_up_after_every_message_costs_what_was_on_the_wire(actor, now):
    with SmtpSink() as sink:
        sink.moods.mood = Mood(shares={Turn.DROP_AFTER: 1.0})
        make_channel("email", "smtp", options={"port": sink.port})
        make_people(60)
        launched = make_launched(actor, now, channel="email-smtp")
        rounds(4, now)
        registry.close_all()
    launched.refresh_from_db()
    assert launched.hold_reason == "channel_blocked"
    assert states()["planned"] >= 45


def test_a6_a_gateway_whose_address_swallows_connections_leaves_everybody_planned(actor, now):
    with swallowing_port() as port:
        options = {
            "url": f"http://127.0.0.1:{port}/messages",
            "require_signature": False,
            "connect_timeout_seconds": 0.5,
        }
        make_channel("sms", "http_sms", options=options)
        make_people(20)
        make_launched(actor, now, channel="sms-http_sms", content=SMS)
        rounds(2, now)
        registry.close_all()
    assert states() == {"planned": 20}
    assert Channel.objects.get().pause_reason == "channel_unavailable"


def test_a6_what_was_under_way_together_counts_as_one_round(actor, now):
    channel = make_channel()
    as_claimed = [Channel.objects.get(pk=channel.pk) for _worker in range(4)]
    assert [silence.note(channel=one) for one in as_claimed] == [None] * 4
    assert Channel.objects.get().unanswered_in_a_row == 1
    assert silence.note(channel=Channel.objects.get()) is None
    assert silence.note(channel=Channel.objects.get()).problem == silence.PROBLEM
