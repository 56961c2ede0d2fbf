"""Set-based writes that Django's ORM has no word for, with one form for each database."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet


def update_rows(
    model: type[Model],
    *,
    key: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    constants: Mapping[str, Any] | None = None,
    where: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Set columns of many rows to values of their own in one statement.

    Args:
        key: Name of the field that identifies a row.
        columns: Names of the fields to set.
        rows: One (key, value, …) a row, values in the order of `columns`, as Python objects.
        constants: Fields that get the same value in every row.
        where: Values that a row's fields must still have to be changed.

    Returns:
        The keys of the rows that were changed, in no order.
    """
    if not rows:
        return []
    meta = model._meta  # noqa: SLF001 - Django's public-by-convention options
    fields: list[Any] = [meta.get_field(name) for name in (key, *columns)]
    fixed = [(meta.get_field(name), value) for name, value in (constants or {}).items()]
    guards = [(meta.get_field(name), value) for name, value in (where or {}).items()]
    quote = connection.ops.quote_name
    table = quote(meta.db_table)
    names = [f"c{position}" for position in range(len(fields))]
    assignments = [f"{quote(_column(field))} = %s" for field, _value in fixed]
    assignments += [
        f"{quote(_column(field))} = v.{name}"
        for field, name in zip(fields[1:], names[1:], strict=True)
    ]
    guarded = "".join(f" AND {table}.{quote(_column(field))} = %s" for field, _value in guards)
    select, parameters = _source(fields, rows)
    statement = (
        f"WITH v({', '.join(names)}) AS ({select}) "  # noqa: S608 - names come from the models
        f"UPDATE {table} SET {', '.join(assignments)} FROM v "
        f"WHERE {table}.{quote(_column(fields[0]))} = v.c0{guarded} "
        f"RETURNING {table}.{quote(_column(fields[0]))}"
    )
    parameters += [_prepared(field, value) for field, value in (*fixed, *guards)]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]


def insert_select(
    model: type[Model],
    rows: QuerySet[Any],
    columns: Mapping[str, Any],
    *,
    ignore_conflicts: bool = False,
) -> int:
    """Insert what a query selects in one statement; return how many rows were added.

    Args:
        rows: The rows to select from; its order is the order of insertion.
        columns: {field name: expression over `rows`}; every field without a database default.
    """
    meta = model._meta  # noqa: SLF001 - Django's public-by-convention options
    quote = connection.ops.quote_name
    selected = {f"v_{name}": expression for name, expression in columns.items()}
    query = rows.annotate(**selected).values_list(*selected).query
    select, parameters = query.sql_with_params()
    names = ", ".join(quote(_column(meta.get_field(name))) for name in columns)
    ending = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    # SQLite reads "… FROM t ON CONFLICT" as a join; a WHERE clause tells it apart.
    if ignore_conflicts and connection.vendor == "sqlite" and " WHERE " not in select:
        raise ValueError("the selected rows need a condition")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(meta.db_table)} ({names}) {select}{ending}",
            parameters,
        )
        return int(cursor.rowcount)


def refresh_statistics(model: type[Model]) -> None:
    """Let the planner know about rows just added; until then it may scan the whole table for 50.

    PostgreSQL does this by itself only a minute later. SQLite's planner prefers the key anyway.
    """
    if connection.vendor == "postgresql":
        table = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {table}")


def _column(field: Any) -> str:
    return str(field.column)


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
