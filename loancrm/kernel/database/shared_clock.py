"""The database's clock: the one clock that all workers share, for leases and pauses.

Hosts' clocks differ and jump; a lease set by one that ran an hour ahead would stand in the future
for an hour. Business rules go by the `now` that their caller read, leases by this.
"""

from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Func


class Moment(Func):
    """The database's time, so many seconds from now (or ago); an expression for any query."""

    output_field = DateTimeField()

    def __init__(self, seconds: float = 0.0) -> None:
        """Keep the distance."""
        super().__init__()
        self._seconds = float(seconds)

    def as_sql(self, *_args: Any, **_kwargs: Any) -> Any:
        """Return the expression in the words of the database."""
        return moment_sql(self._seconds)


def moment_sql(seconds: float = 0.0) -> tuple[str, list[Any]]:
    """Return the database's time plus seconds, for statements written by hand."""
    if connection.vendor == "postgresql":
        # Not now(): that stands still while a transaction waits for a lock.
        return "(clock_timestamp() + %s * interval '1 second')", [seconds]
    # The form in which Django stores times there, so that the text compares as the time does.
    return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s)", [f"{seconds:+.3f} seconds"]


def now() -> datetime:
    """Return the database's time."""
    sql, parameters = moment_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", parameters)
        found: datetime | str = cursor.fetchone()[0]
    at = datetime.fromisoformat(found) if isinstance(found, str) else found
    return at if at.tzinfo else at.replace(tzinfo=UTC)
