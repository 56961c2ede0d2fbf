"""One contact of a campaign that ran elsewhere, as a file reports it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from customers.domain.events.event import (
    CHANNEL_LENGTH,
    EventError,
    EventName,
    EventProblem,
    derived_key,
    parse_amount,
    parse_time,
)
from customers.domain.values.words import clean
from loancrm.kernel.identifiers import bounded_id

VARIANT_LENGTH = 10


class TouchChannel(StrEnum):
    """The ways in which past campaigns reached people."""

    PHONE = "phone"
    SMS = "sms"
    EMAIL = "email"

    @property
    def event_name(self) -> EventName:
        """Return the event that one touch on this channel is."""
        return EventName.CALL_MADE if self is TouchChannel.PHONE else EventName.MESSAGE_DELIVERED


@dataclass(frozen=True, slots=True)
class Touch:
    """One contact with one person; cost in CNY, zero when the file names none."""

    external_id: str
    touched_at: datetime
    dedup_key: str
    variant: str = ""
    cost_amount: Decimal = Decimal(0)
    medium: str = ""


@dataclass(frozen=True, slots=True)
class Exposure:
    """All touches of one person: the first one counts as the exposure."""

    first_at: datetime
    last_at: datetime
    variant: str
    touch_count: int
    cost_amount: Decimal

    @classmethod
    def of(cls, touch: Touch) -> "Exposure":
        """Return the exposure by a single touch."""
        at = touch.touched_at
        return cls(at, at, touch.variant, 1, touch.cost_amount)

    def with_touch(self, touch: Touch) -> "Exposure":
        """Return the exposure with one more touch, whatever the order of the touches."""
        # Of touches at the same moment the smallest variant wins, so that order never matters.
        is_first = (touch.touched_at, touch.variant) < (self.first_at, self.variant)
        return Exposure(
            first_at=min(self.first_at, touch.touched_at),
            last_at=max(self.last_at, touch.touched_at),
            variant=touch.variant if is_first else self.variant,
            touch_count=self.touch_count + 1,
            cost_amount=self.cost_amount + touch.cost_amount,
        )


def parse_touch(
    row: Mapping[str, Any], *, channel: TouchChannel, now: datetime, zone: tzinfo
) -> Touch:
    """Return the touch of a row with external_id and touched_at (or occurred_at).

    Optional columns: event_id, variant, cost, channel (kept as the medium, such as "cellular").

    Raises:
        EventError: A value is missing or invalid, or the touch lies in the future.
    """
    external_id = clean(_text(row, "external_id"))
    if not external_id:
        raise EventError(EventProblem.PERSON_MISSING)
    touched_at = parse_time(_text(row, "touched_at") or _text(row, "occurred_at"), zone=zone)
    if touched_at > now:
        raise EventError(EventProblem.TIME_IN_FUTURE)
    key = bounded_id(_text(row, "event_id"))
    name = channel.event_name
    return Touch(
        external_id=external_id,
        touched_at=touched_at,
        dedup_key=key
        or derived_key(external_id=external_id, name=name, occurred_at=touched_at, amount=""),
        variant=_text(row, "variant")[:VARIANT_LENGTH],
        cost_amount=parse_amount(_text(row, "cost")) or Decimal(0),
        medium=_text(row, "channel")[:CHANNEL_LENGTH] or channel.value,
    )


def is_touch(row: Mapping[str, Any], event_name: str) -> bool:
    """Return whether a row is a touch: it names that event, or the file has no event column."""
    name = _text(row, "event")
    return not name or name == event_name


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value).strip()
