"""Set-based writes that Django's ORM has no word for, with one form for each database."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import BinaryField, JSONField, Model, QuerySet

_SORT_IN_MEMORY = "SET LOCAL work_mem = '64MB'"
# A table without an index then seems dear enough to compile a plan for it.
_BY_KEY = "".join(
    f"SET LOCAL {name} = off;"
    for name in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit")
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with its parameters, to be run alone or together with others."""

    sql: str
    parameters: Sequence[Any]


def run_all(statements: Sequence[Statement]) -> list[list[Any]]:
    """Run statements one after the other; return the first column of what each returned.

    On PostgreSQL they travel together: waiting for each answer cost more than the short statements
    of dispatch themselves. Each still sees what was committed before it began. Needs an open
    transaction, and every statement must return rows.
    """
    if not statements:
        return []
    found: list[list[Any]] = []
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            for statement in statements:
                cursor.execute(statement.sql, statement.parameters)
                found.append([row[0] for row in cursor.fetchall()])
            return found
        cursor.execute(
            ";".join(statement.sql for statement in statements),
            [value for statement in statements for value in statement.parameters],
        )
        for number in range(len(statements)):
            if number:
                cursor.nextset()
            found.append([row[0] for row in cursor.fetchall()])
    return found


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
    statement = update_statement(
        model, key=key, columns=columns, rows=rows, constants=constants, where=where
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.parameters)
        return [row[0] for row in cursor.fetchall()]


def update_statement(
    model: type[Model],
    *,
    key: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    constants: Mapping[str, Any] | None = None,
    where: Mapping[str, Any] | None = None,
    condition: Statement | None = None,
) -> Statement:
    """Return the statement of `update_rows`, which returns the keys of the rows that it changes.

    Args:
        condition: One more condition that must hold, in SQL over the updated row and the values of
            `columns`, see `value_of`.
    """
    fixed, held = constants or {}, where or {}
    clause = _clause(model, key, tuple(columns), tuple(fixed), tuple(held))
    values = _all_prepared(clause.fixed, fixed.values())
    guards = _all_prepared(clause.guards, held.values())
    extra = condition.parameters if condition is not None else ()
    if columns:
        select, source = _source(clause.fields, rows)
        sql, parameters = clause.sql.replace(_SOURCE, select), [*source, *values]
    else:
        keys = [_prepared(clause.fields[0], row[0]) for row in rows]
        sql, parameters = clause.sql, [*values, _as_array(keys)]
    return Statement(
        f"{sql}{f' AND {condition.sql}' if condition else ''} RETURNING {clause.key}",
        [*parameters, *guards, *extra],
    )


def value_of(columns: Sequence[str], name: str) -> str:
    """Return how the condition of an update names the value that a column is set to."""
    return f"v.c{columns.index(name) + 1}"


_SOURCE = "SELECT /* rows */"


@dataclass(frozen=True, slots=True)
class _Clause:
    """The part of an update that does not depend on its values."""

    sql: str
    key: str
    fields: Sequence[Any]
    fixed: Sequence[Any]
    guards: Sequence[Any]


# Dispatch asks for the same few updates with every twenty messages.
@lru_cache(maxsize=128)
def _clause(
    model: type[Model],
    key: str,
    columns: tuple[str, ...],
    constants: tuple[str, ...],
    where: tuple[str, ...],
) -> _Clause:
    meta = model._meta  # noqa: SLF001 - Django's public-by-convention options
    fields: list[Any] = [meta.get_field(name) for name in (key, *columns)]
    fixed: list[Any] = [meta.get_field(name) for name in constants]
    guards: list[Any] = [meta.get_field(name) for name in where]
    quote = connection.ops.quote_name
    table = quote(meta.db_table)
    key_column = f"{table}.{quote(_column(fields[0]))}"
    assignments = [f"{quote(_column(field))} = %s" for field in fixed]
    assignments += [
        f"{quote(_column(field))} = v.c{position}"
        for position, field in enumerate(fields[1:], start=1)
    ]
    update = f"UPDATE {table} SET {', '.join(assignments)}"  # noqa: S608 - the model's own names
    if columns:
        names = ", ".join(f"c{position}" for position in range(len(fields)))
        update = f"WITH v({names}) AS ({_SOURCE}) {update} FROM v WHERE {key_column} = v.c0"
    else:
        update = f"{update} WHERE {_among(key_column, fields[0])}"
    guarded = "".join(f" AND {table}.{quote(_column(field))} = %s" for field in guards)
    return _Clause(f"{update}{guarded}", key_column, fields, fixed, guards)


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
    Sealed values and JSON are left to that: no query compares them as a whole, and sorting a sample
    of them takes a quarter of the time.
    """
    if connection.vendor == "postgresql":
        meta, quote = model._meta, connection.ops.quote_name  # noqa: SLF001 - Django's own options
        columns = ", ".join(
            quote(_column(field))
            for field in meta.concrete_fields
            if not isinstance(field, BinaryField | JSONField)
        )
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {quote(meta.db_table)} ({columns})")


def commit_lazily() -> None:
    """Let the commit of this transaction not wait for the disk.

    A crash of the database server can then lose it, as a whole and with all that came later; for
    work that goes on from the last commit, nothing else is lost than the time.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")


def read_widely() -> None:
    """Fit the plans of this transaction to queries over a million rows that somebody waits for.

    One more process than the session's: each would group the same events again, and with more of
    them than processors a question takes twice as long. Compiling a plan costs what it saves.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"{_SORT_IN_MEMORY}; SET LOCAL jit = off; "
                "SET LOCAL max_parallel_workers_per_gather = 1"
            )


def sort_in_memory() -> None:
    """Let the queries of this transaction group and sort 64 MB of rows before they use the disk."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_SORT_IN_MEMORY)


def find_by_index() -> None:
    """Let the joins of this transaction look rows up one by one, by an index.

    While a table is being filled, PostgreSQL still thinks it empty and would read it through.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            off = ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material")
            settings = "".join(f"SET LOCAL enable_{name} = off;" for name in off)
            cursor.execute(f"{settings} SET LOCAL jit = off; SET LOCAL work_mem = '64MB'")


@contextmanager
def by_key() -> Iterator[None]:
    """Let the queries inside look a few hundred rows up by their indexes, in one transaction.

    PostgreSQL reckons with a disk that turns: of tables below some ten thousand rows it reads all
    for five hundred, which takes six times as long. Scans of bitmaps stay: a question about either
    of two columns needs them.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_BY_KEY)
        yield


def check_now() -> None:
    """Let the database check the foreign keys of this transaction now instead of at its commit."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def new_ids(model: type[Model], count: int) -> list[int]:
    """Return primary keys that no row of the model has or will get; call it in a transaction."""
    table = model._meta.db_table  # noqa: SLF001 - Django's public-by-convention options
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [connection.ops.quote_name(table), count],
            )
            return [row[0] for row in cursor.fetchall()]
        # Rows that are stored with these keys move the sequence themselves. Another writer cannot
        # come between: SQLite refuses to write on after one has.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = (cursor.fetchone() or (0,))[0]
        return list(range(last + 1, last + 1 + count))


def _column(field: Any) -> str:
    return str(field.column)


def _source(fields: Sequence[Any], rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Return the SELECT that yields the rows, and its parameters."""
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{_db_type(field)}[]" for field in fields)
        return f"SELECT * FROM unnest({arrays})", [  # noqa: S608 - types of our own columns
            _as_column(field, [row[position] for row in rows])
            for position, field in enumerate(fields)
        ]
    row_marks = "(" + ", ".join(["%s"] * len(fields)) + ")"
    return "VALUES " + ", ".join([row_marks] * len(rows)), [
        _prepared(field, value) for row in rows for field, value in zip(fields, row, strict=True)
    ]


def _among(column: str, field: Any) -> str:
    """Return the condition that a column is one of the keys of `_as_array`."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::{_db_type(field)}[])"
    return f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - a model's column


def _as_column(field: Any, values: list[Any]) -> Any:
    """Return a column's values as one parameter of PostgreSQL."""
    if all(type(value) is int or value is None for value in values):
        return array_of_numbers(values)
    return [_prepared(field, value) for value in values]


def _as_array(keys: list[Any]) -> Any:
    """Return keys as one parameter."""
    if connection.vendor != "postgresql":
        return json.dumps(keys)
    return array_of_numbers(keys) if keys and isinstance(keys[0], int) else keys


def array_of_numbers(numbers: Iterable[int | None]) -> str:
    """Return whole numbers as the text of a PostgreSQL array, which costs a tenth of a list."""
    return f"{{{','.join('NULL' if number is None else str(number) for number in numbers)}}}"


def _db_type(field: Any) -> str:
    return str(field.rel_db_type(connection))


def _all_prepared(fields: Iterable[Any], values: Iterable[Any]) -> list[Any]:
    return [_prepared(field, value) for field, value in zip(fields, values, strict=True)]


def _prepared(field: Any, value: Any) -> Any:
    if value is None:
        return None
    return field.get_db_prep_value(value, connection, prepared=False)
