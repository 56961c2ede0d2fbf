"""Loads many new rows at once: COPY on PostgreSQL, prepared inserts on SQLite."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import NoneType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import JSONField, Model

from loancrm.kernel import copy_text

_SQLITE_ROWS = 2_000


def load_rows(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert rows without building model instances: about ten times as fast as `bulk_create`.

    Defaults of the model are not applied, its signals not sent and no keys are returned; the
    database's own constraints hold. Call it inside a transaction.

    Args:
        model: The table.
        columns: Names of the fields that the rows give; a foreign key is given by its key.
        rows: Values as Python objects, in the order of `columns`. Producing them must not query the
            database: a COPY keeps the connection busy until the last row.

    Returns:
        How many rows were inserted.
    """
    meta = model._meta  # noqa: SLF001 - Django's public-by-convention options
    # The proxy looks its connection up again for every value; the connection itself does not.
    database = connections[DEFAULT_DB_ALIAS]
    fields: list[Any] = [meta.get_field(name) for name in columns]
    prepare = [_preparation(field, database) for field in fields]
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in fields)
    table = quote(meta.db_table)
    prepared = (
        [
            value if value.__class__ in native else convert(value)
            for (convert, native), value in zip(prepare, row, strict=True)
        ]
        for row in rows
    )
    if connection.vendor == "postgresql":
        return _copy(f"COPY {table} ({names}) FROM STDIN", prepared)
    marks = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names of models
    return _insert(statement, prepared)


def load_objects(model: type[Model], objects: Sequence[Model]) -> int:
    """Insert unsaved objects with every value they hold, defaults included; sets no keys on them.

    Signals are not sent. Call it inside a transaction. Returns how many rows were inserted.
    """
    meta = model._meta  # noqa: SLF001 - Django's public-by-convention options
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    rows = ([getattr(item, field.attname) for field in fields] for item in objects)
    return load_rows(model, [field.name for field in fields], rows) if objects else 0


def _preparation(field: Any, database: Any) -> tuple[Callable[[Any], Any], frozenset[type]]:
    """Return how a value is brought to what the database takes, and the types that are so already.

    Asking the field costs more than all the rest, and for PostgreSQL only JSON changes the types
    that COPY text knows; subclasses, such as enums, are not meant.
    """
    if database.vendor != "postgresql":
        return partial(field.get_db_prep_save, connection=database), frozenset({NoneType})
    if isinstance(field, JSONField):
        return partial(json.dumps, cls=field.encoder, ensure_ascii=False), frozenset({NoneType})
    return partial(_native, field, database), copy_text.TYPES


def _native(field: Any, database: Any, value: Any) -> Any:
    prepared = field.get_db_prep_save(value, connection=database)
    if isinstance(prepared, memoryview):
        return bytes(prepared)
    # An enum's member is written as its value.
    kinds: tuple[type, ...] = (str, int) if type(prepared) not in copy_text.TYPES else ()
    return next((kind(prepared) for kind in kinds if isinstance(prepared, kind)), prepared)


def _copy(statement: str, rows: Iterable[Sequence[Any]]) -> int:
    counts: list[int] = []
    # The copy object is psycopg's own, so its errors are not yet Django's.
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement) as copy,
    ):
        for block in copy_text.blocks(rows, counts.append):
            copy.write(block)
    return sum(counts)


def _insert(statement: str, rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    with connection.cursor() as cursor:
        batch: list[Sequence[Any]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == _SQLITE_ROWS:
                cursor.executemany(statement, batch)
                count += len(batch)
                batch = []
        if batch:
            cursor.executemany(statement, batch)
    return count + len(batch)
