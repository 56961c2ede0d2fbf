"""What a draft still lacks before somebody else can look at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DraftGap(StrEnum):
    """What is missing, or has to be looked at again."""

    NO_SEGMENT = "no_segment"
    NO_MESSAGE = "no_message"
    NO_CHANNEL = "no_channel"
    CHANNEL_OFF = "channel_off"
    START_PASSED = "start_passed"


@dataclass(frozen=True, slots=True)
class DraftFacts:
    """What is known of a draft.

    Attributes:
        channels_on: Of each message, whether its channel is in use; None without a channel.
        text_count: Texts that its messages have now.
        start_at: When it is to begin; None at once.
    """

    has_segment: bool
    channels_on: Sequence[bool | None]
    text_count: int
    start_at: datetime | None


def gaps(facts: DraftFacts, *, now: datetime) -> tuple[DraftGap, ...]:
    """Return what a draft lacks; none where it can be submitted as far as this can be told."""
    found = {
        DraftGap.NO_SEGMENT: not facts.has_segment,
        DraftGap.NO_MESSAGE: not facts.channels_on or not facts.text_count,
        DraftGap.NO_CHANNEL: None in facts.channels_on,
        DraftGap.CHANNEL_OFF: False in facts.channels_on,
        DraftGap.START_PASSED: facts.start_at is not None and facts.start_at < now,
    }
    return tuple(gap for gap, is_there in found.items() if is_there)
