"""A campaign that waits for triggers: an event of a person, or a call of an own system."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from campaigns.domain.campaigns.recurrence import Again
from customers.domain.events.event import EventName

# A month: who waits for longer begins a campaign of her own with a segment.
MOST_DELAY_MINUTES = 31 * 24 * 60
LONGEST_CONDITION = 100
# What sending itself writes would begin the next message, and that one the next.
TRIGGER_EVENTS = tuple(
    name
    for name in EventName
    if name not in {EventName.MESSAGE_SENT, EventName.MESSAGE_DELIVERED, EventName.MESSAGE_BOUNCED}
)


class TriggerKind(StrEnum):
    """What begins a message to somebody."""

    EVENT = "event"
    API = "api"


class TriggerState(StrEnum):
    """Where one trigger stands."""

    WAITING = "waiting"
    ENROLLED = "enrolled"
    REFUSED = "refused"


class TriggerRefusal(StrEnum):
    """Why a trigger began nothing."""

    BEFORE_START = "before_start"
    TOO_LATE = "too_late"
    NOT_IN_SEGMENT = "not_in_segment"
    EXCLUDED = "excluded"
    GOAL_REACHED = "goal_reached"
    IN_EARLIER_RUN = "in_earlier_run"
    SAME_PERSON = "same_person"
    CAMPAIGN_OVER = "campaign_over"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a campaign waits for.

    Attributes:
        event: Name of the event; empty of a campaign that calls begin.
        channel: The event's own; empty for any, as is `subject`.
        amount_at_least: Of the event; None for any, also of one without an amount.
        delay_minutes: From the event, or the call, to the message.
        again_after_days: Of `Again.NOT_WITHIN_DAYS`.
    """

    kind: TriggerKind
    event: str = ""
    channel: str = ""
    subject: str = ""
    amount_at_least: Decimal | None = None
    amount_at_most: Decimal | None = None
    delay_minutes: int = 0
    again: Again = Again.EVERY_RUN
    again_after_days: int = 30

    def due_at(self, occurred_at: datetime) -> datetime:
        """Return when the message to something that happened is due."""
        return occurred_at + timedelta(minutes=self.delay_minutes)


def refusal_by_time(
    *, occurred_at: datetime, due_at: datetime, begins_at: datetime, late_hours: int, now: datetime
) -> TriggerRefusal | None:
    """Return why a trigger comes too early or too late for its campaign; None when it does not.

    Args:
        begins_at: Since when the campaign listens.
        late_hours: How long after it was due a message may begin.
    """
    if occurred_at < begins_at:
        return TriggerRefusal.BEFORE_START
    if now > due_at + timedelta(hours=late_hours):
        return TriggerRefusal.TOO_LATE
    return None
