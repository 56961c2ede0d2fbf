"""In which order a campaign is written."""

from enum import StrEnum


class ComposingStep(StrEnum):
    """The parts of the page on which a campaign is written."""

    AUDIENCE = "audience"
    CONTENT = "content"
    TIME = "time"
    GOAL = "goal"
    CHECK = "check"
