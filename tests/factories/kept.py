"""A scene that takes long to make: made once a process, then only its rows are written again."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection

from tests import emptying

# Of tables: the names of their columns, and their rows as the database stores them.
_Rows = dict[str, tuple[list[str], list[tuple[Any, ...]]]]
_kept: dict[str, tuple[_Rows, _Rows]] = {}


def scene(name: str, make: Callable[[], None]) -> None:
    """Bring the database to where `make` leaves it, keys included.

    It is made anew where the database holds anything else than when it was made.

    Args:
        name: What it is; its maker must do the same for all who ask for it.
        make: Writes rows, and leaves nothing else behind.
    """
    begin = _all_rows()
    if name in _kept and _kept[name][0] == begin:
        _write(_kept[name][1], begin)
        return
    make()
    after = _all_rows()
    assert begin.keys() <= after.keys(), "a kept scene empties no table"
    _kept[name] = begin, {table: rows for table, rows in after.items() if begin.get(table) != rows}


def _all_rows() -> _Rows:
    return {table: _rows(table) for table in emptying.filled(emptying.tables())}


def _rows(table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, table)
        names = [connection.ops.quote_name(column.name) for column in described]
        # An expression has no declared type, by which a value would be converted.
        asked = [f"+{name}" for name in names] if connection.vendor == "sqlite" else names
        cursor.execute(f"SELECT {', '.join(asked)} FROM {table} ORDER BY 1")  # noqa: S608 - our tables
        return names, cursor.fetchall()


def _write(kept: _Rows, begin: _Rows) -> None:
    emptying.delete_rows(begin.keys() & kept.keys())
    with connection.cursor() as cursor:
        for table, (names, rows) in kept.items():
            places = ", ".join(["%s"] * len(names))
            cursor.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})",  # noqa: S608 - our tables
                rows,
            )
        every = apps.get_models(include_auto_created=True)
        written = [model for model in every if model._meta.db_table in kept]
        for statement in connection.ops.sequence_reset_sql(no_style(), written):
            cursor.execute(statement)
