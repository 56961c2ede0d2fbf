"""What a relay's refusals blame: the address, the sender, or its own load."""

import contextlib
import socket
import threading

import pytest

from campaigns.channels.base import SendOutcome
from campaigns.channels.errors import ChannelBlocked, ChannelUnavailable
from campaigns.channels.smtp import SmtpChannel
from campaigns.channels.smtp_options import SmtpOptions
from campaigns.simulators.smtp_sink import SmtpSink
from tests.channels.contract import email_payload, outbound


class Relay:
    """Answers each command by its verb, without extensions."""

    def __init__(self, greeting="220 relay", **answers):
        self.greeting = greeting
        self.answers = {
            "EHLO": "250 relay", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go",
            "BODY": "250 ok", "RSET": "250 ok", "QUIT": "221 bye", **answers,
        }  # fmt: skip
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_exception):
        self._listener.close()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                side, _address = self._listener.accept()
                threading.Thread(target=self._talk, args=(side,), daemon=True).start()

    def _talk(self, side):
        with contextlib.suppress(OSError), side, side.makefile("rwb") as stream:

            def say(text):
                stream.write(text.replace("\n", "\r\n").encode() + b"\r\n")
                stream.flush()

            say(self.greeting)
            while line := stream.readline():
                verb = line[:4].decode().upper()
                answer = self.answers.get(verb, "502 what")
                say(answer)
                if verb == "DATA" and answer.startswith("354"):
                    while stream.readline() != b".\r\n":
                        pass
                    say(self.answers["BODY"])


def _send(relay, count=3):
    channel = SmtpChannel("relay", SmtpOptions(port=relay.port, connections=1))
    try:
        return channel.send(
            [outbound(n, f"p{n}@example.com", email_payload()) for n in range(1, count + 1)]
        )
    finally:
        channel.close()


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("greeting", "554 5.7.1 no SMTP service for you"),
        ("greeting", "421 Your IP is on our blacklist"),
        ("greeting", "550 Connection denied. Suspected spam ip"),
        ("EHLO", "550 5.7.1 HELO rejected"),
        ("MAIL", "550 5.7.1 Sender address rejected"),
        ("MAIL", "553 5.1.8 Sender's domain does not exist"),
        ("MAIL", "530 5.7.0 Authentication required"),
        ("RCPT", "530 Authentication required"),
    ],
)
def test_a6_a_relay_that_refuses_us_blocks_the_channel_and_fails_nobody(step, reply):
    with Relay(**{step: reply}) as relay, pytest.raises(ChannelBlocked):
        _send(relay)


def test_a6_a_relay_that_is_closing_is_only_away():
    with (
        Relay(greeting="421 4.3.2 closing, come back later") as relay,
        pytest.raises(ChannelUnavailable),
    ):
        _send(relay)


@pytest.mark.parametrize(
    ("answers", "outcome", "code"),
    [
        ({"RCPT": "452 4.3.1 Insufficient system storage"}, SendOutcome.NOT_TAKEN, "4.3.1"),
        ({"RCPT": "450 4.7.28 unusual rate of mail"}, SendOutcome.NOT_TAKEN, "4.7.28"),
        ({"MAIL": "451 4.3.2 Please try again later"}, SendOutcome.NOT_TAKEN, "4.3.2"),
        ({"BODY": "451 too many messages from your host"}, SendOutcome.NOT_TAKEN, "451"),
        ({"RCPT": "450 4.7.1 Greylisted"}, SendOutcome.RETRY, "4.7.1"),
        ({"RCPT": "452 4.2.2 mailbox full"}, SendOutcome.RETRY, "4.2.2"),
        ({"RCPT": "550 5.1.1 user unknown"}, SendOutcome.REJECTED, "5.1.1"),
        ({"RCPT": "550 5.7.1 blocked by policy"}, SendOutcome.REJECTED, "5.7.1"),
    ],
)
def test_a3_a_busy_relay_is_told_from_a_message_that_was_put_off(answers, outcome, code):
    with Relay(**answers) as relay:
        results = _send(relay, 1)
    assert [(result.outcome, result.code) for result in results] == [(outcome, code)]


def test_g3_a_refusal_of_several_lines_is_read_whole_and_in_any_language():
    said = (
        "550-The e-mail account that you tried to reach\n550-收件人不存在 p1@example.com\n550 bye"
    )
    with Relay(RCPT=said) as relay:
        (result,) = _send(relay, 1)
    assert result.outcome is SendOutcome.REJECTED
    assert "收件人不存在" in result.detail
    assert "@" not in result.detail


def test_a3_a_relay_that_hangs_up_before_it_has_a_message_counts_as_nobodys_try():
    with Relay(RCPT="what?") as relay:
        (result,) = _send(relay, 1)
    assert (result.outcome, result.code) == (SendOutcome.NOT_TAKEN, "connection_lost")


def test_a_relay_that_wants_a_login_blocks_a_channel_without_one():
    with SmtpSink(credentials=("user", "pass")) as sink, pytest.raises(ChannelBlocked) as refusal:
        _send(sink)
    assert refusal.value.problem == "5.7.0"
