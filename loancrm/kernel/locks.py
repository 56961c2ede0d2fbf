"""Locks on things by their id, held until the end of the transaction."""

from collections.abc import Sequence
from enum import IntEnum

from django.db import connection


class Space(IntEnum):
    """What the locked ids belong to; keeps one use of locks apart from the other."""

    CUSTOMER_SENDS = 1


def lock_ids(space: Space, ids: Sequence[int]) -> None:
    """Wait for and hold a lock on every id; needs an open transaction.

    Advisory locks on PostgreSQL: unlike row locks they write nothing. On SQLite a transaction that
    writes is alone anyway.

    Args:
        ids: Sorted, so that two callers cannot wait for each other.
    """
    if connection.vendor != "postgresql":
        return
    keys = [(space.value << 48) | identifier for identifier in ids]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_advisory_xact_lock(k)) FROM unnest(%s::bigint[]) AS k", [keys]
        )
