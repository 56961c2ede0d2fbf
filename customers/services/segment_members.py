"""Stays in segments: begun and ended by differences, in statements of fixed number.

Every stay that begins or ends is also an event, `segment_entered` or `segment_left`, with the slug
of the segment as its subject.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Concat

from customers.domain.events import EventName
from customers.models import Customer, Segment, SegmentMember
from customers.services import events
from loancrm.kernel import bulk

_BATCH = 500
_MANY = 1_000
_TABLE = "loancrm_segment_matching"
EVENT_SOURCE = "segments"


class Reason(StrEnum):
    """Why a customer entered or left a dynamic segment."""

    RULE = "rule"
    TIME = "time"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Difference:
    """What a refresh wrote.

    Attributes:
        member_count: Members afterwards.
    """

    entered_count: int
    left_count: int
    member_count: int


def write_difference(
    *, segment: Segment, matching: QuerySet[Customer], source: str, now: datetime
) -> Difference:
    """Make the matching customers the open members; write only who enters and who leaves.

    The query runs once. Needs an open transaction.

    Args:
        source: Why, kept with every stay that begins or ends.
    """
    member = _quoted(SegmentMember._meta.db_table)  # noqa: SLF001 - Django's options
    outside = f"NOT EXISTS (SELECT 1 FROM {_TABLE} m WHERE m.id = {member}.customer_id)"  # noqa: S608
    with connection.cursor() as cursor:
        _gather(cursor, matching)
        _allow_nested_loops(cursor, is_allowed=False)
        cursor.execute(
            f"UPDATE {member} SET left_at = %s, left_source = %s "  # noqa: S608 - our own names
            f"WHERE segment_id = %s AND left_at IS NULL AND {outside} RETURNING {member}.id",
            [_moment(now), source, segment.pk],
        )
        left_ids = [row[0] for row in cursor.fetchall()]
        before = _newest_stay()
        cursor.execute(
            f"INSERT INTO {member} "  # noqa: S608 - our own names
            "(segment_id, customer_id, entered_at, left_at, source, left_source) "
            f"SELECT %s, m.id, %s, NULL, %s, '' FROM {_TABLE} m WHERE NOT EXISTS ("
            f"SELECT 1 FROM {member} o "
            "WHERE o.segment_id = %s AND o.customer_id = m.id AND o.left_at IS NULL)",
            [segment.pk, _moment(now), source, segment.pk],
        )
        entered = cursor.rowcount
        _allow_nested_loops(cursor, is_allowed=True)
        cursor.execute(f"SELECT COUNT(*) FROM {_TABLE}")  # noqa: S608 - our own name
        total = int(cursor.fetchone()[0])
        cursor.execute(f"DROP TABLE {_TABLE}")
    if left_ids:
        _record_exits(segment, left_ids, now)
    if entered:
        _record_entries(segment, before, now)
    if entered + len(left_ids) >= max(_MANY, total // 10):
        bulk.refresh_statistics(SegmentMember)
    return Difference(entered, len(left_ids), total)


def _allow_nested_loops(cursor: Any, *, is_allowed: bool) -> None:
    """Keep the planner from comparing every member with everybody.

    Members just added are not in its statistics: it takes the segment for almost empty.
    """
    if connection.vendor == "postgresql":
        cursor.execute(f"SET LOCAL enable_nestloop TO {'DEFAULT' if is_allowed else 'off'}")


def _gather(cursor: Any, matching: QuerySet[Customer]) -> None:
    """Keep the keys of the matching customers in a table of this connection."""
    customer = _quoted(Customer._meta.db_table)  # noqa: SLF001 - Django's options
    try:
        select, parameters = matching.values("pk").query.sql_with_params()
    except EmptyResultSet:
        select, parameters = f"SELECT id FROM {customer} WHERE 1 = 0", ()  # noqa: S608
    if connection.vendor == "postgresql":
        # Only CREATE TABLE AS may read with several processes; INSERT … SELECT may not.
        cursor.execute(f"CREATE TEMP TABLE {_TABLE} (id) ON COMMIT DROP AS {select}", parameters)
        _analyze(cursor, _TABLE)
        return
    cursor.execute(f"CREATE TEMP TABLE {_TABLE} (id INTEGER PRIMARY KEY)")
    cursor.execute(f"INSERT INTO {_TABLE} {select}", parameters)


def _analyze(cursor: Any, table: str) -> None:
    """Tell the planner how many rows a table of this connection has; it would guess."""
    if connection.vendor == "postgresql":
        cursor.execute(f"ANALYZE {table}")


def end_stays(*, segment: Segment, customer_ids: Sequence[int], source: str, now: datetime) -> None:
    """End the open stays of these customers."""
    for start in range(0, len(customer_ids), _BATCH):
        stays = SegmentMember.objects.filter(
            segment=segment,
            left_at__isnull=True,
            customer_id__in=customer_ids[start : start + _BATCH],
        )
        ids = list(stays.values_list("pk", flat=True))
        if ids:
            ended = SegmentMember.objects.filter(pk__any_of=ids)
            ended.update(left_at=now, left_source=source)
            _record_exits(segment, ids, now)


def begin_stays(
    *, segment: Segment, customer_ids: Sequence[int], source: str, now: datetime
) -> None:
    """Begin a stay of each of these customers, none of whom has an open one."""
    if not customer_ids:
        return
    before = _newest_stay()
    SegmentMember.objects.bulk_create(
        (
            SegmentMember(segment=segment, customer_id=key, entered_at=now, source=source)
            for key in customer_ids
        ),
        batch_size=_BATCH,
    )
    _record_entries(segment, before, now)


def _newest_stay() -> int:
    return SegmentMember.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _record_exits(segment: Segment, stay_ids: Sequence[int], now: datetime) -> None:
    stays = SegmentMember.objects.filter(pk__any_of=stay_ids)
    _record(EventName.SEGMENT_LEFT, segment, stays, "left_at", now)


def _record_entries(segment: Segment, after: int, now: datetime) -> None:
    # Nobody else adds to this segment meanwhile: whoever does holds the lock on its row or build.
    stays = SegmentMember.objects.filter(segment=segment, pk__gt=after)
    _record(EventName.SEGMENT_ENTERED, segment, stays, "entered_at", now)


def _record(
    name: EventName, segment: Segment, stays: QuerySet[SegmentMember], moment: str, now: datetime
) -> None:
    """Write one event for each stay in one statement, under the stay's own key."""
    events.append_selected(
        name=name,
        source=EVENT_SOURCE,
        rows=stays.order_by("pk"),
        customer=F("customer_id"),
        occurred_at=F(moment),
        dedup_key=Concat(Cast("pk", CharField()), Value(f":{name.value}")),
        channel="",
        subject=segment.slug,
        now=now,
        are_new=True,
    )


def _quoted(table: str) -> str:
    return str(connection.ops.quote_name(table))


def _moment(now: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(now)
