import re

import pytest

from campaigns.channels.base import Channel, Outbound
from campaigns.channels.smtp import SmtpChannel
from campaigns.channels.smtp_options import SmtpOptions
from campaigns.simulators.smtp_sink import SmtpSink
from tests.channels.awkward_contract import AwkwardServerContract
from tests.channels.contract import email_payload, outbound
from tests.channels.test_smtp import EXTENSIONS


@pytest.fixture(params=sorted(EXTENSIONS))
def server(request):
    with SmtpSink(keep=True, **EXTENSIONS[request.param]) as sink:
        yield sink


class TestSmtp(AwkwardServerContract):
    def port(self, server: SmtpSink) -> int:
        return server.port

    def channel_to(self, port: int) -> Channel:
        return SmtpChannel("relay", SmtpOptions(port=port, connections=3, timeout_seconds=20))

    def batch(self, numbers) -> list[Outbound]:
        return [outbound(n, f"p{n}@example.com", email_payload()) for n in numbers]

    def taken(self, server: SmtpSink) -> list[int]:
        return [int(re.search(r"\d+", m.recipients[0])[0]) for m in server.messages]
