import multiprocessing
import re
import time

import pytest

from campaigns.channels.base import SendOutcome, SmsPayload
from campaigns.channels.errors import ChannelBlocked, ChannelMisconfigured, ChannelUnavailable
from campaigns.channels.smtp import SmtpChannel
from campaigns.channels.smtp_options import SmtpOptions
from campaigns.simulators.behaviour import Behaviour, SimulatedFate
from campaigns.simulators.smtp_sink import SmtpSink
from tests.channels.contract import SECRET, ChannelContract, email_payload, outbound

RULES = {
    "reject": SimulatedFate.REJECT,
    "later": SimulatedFate.RETRY,
    "drop": SimulatedFate.DROP,
    "hang": SimulatedFate.HANG,
    "leave": SimulatedFate.LEAVE_ONCE,
}
EXTENSIONS = {
    "chunking": {"pipelining": True, "chunking": True},
    "pipelining": {"pipelining": True, "chunking": False},
    "plain": {"pipelining": False, "chunking": False},
}


@pytest.fixture(params=sorted(EXTENSIONS))
def sink(request):
    with SmtpSink(behaviour=Behaviour(rules=RULES), keep=True, **EXTENSIONS[request.param]) as sink:
        yield sink


@pytest.fixture
def channel(sink):
    channel = SmtpChannel("relay", SmtpOptions(port=sink.port, webhook_secret=SECRET))
    yield channel
    channel.close()


def _send(channel, locals_):
    batch = [
        outbound(number, f"{local}{number}@example.com", email_payload(f"body {number}"))
        for number, local in enumerate(locals_, start=1)
    ]
    return channel.submit(batch).result(timeout=30)


class TestSmtpChannel(ChannelContract):
    kind = "email"

    def address(self, number: int) -> str:
        return f"person{number}@example.com"


def test_a_refused_address_costs_its_neighbours_nothing(channel, sink):
    results = _send(channel, ["a", "reject", "b", "later", "c", "reject", "d"] * 20)
    outcomes = [result.outcome for result in results]
    assert outcomes == [
        {"reject": "rejected", "later": "retry"}.get(local, "accepted")
        for local in ["a", "reject", "b", "later", "c", "reject", "d"] * 20
    ]
    assert {r.code for r in results if r.outcome is SendOutcome.REJECTED} == {"5.1.1"}
    assert {r.code for r in results if r.outcome is SendOutcome.RETRY} == {"4.7.1"}
    assert not any("@" in result.detail for result in results)


def test_every_message_reaches_its_own_recipient_only(channel, sink):
    _send(channel, ["a", "reject", "b", "later"] * 50)
    assert len(sink.messages) == 100
    for message in sink.messages:
        (recipient,) = message.recipients
        number = re.search(r"\d+", recipient)[0]
        assert message.raw.endswith(f"\r\nbody {number}\r\n".encode())
    assert sink.stats.as_dict()["repeated"] == 0


def test_bytes_arrive_as_they_were_sent(channel, sink):
    tricky = ".\r\n..\r\n.leading dot\r\n汉字😀\r\n" + "x" * 900
    payload = email_payload(tricky)
    channel.send([outbound(1, "a@example.com", payload)])
    assert [message.raw for message in sink.messages] == [payload.raw]


def test_a_body_without_a_final_line_end_does_not_break_the_dialogue(channel, sink):
    payload = type(email_payload())(sender="a@example.com", raw=b"Subject: x\r\n\r\nno end")
    results = channel.send([outbound(n, f"p{n}@example.com", payload) for n in range(1, 4)])
    assert {result.outcome for result in results} == {"accepted"}


def test_a_connection_lost_after_the_body_leaves_the_fate_unknown(channel, sink):
    results = _send(channel, ["drop"])
    assert [(result.outcome, result.code) for result in results] == [("unknown", "connection_lost")]


def test_a_lost_connection_never_loses_or_doubles_the_others(channel, sink):
    results = _send(channel, (["a"] * 9 + ["drop"]) * 20)
    accepted = {r.message_id for r in results if r.outcome is SendOutcome.ACCEPTED}
    unknown = {r.message_id for r in results if r.outcome is SendOutcome.UNKNOWN}
    # Hung up on before the relay had it: put off, or certainly not taken.
    left = {SendOutcome.RETRY, SendOutcome.NOT_TAKEN}
    retry = {r.message_id for r in results if r.outcome in left}
    taken = [int(re.search(r"\d+", m.recipients[0])[0]) for m in sink.messages]
    assert len(taken) == len(set(taken))
    assert accepted <= set(taken) <= accepted | unknown
    assert not retry & set(taken)
    assert accepted | unknown | retry == set(range(1, 201))


def test_a_message_that_was_put_off_is_not_sent_behind_the_callers_back(sink):
    channel = SmtpChannel("relay", SmtpOptions(port=sink.port, connections=1))
    results = _send(channel, ["leave"])
    again = _send(channel, ["other", "more"])
    channel.close()
    (result,) = results
    taken = [recipient for message in sink.messages for recipient in message.recipients]
    if result.outcome in {SendOutcome.RETRY, SendOutcome.NOT_TAKEN}:
        assert "leave1@example.com" not in taken
    assert result.outcome is not SendOutcome.ACCEPTED or taken.count("leave1@example.com") == 1
    assert {r.outcome for r in again} == {"accepted"}


def test_a_relay_that_restarts_is_found_again(channel, sink):
    assert {r.outcome for r in _send(channel, ["a"] * 10)} == {"accepted"}
    sink.drop_connections()
    time.sleep(0.1)
    assert {r.outcome for r in _send(channel, ["b"] * 10)} == {"accepted"}


def test_a_silent_relay_is_given_up_on(sink):
    channel = SmtpChannel("relay", SmtpOptions(port=sink.port, timeout_seconds=0.5, connections=1))
    results = _send(channel, ["hang"])
    channel.close()
    assert [(result.outcome, result.code) for result in results] == [("unknown", "connection_lost")]


def test_connections_are_kept_and_their_number_is_limited(sink):
    channel = SmtpChannel("relay", SmtpOptions(port=sink.port, connections=3))
    for _round in range(5):
        _send(channel, ["a"] * 30)
    channel.close()
    assert sink.stats.connections <= 3
    assert sink.stats.messages == 150


def test_a_connection_is_renewed_after_its_number_of_messages(sink):
    channel = SmtpChannel(
        "relay", SmtpOptions(port=sink.port, connections=1, max_messages_per_connection=10)
    )
    results = _send(channel, ["a"] * 35)
    channel.close()
    assert {result.outcome for result in results} == {"accepted"}
    assert sink.stats.connections == 4


def test_addresses_that_would_break_the_dialogue_are_refused_before_it(channel, sink):
    bad = ["a b@example.com", "a@example.com>\r\nRCPT TO:<x@example.com", "", "名@example.com", "a"]
    results = channel.send([outbound(n, to, email_payload()) for n, to in enumerate(bad)])
    assert {(result.outcome, result.code) for result in results} == {
        ("rejected", "address_invalid")
    }
    assert sink.stats.messages == 0


def test_text_messages_are_not_for_smtp(channel):
    with pytest.raises(ChannelMisconfigured):
        channel.send([outbound(1, "a@example.com", SmsPayload("x", 1))])


def test_nothing_listens():
    with SmtpSink() as gone:
        port = gone.port
    channel = SmtpChannel("relay", SmtpOptions(port=port))
    with pytest.raises(ChannelUnavailable):
        _send(channel, ["a"] * 20)
    with pytest.raises(ChannelUnavailable):
        _send(channel, ["a"])
    channel.close()


def test_a_relay_that_wants_a_login_gets_one():
    with SmtpSink(credentials=("user", "pass")) as sink:
        options = SmtpOptions(port=sink.port, username="user", password="pass")
        channel = SmtpChannel("relay", options)
        assert _send(channel, ["a"])[0].outcome is SendOutcome.ACCEPTED
        channel.close()


def test_a_wrong_password_is_for_a_person_to_mend():
    with SmtpSink(credentials=("user", "pass")) as sink:
        channel = SmtpChannel("relay", SmtpOptions(port=sink.port, username="user", password="no"))
        with pytest.raises(ChannelBlocked) as refusal:
            _send(channel, ["a"])
        channel.close()
    assert "5.7.8" in refusal.value.facts["problem"]


def _send_in_child(channel, connection):
    connection.send([result.outcome.value for result in _send(channel, ["child"] * 5)])
    channel.close()


def test_a_channel_that_was_used_before_a_fork_works_in_both_processes():
    context = multiprocessing.get_context("fork")
    with SmtpSink() as sink:
        channel = SmtpChannel("relay", SmtpOptions(port=sink.port))
        assert {r.outcome for r in _send(channel, ["parent"] * 5)} == {"accepted"}
        ours, theirs = context.Pipe()
        child = context.Process(target=_send_in_child, args=(channel, theirs))
        child.start()
        assert ours.poll(20)
        assert ours.recv() == ["accepted"] * 5
        child.join(timeout=10)
        assert {r.outcome for r in _send(channel, ["again"] * 5)} == {"accepted"}
        channel.close()
        assert sink.stats.messages == 15
