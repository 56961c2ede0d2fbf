"""What is known of a send in the calendar."""

from enum import StrEnum


class SendKind(StrEnum):
    """What is known of a send."""

    BEGUN = "begun"
    SCHEDULED = "scheduled"
    COMING_RUN = "coming_run"
    NOT_LAUNCHED = "not_launched"
