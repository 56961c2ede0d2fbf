"""Locks on things by their id, held until the end of the transaction."""

from collections.abc import Sequence
from enum import IntEnum

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet

from loancrm.kernel.database.bulk import Statement, array_of_numbers


class Space(IntEnum):
    """What the locked ids belong to; keeps one use of locks apart from the other."""

    CUSTOMER_SENDS = 1


def lock_statement(space: Space, ids: Sequence[int]) -> Statement | None:
    """Return the statement that waits for and holds a lock on every id until the transaction ends.

    Advisory locks on PostgreSQL: unlike row locks they write nothing. None on SQLite, where a
    transaction that writes is alone anyway.

    Args:
        ids: Sorted, so that two callers cannot wait for each other.
    """
    if connection.vendor != "postgresql":
        return None
    keys = array_of_numbers((space.value << 48) | identifier for identifier in ids)
    return Statement(
        "SELECT count(pg_advisory_xact_lock(k)) FROM unnest(%s::bigint[]) AS k", [keys]
    )


def lock_against_deletion(rows: QuerySet[Model]) -> set[int]:
    """Return the keys of the rows that are there, and stay there until the transaction ends.

    The weakest lock of PostgreSQL: other columns may be written meanwhile. On SQLite a transaction
    is alone anyway.
    """
    try:
        sql, parameters = rows.order_by("pk").values_list("pk").query.sql_with_params()
    except EmptyResultSet:
        return set()
    lock = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(sql + lock, parameters)
        return {key for (key,) in cursor.fetchall()}
