"""What every channel must make of a provider that answers awkwardly; test modules subclass it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pytest

from campaigns.channels.base import ChannelBackend, Outbound, SendOutcome, SendResult
from campaigns.channels.errors import ChannelError, ChannelUnavailable
from tests.channels.awkward_proxy import AwkwardProxy, Way
from tests.channels.swallowing import swallowing_port

PEOPLE = range(1, 31)


class AwkwardServerContract(ABC):
    """Subclasses name a server, a channel that speaks to a port, and what the server took."""

    @abstractmethod
    def port(self, server: object) -> int: ...

    @abstractmethod
    def channel_to(self, port: int) -> ChannelBackend: ...

    @abstractmethod
    def batch(self, numbers: Sequence[int]) -> list[Outbound]: ...

    @abstractmethod
    def taken(self, server: object) -> list[int]:
        """Return the numbers of the messages that the server took, each as often as it did."""

    def _send(self, server: object, way: Way) -> list[SendResult]:
        with AwkwardProxy(self.port(server), way) as proxy:
            channel = self.channel_to(proxy.port)
            try:
                return channel.send(self.batch(PEOPLE))
            finally:
                channel.close()

    @pytest.mark.parametrize(
        "way",
        [
            Way(piece_bytes=1),
            Way(piece_bytes=7, pause_seconds=0.002),
            Way(pause_seconds=0.2),
        ],
        ids=["byte by byte", "in pieces", "dawdling"],
    )
    def test_a2_an_answer_in_pieces_is_read_whole(self, server: object, way: Way):
        results = self._send(server, way)
        assert [result.outcome for result in results] == [SendOutcome.ACCEPTED] * len(PEOPLE)
        assert [result.message_id for result in results] == list(PEOPLE)
        assert sorted(self.taken(server)) == list(PEOPLE)

    @pytest.mark.parametrize("bytes_brought", [0, 1, 5, 60, 150, 200, 400, 900, 1500])
    def test_a2_an_answer_cut_short_neither_loses_nor_fails_anybody(
        self, server: object, bytes_brought: int
    ):
        try:
            results = self._send(server, Way(cut_after_bytes=bytes_brought, connections_cut=2))
        except ChannelError:
            assert self.taken(server) == []
            return
        taken = self.taken(server)
        assert len(taken) == len(set(taken))
        by_outcome: dict[SendOutcome, set[int]] = {outcome: set() for outcome in SendOutcome}
        for result in results:
            by_outcome[result.outcome].add(result.message_id)
        assert by_outcome[SendOutcome.REJECTED] == set()
        assert by_outcome[SendOutcome.ACCEPTED] <= set(taken)
        assert not (by_outcome[SendOutcome.NOT_TAKEN] | by_outcome[SendOutcome.RETRY]) & set(taken)
        assert set(taken) <= by_outcome[SendOutcome.ACCEPTED] | by_outcome[SendOutcome.UNKNOWN]

    def test_a2_connections_that_are_swallowed_have_taken_nobody_with_them(self):
        with swallowing_port() as port:
            channel = self.channel_to(port)
            try:
                with pytest.raises(ChannelUnavailable):
                    channel.send(self.batch(PEOPLE))
            finally:
                channel.close()
