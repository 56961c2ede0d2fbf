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
from campaigns.domain.replies import ReplyMeaning, meaning_of


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
    UNREADABLE = "unreadable"


class ReceiptProblem(StrEnum):
    """Why a report could not be applied, or not yet."""

    MESSAGE_UNKNOWN = "message_unknown"
    SENDER_UNREADABLE = "sender_unreadable"
    NAMES_NOBODY = "names_nobody"
    KIND_UNKNOWN = "kind_unknown"
    REPORT_UNREADABLE = "report_unreadable"
    GIVEN_UP = "given_up"
    SETTLED_BY_HAND = "settled_by_hand"


# What still waits: for its message, or for somebody to look at it.
OPEN_PROBLEMS = tuple(
    problem
    for problem in ReceiptProblem
    if problem not in {ReceiptProblem.GIVEN_UP, ReceiptProblem.SETTLED_BY_HAND}
)
# A message is settled within seconds of the first report about it, so the first tries do not wait.
_TRIES_AT_ONCE = 3
_FIRST_WAIT_SECONDS = 60
_LONGEST_WAIT_SECONDS = 6 * 3600


def wait_seconds(tries: int) -> int:
    """Return how long a report waits for its message after so many vain tries: ever longer."""
    if tries < _TRIES_AT_ONCE:
        return 0
    return min(_FIRST_WAIT_SECONDS << min(tries - _TRIES_AT_ONCE, 20), _LONGEST_WAIT_SECONDS)


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
        meaning: What the reply was read as when it came, for one that waited: its words are not
            kept.
        address_index: Blind index of who wrote it, for one that waited.
        problem: Why nobody could say what the report means.
    """

    provider_event_id: str
    kind: DeliveryKind
    provider_message_id: str
    message_key: str
    occurred_at: datetime
    detail: str = ""
    text: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    meaning: ReplyMeaning | None = None
    address_index: str = ""
    problem: ReceiptProblem | None = None

    @property
    def read_as(self) -> ReplyMeaning | None:
        """Return what a reply means, None for reports of another kind."""
        if self.kind is not DeliveryKind.REPLIED:
            return None
        return self.meaning or meaning_of(self.text)

    @property
    def is_refusal(self) -> bool:
        """Return whether somebody says with it, or may say, that they want no more."""
        return self.kind is DeliveryKind.COMPLAINED or self.read_as in {
            ReplyMeaning.OPT_OUT,
            ReplyMeaning.REVIEW,
        }


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
_KEY = re.compile(r"m([0-9]{1,18})(?:\.([0-9a-z]{1,30}))?")


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


def message_key(deployment_id: str, message_id: int) -> str:
    """Return the key by which providers know a message.

    Args:
        deployment_id: Key space of the dispatch: which deployment planned it, in which epoch. A
            staging copy or a restored database on the same account never meets old answers.
    """
    return f"m{message_id}.{deployment_id}" if deployment_id else f"m{message_id}"


def key_space_of(key: str) -> str:
    """Return the key space that a key carries, empty for none."""
    match = _KEY.fullmatch(key.strip("<> ").partition("@")[0])
    return (match[2] or "") if match else ""


def message_id_of(key: str) -> int | None:
    """Return the message that a key names, whatever stands around it (a Message-ID), or None."""
    match = _KEY.fullmatch(key.strip("<> ").partition("@")[0])
    return int(match[1]) if match else None
