"""When so much of a campaign goes astray that somebody should look."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from campaigns.domain.sending.states import MessageState

# Fewer than this say nothing about a share.
FEWEST: Final = 50
MOST_BOUNCED: Final = 0.05
MOST_SKIPPED: Final = 0.40
_ANSWERED: Final = (MessageState.SENT, MessageState.DELIVERED, MessageState.BOUNCED)


class DeliveryAlertKind(StrEnum):
    """What is too much."""

    BOUNCED = "bounced"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class DeliveryAlert:
    """One share that is too high.

    Attributes:
        share: Of the messages that were handed over, or of the people decided about; 0 to 1.
    """

    kind: DeliveryAlertKind
    count: int
    total: int

    @property
    def share(self) -> float:
        """Return how large it is."""
        return self.count / self.total


def alerts(states: Mapping[str, int]) -> tuple[DeliveryAlert, ...]:
    """Return what is too much among the messages of one campaign.

    Args:
        states: How many messages are in each state; the control group and what is still to be sent
            count for nothing.
    """
    handed_over = sum(states.get(state, 0) for state in _ANSWERED)
    failed = states.get(MessageState.FAILED, 0) + states.get(MessageState.UNKNOWN, 0)
    skipped = states.get(MessageState.SKIPPED, 0)
    found = (
        (DeliveryAlertKind.BOUNCED, states.get(MessageState.BOUNCED, 0), handed_over, MOST_BOUNCED),
        (DeliveryAlertKind.SKIPPED, skipped, handed_over + failed + skipped, MOST_SKIPPED),
    )
    return tuple(
        DeliveryAlert(kind, count, total)
        for kind, count, total, most in found
        if total >= FEWEST and count > most * total
    )
