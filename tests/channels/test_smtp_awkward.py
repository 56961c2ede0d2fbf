import re

import pytest

from campaigns.channels.base import ChannelBackend, Outbound, SendOutcome
from campaigns.channels.smtp import SmtpChannel
from campaigns.channels.smtp_options import SmtpOptions
from campaigns.simulators.smtp_sink import SmtpSink
from tests.channels.awkward_contract import AwkwardServerContract
from tests.channels.awkward_proxy import AwkwardProxy, Way
from tests.channels.contract import email_payload, outbound
from tests.channels.test_smtp import EXTENSIONS


@pytest.fixture(params=sorted(EXTENSIONS))
def server(request):
    with SmtpSink(keep=True, **EXTENSIONS[request.param]) as sink:
        yield sink


class TestSmtp(AwkwardServerContract):
    def port(self, server: SmtpSink) -> int:
        return server.port

    def channel_to(self, port: int) -> ChannelBackend:
        options = SmtpOptions(
            port=port, connections=3, timeout_seconds=20, connect_timeout_seconds=1
        )
        return SmtpChannel("relay", options)

    def batch(self, numbers) -> list[Outbound]:
        return [outbound(n, f"p{n}@example.com", email_payload()) for n in numbers]

    def taken(self, server: SmtpSink) -> list[int]:
        return [int(re.search(r"\d+", m.recipients[0])[0]) for m in server.messages]


def test_a5_a_cut_leaves_no_more_than_the_window_of_unknown_fate():
    with (
        SmtpSink(keep=True) as sink,
        AwkwardProxy(sink.port, Way(cut_after_bytes=95)) as proxy,
    ):
        channel = SmtpChannel("relay", SmtpOptions(port=proxy.port, connections=1))
        batch = [outbound(n, f"p{n}@example.com", email_payload()) for n in range(1, 41)]
        results = channel.send(batch)
        channel.close()
        taken = [int(re.search(r"\d+", m.recipients[0])[0]) for m in sink.messages]
    unknown = [r.message_id for r in results if r.outcome is SendOutcome.UNKNOWN]
    assert 1 <= len(unknown) <= 2
    assert [r.message_id for r in results if r.outcome is SendOutcome.ACCEPTED] == [
        n for n in range(1, 41) if n not in unknown
    ]
    assert sorted(taken) == list(range(1, 41))
