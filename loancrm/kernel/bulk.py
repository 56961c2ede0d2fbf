"""Set-based writes that Django's ORM has no word for, with one form for each database."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model


def update_rows(
    model: type[Model],
    *,
    key: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    where: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Set columns of many rows to values of their own in one statement.

    Args:
        key: Name of the field that identifies a row.
        columns: Names of the fields to set.
        rows: One (key, value, …) a row, values in the order of `columns`, as Python objects.
        where: Values that a row's fields must still have to be changed.

    Returns:
        The keys of the rows that were changed, in no order.
    """
    if not rows:
        return []
    meta = model._meta  # noqa: SLF001 - Django's public-by-convention options
    fields: list[Any] = [meta.get_field(name) for name in (key, *columns)]
    guards: list[Any] = [meta.get_field(name) for name in where or ()]
    quote = connection.ops.quote_name
    table = quote(meta.db_table)
    names = [f"c{position}" for position in range(len(fields))]
    assignments = ", ".join(
        f"{quote(field.column)} = v.{name}"
        for field, name in zip(fields[1:], names[1:], strict=True)
    )
    guarded = "".join(f" AND {table}.{quote(field.column)} = %s" for field in guards)
    select, parameters = _source(fields, rows)
    statement = (
        f"WITH v({', '.join(names)}) AS ({select}) "  # noqa: S608 - names come from the models
        f"UPDATE {table} SET {assignments} FROM v "
        f"WHERE {table}.{quote(fields[0].column)} = v.c0{guarded} "
        f"RETURNING {table}.{quote(fields[0].column)}"
    )
    parameters += [
        _prepared(field, value) for field, value in zip(guards, (where or {}).values(), strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]


def _source(fields: Sequence[Any], rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Return the SELECT that yields the rows, and its parameters."""
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{_db_type(field)}[]" for field in fields)
        return f"SELECT * FROM unnest({arrays})", [  # noqa: S608 - types of our own columns
            [_prepared(field, row[position]) for row in rows]
            for position, field in enumerate(fields)
        ]
    row_marks = "(" + ", ".join(["%s"] * len(fields)) + ")"
    return "VALUES " + ", ".join([row_marks] * len(rows)), [
        _prepared(field, value) for row in rows for field, value in zip(fields, row, strict=True)
    ]


def _db_type(field: Any) -> str:
    return str(field.rel_db_type(connection))


def _prepared(field: Any, value: Any) -> Any:
    if value is None:
        return None
    return field.get_db_prep_value(value, connection, prepared=False)
