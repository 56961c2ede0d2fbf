"""What comes back about a message, in one normal form, and which report outranks which.

Providers deliver reports late, twice and in any order, so a report never overwrites a stronger one:
`states_outranked_by` is the whole rule, and the service turns it into conditional updates.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from campaigns.domain.campaign import MESSAGE_MOVES, MessageState


class DeliveryKind(StrEnum):
    """What a provider can say about a message, or a person about being contacted."""

    DELIVERED = "delivered"
    BOUNCED_HARD = "bounced_hard"
    BOUNCED_SOFT = "bounced_soft"
    FAILED = "failed"
    COMPLAINED = "complained"
    REPLIED = "replied"
    OPENED = "opened"
    CLICKED = "clicked"


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """One report about one message.

    Attributes:
        provider_event_id: The provider's id of the report; the same id is applied once.
        kind: What happened.
        provider_message_id: The provider's id of the message, empty when it names only our key.
        message_key: Our idempotency key of the message, empty when the report does not carry it.
        occurred_at: When it happened by the provider's clock, aware.
        detail: Status code or short text for the operator; never an address.
        text: What the person wrote, for replies.
        address: Who wrote it, for replies that name no message (an SMS to our number).
    """

    provider_event_id: str
    kind: DeliveryKind
    provider_message_id: str
    message_key: str
    occurred_at: datetime
    detail: str = ""
    text: str = field(default="", repr=False)
    address: str = field(default="", repr=False)


# RFC 3463 codes that say the mailbox itself cannot take mail, now or later. A 5.7.x is about the
# sender or its policy and never blames the address; 5.2.2 (mailbox full) may pass.
_HARD_CODES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.10", "5.2.1", "5.4.4"})

_STATE_OF_KIND = {
    DeliveryKind.DELIVERED: MessageState.DELIVERED,
    DeliveryKind.BOUNCED_HARD: MessageState.BOUNCED,
    DeliveryKind.BOUNCED_SOFT: MessageState.BOUNCED,
    DeliveryKind.FAILED: MessageState.FAILED,
}
# Strongest first: a phone that did get the message outweighs any report of failure.
STATES_BY_STRENGTH = (MessageState.DELIVERED, MessageState.BOUNCED, MessageState.FAILED)
_KEY = re.compile(r"m([0-9]{1,18})")


def state_reported(kind: DeliveryKind) -> MessageState | None:
    """Return the state that a report asks for; None for what says nothing about delivery."""
    return _STATE_OF_KIND.get(kind)


def states_outranked_by(state: MessageState) -> tuple[MessageState, ...]:
    """Return the states from which a report may move a message to `state`."""
    return tuple(
        before
        for before, moves in MESSAGE_MOVES.items()
        if state in moves and before is not MessageState.PLANNED
    )


def strongest(states: Iterable[MessageState]) -> MessageState:
    """Return the report that counts among several about one message."""
    return min(states, key=STATES_BY_STRENGTH.index)


def is_hard_bounce(code: str) -> bool:
    """Return whether an SMTP status code says that the address does not exist."""
    return code in _HARD_CODES


def message_id_of(key: str) -> int | None:
    """Return the message that a key names, whatever stands around it (a Message-ID), or None."""
    match = _KEY.fullmatch(key.strip("<> ").partition("@")[0])
    return int(match[1]) if match else None
