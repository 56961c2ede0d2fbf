"""The exact texts of messages: which there are, and what they say without anybody's data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from campaigns.domain.evidence import squeezing
from campaigns.domain.sending.states import MessageState
from campaigns.models import Message, MessageText

# Nothing was handed over, so whatever was written is no text that anybody got.
_NEVER_OUT = frozenset(
    {
        MessageState.PLANNED,
        MessageState.SKIPPED,
        MessageState.HELD_OUT,
        MessageState.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class SentText:
    """One text as it left us; what differs from person to person stands as its variable.

    Attributes:
        digest: Keyed fingerprint of the exact text.
    """

    text_id: int
    attempt: int
    at: datetime
    digest: str
    sender: str
    subject: str
    text: str


def texts_of(message: Message) -> list[SentText]:
    """Return what a message said, the last try first; of a repeated try, what went out last."""
    return texts_of_all([message])[message.pk]


def texts_of_all(messages: Sequence[Message]) -> dict[int, list[SentText]]:
    """Return what messages said, by message; one query."""
    tries = {row.pk: row.attempts for row in messages if row.state not in _NEVER_OUT}
    rows = (
        MessageText.objects.filter(message__in=list(tries))
        .select_related("master")
        .order_by("-attempt", "-pk")
    )
    found: dict[int, dict[int, SentText]] = {row.pk: {} for row in messages}
    for row in rows:
        of_message = found[row.message_id]
        if row.attempt <= tries[row.message_id] and row.attempt not in of_message:
            *_fixed, sender, subject, text, html = squeezing.parts_of(row.master.text)
            of_message[row.attempt] = SentText(
                row.pk, row.attempt, row.at, row.digest, sender, subject, text or html
            )
    return {key: list(of_message.values()) for key, of_message in found.items()}
