"""Customers whose segments may have changed since the tables were last read.

Tables that only grow are read by key, customers by when they were last updated. A transaction that
commits late has smaller keys than what was read before it, so the last minute is read again; what
was seen there already is left out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Model, QuerySet

from customers.models import ChangeCursor, ConsentRecord, Customer, Event, Loan, Repayment, Score

CUSTOMERS = "customers"
EVENTS = "events"
SETTLES_AFTER = timedelta(minutes=1)
MAX_ROWS = 5_000
_GROWING: Mapping[str, tuple[type[Model], str]] = {
    EVENTS: (Event, "customer_id"),
    "consents": (ConsentRecord, "customer_id"),
    "loans": (Loan, "customer_id"),
    "repayments": (Repayment, "loan__customer_id"),
    "scores": (Score, "customer_id"),
}
NAMES = (CUSTOMERS, *_GROWING)
NEWEST = "newest"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Changes:
    """What was read.

    Attributes:
        customer_ids: Customers to look at again, in ascending order.
        is_complete: False when too much has changed to look at customers one by one.
        cursors: Where to read from next time, not stored yet.
    """

    customer_ids: tuple[int, ...]
    is_complete: bool
    cursors: tuple[ChangeCursor, ...]


def newest() -> dict[str, int]:
    """Return the highest position in every table; one look into an index each."""
    updated_at = Customer.objects.order_by("-updated_at").values_list("updated_at", flat=True)
    tops = {CUSTOMERS: _position(updated_at.first())}
    for name, (model, _path) in _GROWING.items():
        keys = _rows(model).order_by("-pk").values_list("pk", flat=True)
        tops[name] = keys.first() or 0
    return tops


def read_changes(
    stored: Mapping[str, ChangeCursor], *, event_types: Collection[int], now: datetime
) -> Changes:
    """Return the customers touched since the stored cursors.

    Args:
        stored: By name; a table without a cursor begins at its end.
        event_types: Types that any rule asks about; other events change nobody's segments.
    """
    tops = newest()
    customer_ids: set[int] = set()
    cursors = []
    is_complete = True
    for name in NAMES:
        cursor = stored.get(name)
        if cursor is None:
            top = tops[name]
            cursors.append(ChangeCursor(name=name, settled=top, top=top, top_at=now, seen={}))
            continue
        rows = list(_read(name, cursor.settled, event_types, now))
        if len(rows) > MAX_ROWS:
            is_complete = False
            top = tops[name]
            cursors.append(ChangeCursor(name=name, settled=top, top=top, top_at=now, seen={}))
            continue
        customer_ids |= {
            customer_id
            for key, position, customer_id in rows
            if cursor.seen.get(str(key)) != position
        }
        is_waiting = name == EVENTS and _awaits(cursor.settled, event_types, now)
        cursors.append(_advanced(cursor, rows, tops[name], now, is_waiting=is_waiting))
    return Changes(tuple(sorted(customer_ids)), is_complete, tuple(cursors))


def _read(
    name: str, settled: int, event_types: Collection[int], now: datetime
) -> Iterable[tuple[int, int, int]]:
    """Yield key, position and customer of the rows after a position, at most one too many."""
    if name == CUSTOMERS:
        after = _EPOCH + settled * _MICROSECOND
        found = Customer.objects.filter(updated_at__gt=after).order_by("updated_at")
        for key, updated_at in found.values_list("pk", "updated_at")[: MAX_ROWS + 1]:
            yield key, _position(updated_at), key
        return
    model, path = _GROWING[name]
    rows = _rows(model).filter(pk__gt=settled).order_by("pk")
    if name == EVENTS:
        # One of this very second counts for no rule yet; it is read when its moment has come.
        rows = rows.filter(type_id__in=event_types, occurred_at__lte=now)
    for key, customer_id in rows.values_list("pk", path)[: MAX_ROWS + 1]:
        yield key, key, customer_id


def _awaits(settled: int, event_types: Collection[int], now: datetime) -> bool:
    """Return whether an event is there already of which the moment has not come."""
    rows = Event.objects.filter(pk__gt=settled, type_id__in=event_types, occurred_at__gt=now)
    return rows.exists()


def _advanced(
    cursor: ChangeCursor,
    rows: Iterable[tuple[int, int, int]],
    top: int,
    now: datetime,
    *,
    is_waiting: bool,
) -> ChangeCursor:
    is_settled = now - cursor.top_at >= SETTLES_AFTER
    settled = cursor.top if is_settled else cursor.settled
    seen = {str(key): position for key, position, _id in rows if position > settled}
    if not is_waiting:
        # Rows that no rule asks about are not news again in the next round.
        seen[NEWEST] = top
    return ChangeCursor(
        name=cursor.name,
        settled=settled,
        top=max(top, cursor.top) if is_settled else cursor.top,
        top_at=now if is_settled else cursor.top_at,
        seen=seen,
    )


def _position(moment: datetime | None) -> int:
    return 0 if moment is None else (moment - _EPOCH) // _MICROSECOND


def _rows(model: type[Any]) -> QuerySet[Any]:
    found: QuerySet[Any] = model.objects.all()
    return found
