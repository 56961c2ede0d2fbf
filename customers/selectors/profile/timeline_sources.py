"""How one table is read as a part of a customer's timeline: newest first, from a place on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from django.db.models import Q, QuerySet

from customers.domain.timeline import (
    TimelineFilter,
    TimelineItem,
    TimelineKind,
    TimelinePosition,
    last_day_before,
    start_of,
)

Rows = Callable[[int, TimelineFilter, tzinfo], QuerySet[Any, Any]]


@dataclass(frozen=True, slots=True)
class TimelineSource:
    """One table, or one moment of its rows.

    Attributes:
        rank: Place among entries of the same moment; no two sources have the same.
        rows: Rows of a customer that a filter wants, its period apart.
        at: Column or annotation with the moment; rows without one are left out.
        is_day: `at` is a date, which stands at the first moment of its day.
        has_channel: The rows can be told apart by channel.
        permission: Without it a reader sees none of the rows; empty where the customer is enough.
        entry: Makes the entry of a row.
    """

    rank: int
    kind: TimelineKind
    rows: Rows
    at: str
    entry: Callable[[Any, TimelinePosition], TimelineItem]
    is_day: bool = False
    has_channel: bool = False
    permission: str = ""

    def read(
        self,
        customer_id: int,
        wanted: TimelineFilter,
        *,
        after: TimelinePosition | None,
        limit: int,
        zone: tzinfo,
    ) -> Sequence[TimelineItem]:
        """Return the first entries after a place, in one query at most."""
        if not wanted.wants(self.kind, has_channel=self.has_channel):
            return ()
        rows = self.queryset(customer_id, wanted, after=after, zone=zone)[:limit]
        return [self.entry(row, self._position(row, zone)) for row in rows]

    def queryset(
        self,
        customer_id: int,
        wanted: TimelineFilter,
        *,
        after: TimelinePosition | None,
        zone: tzinfo,
    ) -> QuerySet[Any, Any]:
        """Return the rows after a place in the order of the timeline."""
        rows = self.rows(customer_id, wanted, zone).exclude(**{f"{self.at}__isnull": True})
        if wanted.start is not None:
            rows = rows.exclude(self._before(wanted.start, zone))
        if wanted.end is not None:
            rows = rows.filter(self._before(wanted.end, zone))
        if after is not None:
            rows = rows.filter(self._after(after, zone))
        return rows.order_by(f"-{self.at}", "-pk")

    def _before(self, moment: datetime, zone: tzinfo) -> Q:
        if self.is_day:
            return Q(**{f"{self.at}__lte": last_day_before(moment, zone)})
        return Q(**{f"{self.at}__lt": moment})

    def _until(self, moment: datetime, zone: tzinfo) -> Q:
        value: date | datetime = moment.astimezone(zone).date() if self.is_day else moment
        return Q(**{f"{self.at}__lte": value})

    def _after(self, place: TimelinePosition, zone: tzinfo) -> Q:
        """Return the condition for older rows.

        The bound on the moment stands by itself, so that an index can begin there.
        """
        if self.rank < place.rank:
            return self._before(place.at, zone)
        if self.rank > place.rank:
            return self._until(place.at, zone)
        return self._until(place.at, zone) & (self._before(place.at, zone) | Q(pk__lt=place.key))

    def _position(self, row: Any, zone: tzinfo) -> TimelinePosition:
        at = getattr(row, self.at)
        return TimelinePosition(start_of(at, zone) if self.is_day else at, self.rank, row.pk)
