"""Reading what has changed, table by table, from where a consumer stopped.

Tables that only grow are read by key, others by the database's own stamp of each write
(`kernel.changes.stamps`). A transaction that commits late has smaller keys and stamps than what
was read before it. So a position is left behind only when every transaction that was open as it
was noted has ended, however long that takes, and a minute has passed; what lies above is read
again, and what a consumer was shown there already is left out. Every write that was committed is
shown at least once. Whoever dies between `read` and `advance` is shown the same again: a consumer
must bear to look at somebody twice.

Not shown: a row that was deleted, unless whoever deletes it writes to its subject; and, should the
database's clock be set back by more than a minute, stamped writes until it has caught up.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from loancrm.kernel.changes import stamps
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.manifest import ChangeTable
from loancrm.kernel.models import ChangeCursor

SETTLES_AFTER = timedelta(minutes=1)
MAX_ROWS = 5_000
NEWEST = "newest"
SKIPPED = "skipped"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Followed:
    """What one consumer wants to know of a table.

    Attributes:
        where: The rows that are news to it; the others never are.
        is_due: The rows that are news by now; the others are shown once this holds for them.
    """

    where: Q = field(default_factory=Q)
    is_due: Q = field(default_factory=Q)


@dataclass(frozen=True, slots=True)
class Changes:
    """What was read.

    Attributes:
        subjects: Keys of whom the rows are about, in ascending order.
        is_complete: False when too much has changed to look at one after the other; then a
            consumer looks at everybody.
        cursors: Where to read from next time, stored by `advance`.
    """

    subjects: tuple[int, ...]
    is_complete: bool
    cursors: tuple[ChangeCursor, ...]


@dataclass(frozen=True, slots=True)
class _FeedRow:
    key: int
    position: int
    subject: int


def has_news(*, consumer: str, tables: Collection[str], now: datetime) -> bool:
    """Return whether `read` could find something (a query and one for each table)."""
    stored = _stored(consumer)
    if set(tables) - stored.keys():
        return True
    if any(now - stored[name].top_at >= SETTLES_AFTER for name in tables):
        return True
    known = {name: max(stored[name].top, stored[name].seen.get(NEWEST, 0)) for name in tables}
    return any(_newest(_table(name)) > known[name] for name in tables)


def read(*, consumer: str, tables: Mapping[str, Followed], now: datetime) -> Changes:
    """Return whom rows are about that are new, or have changed, since the consumer's cursors.

    Args:
        consumer: Who follows; everyone has cursors of its own.
        tables: By the names that manifests declare. One that the consumer has not read yet begins
            at its end.
        now: The aware current time, by which rows settle.
    """
    stored = _stored(consumer)
    # Asked before anything is read: what ended by now, the reads below do see.
    oldest_open, _next = _transactions()
    subjects: set[int] = set()
    cursors = []
    is_complete = True
    for name, followed in tables.items():
        table = _table(name)
        top = _newest(table)
        cursor = stored.get(name)
        if cursor is None:
            cursors.append(_cursor_at(consumer, name, top, now))
            continue
        floor = max(cursor.settled, cursor.seen.get(SKIPPED, 0))
        rows = list(_rows_after(table, floor, followed))
        waiting = _first_waiting(table, floor, followed) if followed.is_due else None
        if len(rows) > MAX_ROWS:
            is_complete = False
            # What becomes news later is kept in sight, at the price of looking at too many again.
            position = top if waiting is None else waiting - 1
            cursors.append(_skipping(cursor, position, now))
            continue
        is_settled = _is_settled(cursor, oldest_open, _next, now)
        if is_settled and SKIPPED in cursor.seen:
            # Which rows among those passed over were committed late, nobody can say.
            is_complete = False
        subjects |= {row.subject for row in rows if cursor.seen.get(str(row.key)) != row.position}
        cursors.append(_advanced(cursor, rows, top, now, waiting=waiting, is_settled=is_settled))
    _note_open_transactions(cursors, now)
    return Changes(tuple(sorted(subjects)), is_complete, tuple(cursors))


def advance(changes: Changes) -> None:
    """Store that a consumer has dealt with what it was shown."""
    ChangeCursor.objects.bulk_create(
        changes.cursors,
        update_conflicts=True,
        unique_fields=["consumer", "table"],
        update_fields=["settled", "top", "top_at", "top_before", "seen"],
    )


def _stored(consumer: str) -> dict[str, ChangeCursor]:
    return {cursor.table: cursor for cursor in ChangeCursor.objects.filter(consumer=consumer)}


def _table(name: str) -> ChangeTable:
    table: ChangeTable = settings.LOANCRM_MANIFESTS.change_tables[name]
    return table


def _rows(table: ChangeTable) -> QuerySet[Any]:
    rows: QuerySet[Any] = apps.get_model(table.model).objects.all()
    return rows


def _newest(table: ChangeTable) -> int:
    """Return the highest position in a table: one look into an index.

    A row may be stamped in the future: restored from a server whose clock ran ahead. Were it the
    highest, nothing by the right clock would be news until then; it is read each minute anew.
    """
    order = _order(table)
    rows = _rows(table)
    if table.is_stamped:
        rows = rows.filter(**{f"{order}__lte": Moment()})
    return _position(rows.order_by(f"-{order}").values_list(order, flat=True).first())


def _order(table: ChangeTable) -> str:
    return stamps.COLUMN if table.is_stamped else "pk"


def _transactions() -> tuple[int, int]:
    """Return the number of the oldest transaction that is open, and the one that comes next.

    SQLite has one writer at a time: what is committed later has the greater keys and stamps.
    """
    if connection.vendor != "postgresql":
        return 0, 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint"
            " FROM pg_current_snapshot() now"
        )
        oldest, following = cursor.fetchone()
    return oldest, following


def _is_settled(cursor: ChangeCursor, oldest_open: int, following: int, now: datetime) -> bool:
    """Return whether nothing can come to light any more below the cursor's top.

    Numbers greater than any that was given out come from another server, whose rows were restored
    here: none of its transactions is open.
    """
    have_ended = cursor.top_before <= oldest_open or cursor.top_before > following
    return have_ended and now - cursor.top_at >= SETTLES_AFTER


def _note_open_transactions(cursors: Iterable[ChangeCursor], now: datetime) -> None:
    """Note, at new tops, which transactions may have been open: those before the next one.

    Asked after the tops were read: whoever has stamped a row below one has its number by then.
    """
    _oldest, following = _transactions()
    for cursor in cursors:
        if cursor.top_at == now:
            cursor.top_before = following


def _after(table: ChangeTable, position: int, followed: Followed) -> QuerySet[Any]:
    if table.is_stamped:
        bound = Q(**{f"{stamps.COLUMN}__gt": _EPOCH + position * _MICROSECOND})
    else:
        bound = Q(pk__gt=position)
    return _rows(table).filter(bound, followed.where)


def _rows_after(table: ChangeTable, position: int, followed: Followed) -> Iterable[_FeedRow]:
    """Yield the rows after a position that are news by now, at most one too many."""
    order = _order(table)
    rows = _after(table, position, followed).filter(followed.is_due).order_by(order)
    for key, at, subject in rows.values_list("pk", order, table.subject)[: MAX_ROWS + 1]:
        yield _FeedRow(key, _position(at), subject)


def _first_waiting(table: ChangeTable, position: int, followed: Followed) -> int | None:
    """Return the position of the first row that is there already and becomes news later."""
    order = _order(table)
    rows = _after(table, position, followed).exclude(followed.is_due).order_by(order)
    first = rows.values_list(order, flat=True).first()
    return None if first is None else _position(first)


def _cursor_at(consumer: str, table: str, position: int, now: datetime) -> ChangeCursor:
    return ChangeCursor(
        consumer=consumer, table=table, settled=position, top=position, top_at=now, seen={}
    )


def _skipping(cursor: ChangeCursor, position: int, now: datetime) -> ChangeCursor:
    """Return the cursor after too many rows: they are passed over, and not yet left behind."""
    return ChangeCursor(
        consumer=cursor.consumer,
        table=cursor.table,
        settled=cursor.settled,
        top=position,
        top_at=now,
        seen={SKIPPED: position},
    )


def _advanced(
    cursor: ChangeCursor,
    rows: Iterable[_FeedRow],
    top: int,
    now: datetime,
    *,
    waiting: int | None,
    is_settled: bool,
) -> ChangeCursor:
    settled = cursor.top if is_settled else cursor.settled
    if waiting is not None:
        # What becomes news later is never left behind.
        settled = max(cursor.settled, min(settled, waiting - 1))
    seen = {str(row.key): row.position for row in rows if row.position > settled}
    if waiting is None:
        # Rows that are no news to the consumer are none in the next round either.
        seen[NEWEST] = top
    if SKIPPED in cursor.seen and not is_settled:
        seen[SKIPPED] = cursor.seen[SKIPPED]
    return ChangeCursor(
        consumer=cursor.consumer,
        table=cursor.table,
        settled=settled,
        top=max(top, cursor.top) if is_settled else cursor.top,
        top_at=now if is_settled else cursor.top_at,
        top_before=cursor.top_before,
        seen=seen,
    )


def _position(value: datetime | int | None) -> int:
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MICROSECOND
    return value or 0
