"""What people are told of."""

from enum import StrEnum


class NoticeKind(StrEnum):
    """Why somebody is told."""

    APPROVAL_WAITS = "approval_waits"
    REFUSED = "refused"
    HELD = "held"
    WINNER_ASKED = "winner_asked"
    ENDED = "ended"
    CANCELLED = "cancelled"


class MailState(StrEnum):
    """What became of the mail about it; one is unwanted that the reader chose not to get."""

    DUE = "due"
    SENT = "sent"
    UNWANTED = "unwanted"
    GIVEN_UP = "given_up"
