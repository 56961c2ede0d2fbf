"""Whom a campaign leaves out although its segment chooses them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from customers.domain.events.event import EventName

MOST_DAYS = 3650
USUAL_DAYS = 30


class ExclusionReason(StrEnum):
    """Why somebody of the segment is not in the audience; the first that holds is counted."""

    SEGMENT = "excluded_segment"
    MESSAGED = "messaged_lately"
    APPLIED = "applied_lately"
    CALLED = "called_lately"


# What a person did or was done to, by the event that tells it.
EVENTS = {
    ExclusionReason.APPLIED: EventName.APPLICATION_SUBMITTED,
    ExclusionReason.CALLED: EventName.CALL_MADE,
}


@dataclass(frozen=True, slots=True)
class Exclusions:
    """The rules of one campaign.

    Attributes:
        segments: Slugs of segments whose people get nothing.
        campaigns: Slugs of campaigns; who had a message of one lately gets nothing.
        tags: Likewise of any campaign that has the tag.
        messaged_days: How many days back that is looked for.
        applied_days: Who applied so many days back gets nothing; None where that is not asked.
        called_days: Who was called, likewise.
    """

    segments: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    messaged_days: int = USUAL_DAYS
    applied_days: int | None = None
    called_days: int | None = None

    def __bool__(self) -> bool:
        """Return whether anybody can be left out."""
        return bool(self.segments or self.campaigns or self.tags) or any(
            days is not None for days in (self.applied_days, self.called_days)
        )

    def event_days(self) -> list[tuple[ExclusionReason, int]]:
        """Return each event that is asked about with its days, in the order of the reasons."""
        days = {
            ExclusionReason.APPLIED: self.applied_days,
            ExclusionReason.CALLED: self.called_days,
        }
        return [(reason, count) for reason, count in days.items() if count is not None]


def since(now: datetime, days: int) -> datetime:
    """Return from when on something counts as lately."""
    return now - timedelta(days=days)
