import gzip
import json
import socket
import time
from email.message import EmailMessage

import pytest

from campaigns.channels import registry
from campaigns.channels.base import EmailPayload, SendOutcome, SmsPayload
from campaigns.channels.errors import (
    ChannelBlocked,
    ChannelMisconfigured,
    ChannelThrottled,
    ChannelUnavailable,
)
from campaigns.channels.webhook import WebhookChannel, WebhookOptions
from campaigns.simulators.behaviour import Behaviour, SimulatedFate
from campaigns.simulators.sms_answers import ForcedAnswer
from campaigns.simulators.webhook_receiver import WebhookReceiver
from tests.channels.awkward_contract import AwkwardServerContract
from tests.channels.awkward_proxy import AwkwardProxy, Way
from tests.channels.contract import SECRET, ChannelContract, outbound

RULES = {
    "0000": SimulatedFate.REJECT,
    "9999": SimulatedFate.RETRY,
    "6666": SimulatedFate.HANG,
    "5555": SimulatedFate.DROP,
}
TEXT = SmsPayload("【诚信】您好，拒收请回复R", 1)


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS = ["127.0.0.1"]


@pytest.fixture
def server():
    with WebhookReceiver(behaviour=Behaviour(rules=RULES), secret=SECRET) as receiver:
        receiver.takings = []
        receiver.on_message = lambda taken: receiver.takings.append(int(taken.key[1:]))
        yield receiver


def _channel(url, **options):
    return WebhookChannel(
        "own", WebhookOptions(**{"url": url, "secret": SECRET, "timeout_seconds": 5.0, **options})
    )


@pytest.fixture
def channel(server):
    channel = _channel(server.url)
    yield channel
    channel.close()


def _send(url, *messages, **options):
    channel = _channel(url, **options)
    try:
        return channel.send(list(messages))
    finally:
        channel.close()


def _sms(number, ending="1111"):
    return outbound(number, f"+86138001{ending}", TEXT)


def _outcomes(results):
    return [(result.outcome.value, result.code) for result in results]


class TestWebhookChannel(ChannelContract):
    kind = "sms"

    def address(self, number):
        return f"+861380011{number:04d}"


class TestWebhookChannelWithMails(ChannelContract):
    kind = "email"

    def address(self, number):
        return f"person{number}@example.com"


class TestAwkwardEndpoint(AwkwardServerContract):
    def port(self, server):
        return server.port

    def channel_to(self, port):
        return _channel(
            f"http://127.0.0.1:{port}/messages",
            connections=3,
            timeout_seconds=20,
            connect_timeout_seconds=1,
        )

    def batch(self, numbers):
        return [outbound(number, f"+861380011{number:04d}", TEXT) for number in numbers]

    def taken(self, server):
        return server.takings


def test_each_message_is_answered_for_itself(server):
    results = _send(
        server.url, _sms(1), _sms(2, "0000"), _sms(3, "9999"), _sms(4, "5555"), _sms(5, "6666"),
        timeout_seconds=0.5,
    )  # fmt: skip
    assert _outcomes(results) == [
        ("accepted", ""),
        ("rejected", "number_invalid"),
        ("retry", "later"),
        ("unknown", "connection_lost"),
        ("unknown", "timeout"),
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ForcedAnswer(200, body=b""), ("accepted", "")),
        (ForcedAnswer(204, body=b""), ("accepted", "")),
        (ForcedAnswer(202, body=b"{}"), ("accepted", "")),
        (ForcedAnswer(200, body=b'{"message_id": 7}'), ("accepted", "")),
        (ForcedAnswer(200, body=b'{"status": "rejected", "code": "gone"}'), ("rejected", "gone")),
        (ForcedAnswer(200, body=b"<html>"), ("unknown", "answer_unreadable")),
        (ForcedAnswer(200, body=b'{"status": "queued"}'), ("unknown", "no_result")),
        (ForcedAnswer(422), ("rejected", "http_422")),
        (ForcedAnswer(500), ("unknown", "http_500")),
        (
            ForcedAnswer(200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * 50_000_000)),
            ("unknown", "answer_unreadable"),
        ),
        (ForcedAnswer(200, body=b" " * 10_000_000), ("unknown", "connection_lost")),
    ],
    ids=lambda value: value[1] or value[0] if isinstance(value, tuple) else f"{value.status}",
)
def test_f55_what_an_endpoint_answers_is_read_within_bounds(server, answer, expected):
    server.forced.append(answer)
    (result,) = _send(server.url, _sms(1))
    if answer.headers:
        # What cannot be unpacked within bounds says nothing; never that nothing was taken.
        assert result.outcome in {SendOutcome.ACCEPTED, SendOutcome.UNKNOWN}
        return
    assert _outcomes([result]) == [expected]


def test_f55_an_endpoint_that_dribbles_its_answer_holds_nobody_up(server):
    with AwkwardProxy(server.port, Way(piece_bytes=1, pause_seconds=0.2)) as proxy:
        began = time.monotonic()
        results = _send(
            f"http://127.0.0.1:{proxy.port}/messages", *map(_sms, (1, 2)), timeout_seconds=1.0
        )
    assert _outcomes(results) == [("unknown", "timeout")] * 2
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ForcedAnswer(429, {"Retry-After": "7"}), ChannelThrottled),
        (ForcedAnswer(503, {"Retry-After": "7"}), ChannelUnavailable),
        (ForcedAnswer(401), ChannelBlocked),
        (ForcedAnswer(404), ChannelMisconfigured),
        (ForcedAnswer(302, {"Location": "http://127.0.0.1:1/inner"}), ChannelMisconfigured),
        (ForcedAnswer(307, {"Location": "http://169.254.169.254/"}), ChannelMisconfigured),
        (ForcedAnswer(200, body=b'{"error": "system busy"}'), ChannelThrottled),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_f54_a_refused_message_is_an_error_and_no_redirect_is_followed(server, answer, error):
    server.forced.append(answer)
    with pytest.raises(error):
        _send(server.url, _sms(1))
    assert server.messages == {}
    assert server.requests == 1


def test_an_endpoint_reads_what_is_signed_and_nothing_goes_out_unsigned(server):
    with pytest.raises(ChannelBlocked):
        _send(server.url, _sms(1), secret="whsec_AAAAAAAAAAAAAAAAAAAAAAAA")
    with pytest.raises(ChannelMisconfigured):
        _send(server.url, _sms(1), secret="")
    assert server.requests == 1


def test_a_mail_arrives_in_its_parts(server):
    bodies = []
    read = server._read
    server._read = lambda body: bodies.append(json.loads(body)) or read(body)
    mail = EmailMessage()
    mail["From"] = "诚信 <news@lender.example>"
    mail["To"] = "a@example.com"
    mail["Subject"] = "您的额度"
    mail["List-Unsubscribe"] = "<https://lender.example/u/1/>"
    mail.set_content("您好")
    mail.add_alternative("<p>您好</p>", subtype="html")
    payload = EmailPayload(sender="bounce@lender.example", raw=mail.as_bytes())
    (result,) = _send(server.url, outbound(1, "a@example.com", payload))
    assert result.outcome is SendOutcome.ACCEPTED
    (body,) = bodies
    assert body["type"] == "message.send"
    assert body["data"] == {
        "id": "m1",
        "kind": "email",
        "to": "a@example.com",
        "from": "诚信 <news@lender.example>",
        "subject": "您的额度",
        "text": "您好\n",
        "html": "<p>您好</p>\n",
        "headers": {"List-Unsubscribe": "<https://lender.example/u/1/>"},
    }


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.1/x", "https://[::1]/x", "https://[::ffff:169.254.169.254]/x"),
        *("https://0x7f000001/x", "https://10.0.0.1/x", "http://hooks.example/x", "https:///x"),
        *("ftp://hooks.example/x", "https://[2002:a9fe:a9fe::]/x"),
    ],
)
def test_f54_an_inner_address_is_refused_when_it_is_typed_in(url, settings):
    settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS = []
    with pytest.raises(ChannelMisconfigured):
        registry.build(name="own", backend="webhook", options={"url": url, "secret": SECRET})


def _leads_to(monkeypatch, address):
    asked = []

    def found(host, port, *_args, **_words):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked


def test_f54_a_name_that_leads_inside_is_refused_when_it_is_stored(monkeypatch):
    options = {"url": "https://lvh.example/x", "secret": SECRET}
    _leads_to(monkeypatch, "127.0.0.1")
    with pytest.raises(ChannelMisconfigured):
        registry.check_setup(name="own", backend="webhook", options=options)
    _leads_to(monkeypatch, "8.8.8.8")
    registry.check_setup(name="own", backend="webhook", options=options)


def test_f54_a_name_that_leads_inside_later_is_refused_when_it_is_asked(server, monkeypatch):
    options = {"url": f"https://rebound.example:{server.port}/messages", "secret": SECRET}
    _leads_to(monkeypatch, "8.8.8.8")
    registry.check_setup(name="own", backend="webhook", options=options)
    channel = registry.build(name="own", backend="webhook", options=options)
    asked = _leads_to(monkeypatch, "127.0.0.1")
    with pytest.raises(ChannelMisconfigured):
        channel.send([_sms(1)])
    channel.close()
    assert asked == ["rebound.example"]
    assert server.requests == 0


def test_f54_a_host_that_the_operator_allows_is_looked_up_once_and_asked(
    server, monkeypatch, settings
):
    settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS = ["crm-inner.example"]
    asked = _leads_to(monkeypatch, "127.0.0.1")
    results = _send(
        f"http://crm-inner.example:{server.port}/messages", *map(_sms, range(1, 4)), connections=1
    )
    assert {result.outcome for result in results} == {SendOutcome.ACCEPTED}
    assert asked == ["crm-inner.example"]
