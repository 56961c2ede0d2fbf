"""The order of one customer's timeline: newest first over many tables, and where a page ends."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from heapq import merge
from itertools import islice

from customers.domain.events.event import NAME_LENGTH

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_VERSION = "v1"
_LARGEST = 2**63
# Moments near the ends of the calendar cannot be brought into another zone.
_YEARS = range(1900, 2201)


class TimelineKind(StrEnum):
    """What sort of thing happened."""

    EVENT = "event"
    MESSAGE = "message"
    APPLICATION = "application"
    LOAN = "loan"
    CONSENT = "consent"
    STAGE = "stage"
    SCORE = "score"
    RECORD = "record"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class TimelinePosition:
    """A place between two entries.

    Entries of one moment stand in the order of their sources, and within one source the newest row
    comes first, so no two entries have the same place.
    """

    at: datetime
    rank: int
    key: int

    @property
    def order(self) -> tuple[timedelta, int, int]:
        """Return what sorts the newest entry first."""
        return _EPOCH - self.at, self.rank, -self.key

    def encoded(self) -> str:
        """Return the place as the opaque text that a client hands back."""
        microseconds = (self.at - _EPOCH) // _MICROSECOND
        text = f"{_VERSION}:{microseconds}:{self.rank}:{self.key}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decoded(cursor: str) -> TimelinePosition:
    """Return the place that a cursor stands for.

    Raises:
        ValueError: It was not made by `TimelinePosition.encoded`.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        version, *digits = text.split(":")
        microseconds, rank, key = (int(number) for number in digits)
        at = _EPOCH + microseconds * _MICROSECOND
    except (ValueError, OverflowError, binascii.Error) as error:
        raise ValueError("no cursor of a timeline") from error
    if version != _VERSION or not 0 <= rank < 1_000 or not 0 <= key < _LARGEST:
        raise ValueError("no cursor of a timeline")
    if at.year not in _YEARS:
        raise ValueError("no cursor of a timeline")
    return TimelinePosition(at, rank, key)


@dataclass(frozen=True, slots=True)
class TimelineFilter:
    """Which entries are wanted; an empty value wants all.

    Attributes:
        start: First moment that is wanted.
        end: First moment that is not wanted any more.
        event: Name of an event; with it, only the event log is read.
        source: Who reported it; with it, only the event log is read.
    """

    kinds: frozenset[TimelineKind] = frozenset()
    channel: str = ""
    event: str = ""
    source: str = ""
    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_of_events(self) -> bool:
        """Return whether only rows of the event log can pass."""
        return bool(self.event or self.source)

    def wants(self, kind: TimelineKind, *, has_channel: bool) -> bool:
        """Return whether entries of a kind can pass at all."""
        if self.kinds and kind not in self.kinds:
            return False
        if self.is_of_events and kind is not TimelineKind.EVENT:
            return False
        return has_channel or not self.channel


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One thing that happened to a customer, without personal data.

    Attributes:
        name: Stable code of what happened, such as `loan_disbursed`.
        title: What happened, for a reader.
        subject: What it is about, for a reader: a product, a stage, a campaign.
        channel: Code of the channel, empty where there is none.
        facts: Further codes and figures, such as `reason`, `gate`, `rule_version`, `version`.
        notes: The facts for a reader, one short text each.
    """

    position: TimelinePosition
    kind: TimelineKind
    name: str
    title: str
    subject: str = ""
    channel: str = ""
    amount: Decimal | None = None
    source: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def at(self) -> datetime:
        """Return when it happened."""
        return self.position.at


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Some entries, newest first, and the cursor of the older ones or None."""

    entries: Sequence[TimelineItem]
    older: str | None


def read_filter(
    *,
    zone: tzinfo,
    kind: str = "",
    channel: str = "",
    event: str = "",
    first: str = "",
    last: str = "",
) -> TimelineFilter:
    """Return the filter that texts from outside describe.

    Args:
        zone: Zone in which days begin.
        kind: One kind, or several separated by commas.
        first: First day that is wanted, as YYYY-MM-DD.
        last: Last day that is wanted.

    Raises:
        ValueError: A kind or a day is none, a name is too long, or the days are in the wrong order.
    """
    for text in (channel, event):
        if len(text) > NAME_LENGTH or not text.isprintable():
            raise ValueError("no such channel or event")
    begins = _day(first) if first else None
    ends = _day(last) if last else None
    if begins and ends and begins > ends:
        raise ValueError("the last day is before the first")
    return TimelineFilter(
        kinds=frozenset(TimelineKind(name) for name in kind.split(",") if kind),
        channel=channel,
        event=event,
        start=start_of(begins, zone) if begins else None,
        end=start_of(ends + timedelta(days=1), zone) if ends else None,
    )


def _day(text: str) -> date:
    found = date.fromisoformat(text)
    if found.isoformat() != text or found.year not in _YEARS:
        raise ValueError("no day of a timeline")
    return found


def page_of(parts: Iterable[Iterable[TimelineItem]], *, size: int) -> TimelinePage:
    """Return the first `size` entries of parts that are each in order.

    Every part must hold its first `size` + 1 entries, or all of them.
    """
    found = list(islice(merge(*parts, key=lambda entry: entry.position.order), size + 1))
    shown = found[:size]
    is_more = len(found) > size
    return TimelinePage(shown, shown[-1].position.encoded() if is_more and shown else None)


def start_of(day: date, zone: tzinfo) -> datetime:
    """Return the first moment of a day, at which things stand of which only the day is known."""
    return datetime.combine(day, time(), tzinfo=zone)


def last_day_before(at: datetime, zone: tzinfo) -> date:
    """Return the last day that began before a moment."""
    local = at.astimezone(zone)
    return local.date() - timedelta(days=1) if local.time() == time() else local.date()
