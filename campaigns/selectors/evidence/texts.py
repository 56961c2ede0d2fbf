"""The kept texts of messages: which there are, and what they say without anybody's data."""

from dataclasses import dataclass
from datetime import datetime

from campaigns.domain.evidence import kept_text
from campaigns.domain.sending.states import MessageState
from campaigns.models import KeptText, Message

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

    kept_id: int
    attempt: int
    at: datetime
    digest: str
    sender: str
    subject: str
    text: str


def texts_of(message: Message) -> list[SentText]:
    """Return what a message said, the last try first; of a repeated try, what went out last."""
    if message.state in _NEVER_OUT:
        return []
    rows = (
        KeptText.objects.filter(message=message, attempt__lte=message.attempts)
        .select_related("form")
        .order_by("-attempt", "-pk")
    )
    found: dict[int, SentText] = {}
    for row in rows:
        if row.attempt not in found:
            *_fixed, sender, subject, text, html = kept_text.parts_of(row.form.text)
            found[row.attempt] = SentText(
                row.pk, row.attempt, row.at, row.digest, sender, subject, text or html
            )
    return list(found.values())
