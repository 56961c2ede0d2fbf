"""What the test of a channel showed."""

from enum import StrEnum


class ChannelFinding(StrEnum):
    """What a test showed."""

    WORKS = "works"
    KEYS_SHOWN = "keys_shown"
    KEYS_NOT_SHOWN = "keys_not_shown"
    REFUSED = "refused"
    BLOCKED = "blocked"
    AWAY = "away"
    UNCLEAR = "unclear"
