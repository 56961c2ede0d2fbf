import pytest

from campaigns.channels.base import Channel, Outbound, Outcome, SmsPayload
from campaigns.channels.http_sms import HttpSmsChannel, HttpSmsOptions
from campaigns.simulators.sms_gateway import SmsGateway
from tests.channels.awkward_contract import AwkwardServerContract
from tests.channels.awkward_proxy import AwkwardProxy, Way
from tests.channels.contract import outbound

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

    def channel_to(self, port: int) -> Channel:
        return HttpSmsChannel(
            "sms",
            HttpSmsOptions(
                url=f"http://127.0.0.1:{port}/messages",
                messages_per_request=self.messages_per_request,
                connections=3,
                timeout_seconds=20,
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
        (Outcome.RETRY, "connection_lost", True)
    ]
    assert [result.outcome for result in second] == [Outcome.ACCEPTED]
    assert server.takings == [1]
