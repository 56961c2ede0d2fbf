import pytest

from campaigns.channels.base import ChannelBackend, Outbound, SendOutcome, SmsPayload
from campaigns.channels.errors import ChannelUnavailable
from campaigns.channels.http_sms import HttpSmsChannel, HttpSmsOptions
from campaigns.simulators.moods import Mood, Turn
from campaigns.simulators.sms_gateway import SmsGateway
from tests.channels.awkward_contract import AwkwardServerContract
from tests.channels.awkward_proxy import AwkwardProxy, Way
from tests.channels.contract import outbound
from tests.channels.swallowing import swallowing_port

TEXT = SmsPayload("【诚信】您好，拒收请回复R", 1)


@pytest.fixture
def server():
    with SmsGateway() as gateway:
        gateway.takings = []
        gateway.on_message = lambda taken: gateway.takings.append(int(taken.key[1:]))
        yield gateway


class _HttpSms(AwkwardServerContract):
    messages_per_request: int

    def port(self, server: SmsGateway) -> int:
        return server.port

    def channel_to(self, port: int) -> ChannelBackend:
        return HttpSmsChannel(
            "sms",
            HttpSmsOptions(
                url=f"http://127.0.0.1:{port}/messages",
                messages_per_request=self.messages_per_request,
                connections=3,
                timeout_seconds=20,
                connect_timeout_seconds=1,
            ),
        )

    def batch(self, numbers) -> list[Outbound]:
        return [outbound(number, f"+861380011{number:04d}", TEXT) for number in numbers]

    def taken(self, server: SmsGateway) -> list[int]:
        return server.takings


class TestManyInARequest(_HttpSms):
    messages_per_request = 50


class TestOneInARequest(_HttpSms):
    messages_per_request = 1


def test_a2_a_gateway_known_to_remember_keys_is_asked_again_after_a_cut(server):
    with AwkwardProxy(server.port, Way(cut_after_bytes=60)) as proxy:
        channel = HttpSmsChannel(
            "sms",
            HttpSmsOptions(
                url=f"http://127.0.0.1:{proxy.port}/messages", supports_idempotency=True
            ),
        )
        batch = [outbound(1, "+8613800110001", TEXT)]
        first, second = channel.send(batch), channel.send(batch)
        channel.close()
    assert [(r.outcome, r.code, r.may_be_taken) for r in first] == [
        (SendOutcome.RETRY, "connection_lost", True)
    ]
    assert [result.outcome for result in second] == [SendOutcome.ACCEPTED]
    assert server.takings == [1]


def in_mood(server, turn, **options):
    """Send four messages to a gateway in a mood; return what is said of each."""
    server.moods.mood = Mood(shares={turn: 1.0}, retry_after_seconds=0)
    channel = HttpSmsChannel("sms", HttpSmsOptions(url=server.url, **options))
    try:
        return channel.send([outbound(n, f"+8613800110{n:03d}", TEXT) for n in range(1, 5)])
    finally:
        channel.close()


@pytest.mark.parametrize("turn", [Turn.PACKED, Turn.ODD, Turn.CONTRADICTION])
def test_a2_an_odd_answer_about_what_was_taken_says_that_it_was_taken(server, turn):
    results = in_mood(server, turn)
    assert [result.outcome for result in results] == [SendOutcome.ACCEPTED] * 4
    assert server.takings == [1, 2, 3, 4]


def test_a2_a_503_of_a_proxy_does_not_say_that_nothing_was_taken(server):
    results = in_mood(server, Turn.UNAVAILABLE_AFTER)
    assert [(r.outcome, r.code) for r in results] == [(SendOutcome.UNKNOWN, "http_503")] * 4
    assert server.takings == [1, 2, 3, 4]


@pytest.mark.parametrize("turn", [Turn.UNAVAILABLE, Turn.UNAVAILABLE_AFTER])
def test_a2_a_503_is_a_wait_where_the_gateway_says_so_or_remembers_keys(server, turn):
    with pytest.raises(ChannelUnavailable):
        in_mood(server, turn, supports_idempotency=turn is Turn.UNAVAILABLE_AFTER)


def test_a3_a_busy_account_in_the_words_of_a_refusal_fails_nobody(server):
    results = in_mood(server, Turn.BUSY_REJECTED)
    assert [result.outcome for result in results] == [
        SendOutcome.ACCEPTED,
        SendOutcome.NOT_TAKEN,
    ] * 2
    assert server.takings == [1, 3]


@pytest.mark.parametrize("timeout_seconds", [0.5, 20])
def test_a2_whichever_limit_ends_the_wait_for_a_connection_nobody_is_in_doubt(timeout_seconds):
    with swallowing_port() as port:
        options = HttpSmsOptions(
            url=f"http://127.0.0.1:{port}/messages",
            timeout_seconds=timeout_seconds,
            connect_timeout_seconds=1,
        )
        channel = HttpSmsChannel("sms", options)
        with pytest.raises(ChannelUnavailable):
            channel.send([outbound(1, "+8613800110001", TEXT)])
        channel.close()


def test_a2_no_answer_is_asked_for_in_a_form_that_cannot_be_read(server):
    asked = []
    handle = server._is_signed
    server._is_signed = lambda request, body: asked.append(request.headers) or handle(request, body)
    in_mood(server, Turn.ANSWER)
    assert {headers["Accept-Encoding"] for headers in asked} == {"identity"}
