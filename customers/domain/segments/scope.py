"""What a rule is read against: the moment, the company's zone and the segments it refers to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from customers.domain.fields.catalogue import Catalogue
from customers.domain.segments.ast import Period, Rule, Window, WithinDays


@dataclass(frozen=True, slots=True)
class RuleScope:
    """Everything beside the customer that decides whether a rule holds.

    Attributes:
        now: Aware moment; nothing later counts.
        zone: Company's zone, in which moments have their day.
        rules: Rules of the dynamic segments that may be referred to, by slug. Any other slug is a
            list of members.
        among: The only customers asked about, where the answer for few is wanted; None is all.
    """

    catalogue: Catalogue
    now: datetime
    zone: ZoneInfo
    rules: Mapping[str, Rule] = field(default_factory=dict)
    among: tuple[int, ...] | None = None

    @property
    def today(self) -> date:
        """Return the company's calendar day."""
        return self.now.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """Return the moment, in UTC, at which a day of the company begins."""
        return datetime.combine(day, time.min, tzinfo=self.zone).astimezone(UTC)

    def bounds(self, window: Window | None) -> tuple[datetime | None, datetime | None]:
        """Return the first moment of a window and the first moment after it; None where open."""
        match window:
            case None:
                return None, None
            case WithinDays(days):
                return self.now - timedelta(days=days), None
            case Period(start, end):
                after = end if isinstance(end, datetime) else end + timedelta(days=1)
                return self._moment(start), self._moment(after)

    def _moment(self, end: date | datetime) -> datetime:
        if not isinstance(end, datetime):
            return self.midnight(end)
        return (end if end.tzinfo else end.replace(tzinfo=self.zone)).astimezone(UTC)
