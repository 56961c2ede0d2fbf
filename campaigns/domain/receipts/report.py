"""What comes back about a message, in one normal form, and which report outranks which.

Providers deliver reports late, twice and in any order, so a report never overwrites a stronger one:
`states_outranked_by` is the whole rule, and the service turns it into conditional updates.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from campaigns.domain.receipts.replies import ReplyMeaning, meaning_of
from campaigns.domain.sending.states import MESSAGE_MOVES, MessageState


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
    MESSAGE_AMBIGUOUS = "message_ambiguous"
    MESSAGE_PLANNED = "message_planned"
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


class ReportIdentity(NamedTuple):
    """What makes a report of an account the one that it is; the same one is applied once.

    Reports of another kind, of another meaning, or about another message or sender never repeat
    each other, whatever their ids. Who refuses again, at another time, refuses again.
    """

    provider_event_id: str
    kind: str
    meaning: str
    message_key: str
    provider_message_id: str
    address_index: str
    refused_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """One report about one message.

    Attributes:
        provider_event_id: The provider's id of the report. Gateways give one id to several reports
            about a message (delivered, replied), so it is only a part of what makes a report the
            one that it is: see `ReportIdentity`.
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
        """Return what a reply means, None for reports of another kind.

        Of a kind that nobody knows only the refusal in its words is kept.
        """
        match self.kind:
            case DeliveryKind.REPLIED:
                return self.meaning or meaning_of(self.text)
            case DeliveryKind.UNREADABLE:
                meaning = meaning_of(self.text)
                return None if meaning is ReplyMeaning.OTHER else meaning
            case _:
                return None

    @property
    def is_refusal(self) -> bool:
        """Return whether somebody says with it, or may say, that they want no more."""
        return self.kind is DeliveryKind.COMPLAINED or self.read_as in {
            ReplyMeaning.OPT_OUT,
            ReplyMeaning.REVIEW,
        }

    def identity(self, address_index: str) -> ReportIdentity:
        """Return what makes this report the one that it is.

        Args:
            address_index: Blind index of who wrote it, empty for nobody.
        """
        return ReportIdentity(
            provider_event_id=self.provider_event_id,
            kind=self.kind,
            meaning=self.read_as or "",
            message_key=self.message_key,
            provider_message_id=self.provider_message_id,
            address_index=address_index,
            refused_at=self.occurred_at if self.is_refusal else None,
        )


_STATE_OF_KIND = {
    DeliveryKind.DELIVERED: MessageState.DELIVERED,
    DeliveryKind.BOUNCED_HARD: MessageState.BOUNCED,
    DeliveryKind.BOUNCED_SOFT: MessageState.BOUNCED,
    DeliveryKind.FAILED: MessageState.FAILED,
}
# Strongest first: a phone that did get the message outweighs any report of failure.
STATES_BY_STRENGTH = (MessageState.DELIVERED, MessageState.BOUNCED, MessageState.FAILED)
_MAX_KEY_CHARACTERS = 64
_KEY = re.compile(r"m([0-9]{1,18})(?:\.([0-9a-z]{1,30}))?")

# Of a test (`t`) or a confirmation of an opt-in (`o`); see
# `campaigns.services.sending.side_messages`.
_SIDE_KEY = re.compile(r"t[0-9a-f]{1,32}|o[0-9]{1,18}(?:\.[0-9a-z]{1,30})?")


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


def message_key(deployment_id: str, message_id: int) -> str:
    """Return the key by which providers know a message.

    Args:
        deployment_id: Key space of the dispatch: which deployment planned it, in which epoch. A
            staging copy or a restored database on the same account never meets old answers.
    """
    return f"m{message_id}.{deployment_id}" if deployment_id else f"m{message_id}"


def confirmation_key(deployment_id: str, request_id: int) -> str:
    """Return the key by which providers know the message that asks to confirm a consent.

    Args:
        deployment_id: Key space of the deployment, as in `message_key`.
    """
    return f"o{request_id}.{deployment_id}"


def key_space_of(key: str) -> str:
    """Return the key space that a key carries, empty for none."""
    match = _KEY.fullmatch(_bare_key(key))
    return (match[2] or "") if match else ""


def is_side_key(key: str) -> bool:
    """Return whether a key names a test or a confirmation, which belong to no campaign."""
    return _SIDE_KEY.fullmatch(key.strip("<> ").partition("@")[0]) is not None


def message_id_of(key: str) -> int | None:
    """Return the message that a key names, whatever stands around it (a Message-ID), or None."""
    match = _KEY.fullmatch(_bare_key(key))
    return int(match[1]) if match else None


def storable_key(text: str) -> str:
    """Return a key as it came in a form that every database holds.

    Ours are cut down to the key itself. A foreign one that is too long or holds what a database
    refuses becomes a digest: cut, it could turn into the key of another message.
    """
    text = text.strip()
    if message_id_of(text) is not None:
        return _bare_key(text)
    if len(text) <= _MAX_KEY_CHARACTERS and text.isprintable():
        return text
    return f"~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def _bare_key(key: str) -> str:
    return key.strip("<> ").partition("@")[0]
