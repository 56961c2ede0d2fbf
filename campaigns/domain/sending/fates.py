"""What people find out about messages of which it was unknown whether they were sent."""

from enum import StrEnum


class FateDecision(StrEnum):
    """What a person found out about messages, and what is to happen then."""

    WAS_SENT = "was_sent"
    WAS_NOT_SENT = "was_not_sent"
    SEND_AGAIN = "send_again"


class ConfirmationFate(StrEnum):
    """What a person found out about messages that ask to confirm a consent."""

    WAS_SENT = "was_sent"
    SEND_AGAIN = "send_again"
