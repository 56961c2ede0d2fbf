"""What a load of the same people costs that is written by hand: one statement a table.

Everything that an import has made of a file's rows (people, contact points, consents, attributes …)
is put, set by set, into tables of the same columns, keys and indexes. No check, no matching, no
sealing, no audit: less cannot be done.
"""

import time
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from customers.models import Customer, ImportChange, ImportRow

_STAGING = (ImportRow, ImportChange)
_TWIN = "bench_load_"


def load_seconds() -> tuple[float, int]:
    """Return the seconds of the load and how many rows it wrote; its tables are dropped again."""
    tables = list(_tables())
    with connection.cursor() as cursor:
        for table in tables:
            _make_twin(cursor, table)
        started = time.monotonic()
        rows = 0
        with transaction.atomic():
            for table in tables:
                cursor.execute(f'INSERT INTO "{_TWIN}{table}" SELECT * FROM "{table}"')  # noqa: S608 - names of our tables
                rows += cursor.rowcount
        seconds = time.monotonic() - started
        for table in reversed(tables):
            cursor.execute(f'DROP TABLE "{_TWIN}{table}"')
    return seconds, rows


def _tables() -> Iterator[str]:
    """Yield the tables of people that hold rows, customers first."""
    yield Customer._meta.db_table  # noqa: SLF001 - Django's documented way to a table's name
    for model in apps.get_app_config("customers").get_models(include_auto_created=True):
        meta, rows = model._meta, model._default_manager  # noqa: SLF001 - Django's documented ways
        is_about_people = any(field.related_model is Customer for field in meta.concrete_fields)
        is_kept = model is not Customer and model not in _STAGING and meta.managed
        if is_about_people and is_kept and rows.exists():
            yield meta.db_table


def _make_twin(cursor: Any, table: str) -> None:
    """Create an empty table with the columns, keys and indexes of another."""
    if connection.vendor == "postgresql":
        cursor.execute(f'CREATE TABLE "{_TWIN}{table}" (LIKE "{table}" INCLUDING ALL)')
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype = 'f'",
            [table],
        )
        for (definition,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE "{_TWIN}{table}" ADD {definition}')
        return
    cursor.execute(
        "SELECT name, sql FROM sqlite_master"
        " WHERE tbl_name = %s AND type IN ('table', 'index') AND sql IS NOT NULL"
        " ORDER BY type = 'index'",
        [table],
    )
    for name, sql in cursor.fetchall():
        twin = sql.replace(f'"{table}"', f'"{_TWIN}{table}"')
        cursor.execute(twin if name == table else twin.replace(f'"{name}"', f'"{_TWIN}{name}"', 1))
