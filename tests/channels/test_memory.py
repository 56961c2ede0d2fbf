import pytest

from campaigns.channels.base import SendOutcome, SendResult
from campaigns.channels.memory import MemoryChannel, MemoryOptions
from tests.channels.contract import SECRET, ChannelContract


class TestMemoryChannel(ChannelContract):
    kind = "sms"

    def address(self, number: int) -> str:
        return f"+861380013{number:04d}"

    @pytest.fixture
    def channel(self) -> MemoryChannel:
        return MemoryChannel("memory", MemoryOptions(secret=SECRET))

    def test_a_repeated_key_is_delivered_once(self, channel: MemoryChannel):
        first = channel.send(self.batch([1]))
        second = channel.send(self.batch([1]))
        assert first == second
        assert len(channel.delivered) == 1

    def test_a_test_may_decide_the_outcome(self, channel: MemoryChannel):
        channel.answer = lambda message: (
            SendResult(message.message_id, SendOutcome.REJECTED, code="no")
            if message.message_id == 2
            else None
        )
        results = channel.send(self.batch([1, 2, 3]))
        assert [result.outcome for result in results] == ["accepted", "rejected", "accepted"]
        assert [message.message_id for message in channel.delivered] == [1, 3]
