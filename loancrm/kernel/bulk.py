"""Set-based writes that Django's ORM has no word for, with one form for each database."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model


def update_rows(
    model: type[Model], *, key: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> int:
    """Set columns of many rows to values of their own in one statement.

    Args:
        key: Name of the field that identifies a row.
        columns: Names of the fields to set.
        rows: One (key, value, …) a row, values in the order of `columns`, as Python objects.

    Returns:
        How many rows were changed.
    """
    if not rows:
        return 0
    meta = model._meta  # noqa: SLF001 - Django's public-by-convention options
    fields = [meta.get_field(name) for name in (key, *columns)]
    quote = connection.ops.quote_name
    if connection.vendor == "postgresql":
        source = ", ".join(f"%s::{_db_type(field)}[]" for field in fields)
        select = f"SELECT * FROM unnest({source})"  # noqa: S608 - types of our own columns
        parameters: list[Any] = [
            [_prepared(field, row[position]) for row in rows]
            for position, field in enumerate(fields)
        ]
    else:
        row_marks = "(" + ", ".join(["%s"] * len(fields)) + ")"
        select = "VALUES " + ", ".join([row_marks] * len(rows))
        parameters = [
            _prepared(field, value)
            for row in rows
            for field, value in zip(fields, row, strict=True)
        ]
    names = [f"c{position}" for position in range(len(fields))]
    assignments = ", ".join(
        f"{quote(field.column)} = v.{name}"  # type: ignore[union-attr]
        for field, name in zip(fields[1:], names[1:], strict=True)
    )
    table = quote(meta.db_table)
    statement = (
        f"WITH v({', '.join(names)}) AS ({select}) "  # noqa: S608 - names come from the models
        f"UPDATE {table} SET {assignments} FROM v "
        f"WHERE {table}.{quote(fields[0].column)} = v.c0"  # type: ignore[union-attr]
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def _db_type(field: Any) -> str:
    return str(field.rel_db_type(connection))


def _prepared(field: Field[Any, Any], value: Any) -> Any:
    if value is None:
        return None
    return field.get_db_prep_value(value, connection, prepared=False)
