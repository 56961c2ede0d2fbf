"""The door through which events enter the log: checked, once each, in any order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import (
    CharField,
    DateTimeField,
    Expression,
    F,
    JSONField,
    QuerySet,
    SmallIntegerField,
    Value,
)

from customers.domain.events.event import EventName, EventProblem, ReportedEvent
from customers.models import Event, EventType
from customers.selectors.identity import keys as identity
from customers.selectors.lifecycle_facts import STAGE_EVENTS
from customers.services.events import lifecycle
from loancrm.kernel.database import bulk

_BATCH = 1000


class EventOutcome(StrEnum):
    """What became of one reported event."""

    CREATED = "created"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of a batch of events.

    Attributes:
        outcomes: One an event, in the order given.
        problems: {position: why} of the rejected.
    """

    outcomes: tuple[EventOutcome, ...] = ()
    problems: Mapping[int, EventProblem] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Return how many events were handed in."""
        return len(self.outcomes)

    @property
    def created(self) -> int:
        """Return how many are new in the log."""
        return self.outcomes.count(EventOutcome.CREATED)

    @property
    def duplicates(self) -> int:
        """Return how many the log already had, or came twice."""
        return self.outcomes.count(EventOutcome.DUPLICATE)

    @property
    def rejected(self) -> int:
        """Return how many were not taken in."""
        return self.outcomes.count(EventOutcome.REJECTED)

    @property
    def by_reason(self) -> dict[str, int]:
        """Return how many were rejected for each reason."""
        return dict(Counter(problem.value for problem in self.problems.values()))


def append_events(*, events: Sequence[ReportedEvent], now: datetime) -> RecordResult:
    """Add events to the log; an event whose (source, dedup key) is known is left as it is.

    For a service that checks the permission and writes the audit entry itself. The stored events
    and the lifecycle stages do not depend on the order or on repetition. A person is found by the
    event's customer id, else by its source and external id; unknown names become event types.
    """
    outcomes: list[EventOutcome] = []
    problems: dict[int, EventProblem] = {}
    for start in range(0, len(events), _BATCH):
        with transaction.atomic():
            part = _append_batch(events[start : start + _BATCH], now)
        outcomes.extend(part.outcomes)
        problems.update({start + at: problem for at, problem in part.problems.items()})
    return RecordResult(tuple(outcomes), problems)


def append_selected(  # noqa: PLR0913 - one argument a column
    *,
    name: EventName,
    source: str,
    rows: QuerySet[Any],
    customer: Expression | F,
    occurred_at: Expression | F,
    dedup_key: Expression | F,
    channel: str,
    subject: str,
    now: datetime,
    are_new: bool = False,
) -> int:
    """Add one event for every selected row in one statement; those already there stay.

    For services whose rows are events by construction, such as sent messages. The event must be
    none that moves a lifecycle stage.

    Args:
        are_new: None can be there already; looking for them would cost a fifth of the time.

    Returns:
        How many events are new.
    """
    if name in STAGE_EVENTS:
        raise ValueError(name)
    text = CharField()
    return bulk.insert_select(
        Event,
        rows,
        {
            "customer": customer,
            "type": Value(event_type_ids([name])[name], output_field=SmallIntegerField()),
            "occurred_at": occurred_at,
            "received_at": Value(now, output_field=DateTimeField()),
            "channel": Value(channel, output_field=text),
            "subject": Value(subject, output_field=text),
            "properties": Value({}, output_field=JSONField()),
            "source": Value(source, output_field=text),
            "dedup_key": dedup_key,
        },
        ignore_conflicts=not are_new,
    )


def event_type_ids(names: Iterable[str]) -> dict[str, int]:
    """Return {name: id}, creating the event types that do not exist."""
    wanted = set(names)
    known = dict(EventType.objects.filter(name__in=wanted).values_list("name", "pk"))
    missing = sorted(wanted - known.keys())
    if missing:
        EventType.objects.bulk_create([EventType(name=x) for x in missing], ignore_conflicts=True)
        known = dict(EventType.objects.filter(name__in=wanted).values_list("name", "pk"))
    return known


def _append_batch(events: Sequence[ReportedEvent], now: datetime) -> RecordResult:
    people = _people(events)
    seen = _known_keys(events)
    types = event_type_ids(event.name for event in events)
    outcomes: list[EventOutcome] = []
    problems: dict[int, EventProblem] = {}
    fresh: list[Event] = []
    staged: set[int] = set()
    for position, event in enumerate(events):
        customer_id = event.customer_id or people.get((event.source, event.external_id))
        key = (event.source, event.dedup_key)
        if customer_id is None:
            problems[position] = EventProblem.PERSON_UNKNOWN
            outcomes.append(EventOutcome.REJECTED)
        elif key in seen:
            outcomes.append(EventOutcome.DUPLICATE)
        else:
            seen.add(key)
            outcomes.append(EventOutcome.CREATED)
            fresh.append(_row(event, customer_id, types[event.name], now))
            if event.name in STAGE_EVENTS:
                staged.add(customer_id)
    Event.objects.bulk_create(fresh, ignore_conflicts=True)
    lifecycle.refresh_stages(customer_ids=staged, now=now)
    return RecordResult(tuple(outcomes), problems)


def _people(events: Sequence[ReportedEvent]) -> dict[tuple[str, str], int]:
    wanted: dict[str, set[str]] = {}
    for event in events:
        if event.customer_id is None:
            wanted.setdefault(event.source, set()).add(event.external_id)
    return {
        (source, external_id): customer_id
        for source, ids in wanted.items()
        for external_id, customer_id in identity.customer_ids(
            source=source, external_ids=ids
        ).items()
    }


def _known_keys(events: Sequence[ReportedEvent]) -> set[tuple[str, str]]:
    wanted: dict[str, set[str]] = {}
    for event in events:
        wanted.setdefault(event.source, set()).add(event.dedup_key)
    return {
        (source, key)
        for source, keys in wanted.items()
        for key in Event.objects.filter(source=source, dedup_key__in=keys).values_list(
            "dedup_key", flat=True
        )
    }


def _row(event: ReportedEvent, customer_id: int, type_id: int, now: datetime) -> Event:
    return Event(
        customer_id=customer_id,
        type_id=type_id,
        occurred_at=event.occurred_at,
        received_at=now,
        amount=event.amount,
        channel=event.channel,
        subject=event.subject,
        properties=dict(event.properties),
        source=event.source,
        dedup_key=event.dedup_key,
    )
