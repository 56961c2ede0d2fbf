"""How a simulated provider treats a message: chosen by its address alone, so that runs repeat."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zlib import crc32


class SimulatedFate(StrEnum):
    """What a simulated provider does with a message.

    `LEAVE_ONCE` says good-bye (421) at the first attempt and accepts the second.
    """

    ACCEPT = "accept"
    REJECT = "reject"
    RETRY = "retry"
    DROP = "drop"
    HANG = "hang"
    LEAVE_ONCE = "leave_once"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Rules of a simulated provider.

    Attributes:
        latency_seconds: Every answer is this late.
        fail_share: Share of the addresses that are refused for good, by a hash of the address.
        retry_share: Share of the addresses that are put off for now.
        rules: A part of an address and the fate of those that contain it; the first match wins and
            stands before the shares.
    """

    latency_seconds: float = 0.0
    fail_share: float = 0.0
    retry_share: float = 0.0
    rules: Mapping[str, SimulatedFate] = field(default_factory=dict)

    def fate(self, address: str) -> SimulatedFate:
        """Return what becomes of messages to an address."""
        for part, fate in self.rules.items():
            if part in address:
                return fate
        if not (self.fail_share or self.retry_share):
            return SimulatedFate.ACCEPT
        point = fraction(address)
        if point < self.fail_share:
            return SimulatedFate.REJECT
        if point < self.fail_share + self.retry_share:
            return SimulatedFate.RETRY
        return SimulatedFate.ACCEPT


def fraction(text: str, salt: str = "") -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return crc32(f"{salt}{text}".encode()) / 2**32
