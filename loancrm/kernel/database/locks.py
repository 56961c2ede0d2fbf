"""Locks on things by their id, held until the end of the transaction."""

from collections.abc import Sequence
from enum import IntEnum

from django.db import connection

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
