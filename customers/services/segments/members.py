"""Stays in segments: begun and ended by differences, in statements of fixed number.

Every stay that begins or ends is also an event, `segment_entered` or `segment_left`, with the slug
of the segment as its subject; only the first members of a rule did not enter it by an event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import CharField, DateTimeField, F, QuerySet, Value
from django.db.models.functions import Cast, Concat

from customers.domain.events.event import EventName
from customers.models import Customer, Segment, SegmentMember
from customers.services.events import log
from loancrm.kernel.database import bulk

_BATCH = 20_000
_MANY = 1_000
_TABLE = "loancrm_segment_differences"
EVENT_SOURCE = "segments"


class MembershipReason(StrEnum):
    """Why a customer entered or left a dynamic segment."""

    RULE = "rule"
    TIME = "time"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """What a refresh wrote.

    Attributes:
        member_count: Members afterwards.
    """

    entered_count: int
    left_count: int
    member_count: int


def write_difference(
    *,
    segment: Segment,
    matching: QuerySet[Customer],
    source: str,
    now: datetime,
    are_entries_told: bool = True,
) -> RefreshResult:
    """Make the matching customers the open members; write only who enters and who leaves.

    The query runs once. Needs an open transaction.

    Args:
        source: Why, kept with every stay that begins or ends.
        are_entries_told: Whether a stay that begins is an event, too.
    """
    member = _quoted(SegmentMember._meta.db_table)  # noqa: SLF001 - Django's options
    with connection.cursor() as cursor:
        _gather_differences(cursor, segment, matching)
        cursor.execute(
            f"UPDATE {member} SET left_at = %s, left_source = %s "  # noqa: S608 - our own names
            "WHERE segment_id = %s AND left_at IS NULL AND customer_id IN "
            f"(SELECT d.id FROM {_TABLE} d WHERE d.side < 0) RETURNING {member}.id",
            [_moment(now), source, segment.pk],
        )
        left_ids = [row[0] for row in cursor.fetchall()]
        before = _newest_stay()
        cursor.execute(
            f"INSERT INTO {member} "  # noqa: S608 - our own names
            "(segment_id, customer_id, entered_at, left_at, source, left_source) "
            f"SELECT %s, d.id, %s, NULL, %s, '' FROM {_TABLE} d WHERE d.side > 0 ORDER BY d.id",
            [segment.pk, _moment(now), source],
        )
        entered = cursor.rowcount
        cursor.execute(f"DROP TABLE {_TABLE}")
    if left_ids:
        _record_exits(segment, left_ids, now)
    if entered and are_entries_told:
        _record_entries(segment, before, now)
    total = SegmentMember.objects.filter(segment=segment, left_at__isnull=True).count()
    if entered + len(left_ids) >= max(_MANY, total // 10):
        bulk.refresh_statistics(SegmentMember)
    return RefreshResult(entered, len(left_ids), total)


def _gather_differences(cursor: Any, segment: Segment, matching: QuerySet[Customer]) -> None:
    """Keep in a table of this connection who is on one side only: who matches 1, who stays -1.

    Each side is read once, whatever the planner takes it for: members just added are not in its
    statistics, and a full join is never a loop over one side for every row of the other.
    """
    member = _quoted(SegmentMember._meta.db_table)  # noqa: SLF001 - Django's options
    members = (
        f"SELECT customer_id AS id FROM {member} "  # noqa: S608 - our own names
        "WHERE segment_id = %s AND left_at IS NULL"
    )
    try:
        select, parameters = matching.values("pk").query.sql_with_params()
    except EmptyResultSet:
        customer = _quoted(Customer._meta.db_table)  # noqa: SLF001 - Django's options
        select, parameters = f"SELECT id FROM {customer} WHERE 1 = 0", ()  # noqa: S608
    if connection.vendor == "postgresql":
        # Only CREATE TABLE AS may read with several processes; INSERT … SELECT may not.
        cursor.execute(
            f"CREATE TEMP TABLE {_TABLE} ON COMMIT DROP AS "  # noqa: S608 - our own names
            "SELECT COALESCE(m.id, o.id) AS id, CASE WHEN o.id IS NULL THEN 1 ELSE -1 END AS side "
            f"FROM ({select}) m(id) FULL JOIN ({members}) o ON o.id = m.id "
            "WHERE m.id IS NULL OR o.id IS NULL",
            [*parameters, segment.pk],
        )
        return
    # SQLite has no full join before 3.39.
    cursor.execute(
        f"CREATE TEMP TABLE {_TABLE} AS SELECT id, SUM(side) AS side FROM ("  # noqa: S608
        f"SELECT id, -1 AS side FROM ({members}) UNION ALL SELECT m.*, 1 FROM ({select}) m) "
        "GROUP BY id HAVING COUNT(*) = 1",
        [segment.pk, *parameters],
    )


def end_stays(*, segment: Segment, customer_ids: Sequence[int], source: str, now: datetime) -> None:
    """End the open stays of these customers."""
    for start in range(0, len(customer_ids), _BATCH):
        stays = SegmentMember.objects.filter(
            segment=segment,
            left_at__isnull=True,
            customer_id__any_of=customer_ids[start : start + _BATCH],
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
    # A list of hundreds of thousands is written by the database itself, from the keys alone.
    bulk.insert_select(
        SegmentMember,
        Customer.objects.filter(pk__any_of=list(customer_ids)).order_by("pk"),
        {
            "segment": Value(segment.pk),
            "customer": F("pk"),
            "entered_at": Value(now, output_field=DateTimeField()),
            "left_at": Value(None, output_field=DateTimeField()),
            "source": Value(source),
            "left_source": Value(""),
        },
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
    log.append_selected(
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
