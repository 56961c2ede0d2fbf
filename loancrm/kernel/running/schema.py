"""Whether the live database has the tables, columns, indexes and constraints of the models.

A migration that was edited after it ran, or a database of an earlier state of development, leaves
`migrate` with nothing to do and the product with half its columns. The live schema is therefore
read and compared, not the list of migrations.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.apps import apps
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

Kind = Literal["table", "column", "type", "null", "index", "constraint"]

_KINDS: Final = ("unique", "primary_key", "foreign_key", "index")
_NAMED_CONSTRAINT: Final = re.compile(r'CONSTRAINT "([^"]+)" (?:CHECK|UNIQUE)')
_SQLITE_INDEXES: Final = """
    SELECT m.name, l.name, i.name, CASE WHEN l."unique" THEN 'unique' ELSE 'index' END
    FROM sqlite_master m JOIN pragma_index_list(m.name) l JOIN pragma_index_info(l.name) i
    WHERE m.type = 'table' AND l.origin <> 'pk' ORDER BY m.name, l.name, i.seqno"""
_SQLITE_KEYS: Final = """
    SELECT m.name, 'fk_' || f.id, f."from", 'foreign_key'
    FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
    WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq"""
_SQLITE_PRIMARY_KEYS: Final = """
    SELECT m.name, '__primary__', c.name, 'primary_key'
    FROM sqlite_master m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND c.pk > 0 ORDER BY m.name, c.pk"""


@dataclass(frozen=True, slots=True)
class SchemaDifference:
    """Something that the models want and the database does not have so."""

    table: str
    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.table}: {self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class _Column:
    kind: str
    is_nullable: bool


def differences() -> list[SchemaDifference]:
    """Return everything in which the live schema falls short of the models."""
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy  # noqa: SLF001 - Django's documented way to a model's facts
    ]
    columns = _live_columns(connection)
    constraints = _live_constraints(connection, [model._meta.db_table for model in models])  # noqa: SLF001
    return [found for model in models for found in _of_model(model, columns, constraints)]


def _of_model(
    model: type[Model],
    columns: dict[str, dict[str, _Column]],
    of_tables: dict[str, dict[str, Any]],
) -> Iterator[SchemaDifference]:
    table = model._meta.db_table  # noqa: SLF001
    live = columns.get(table)
    if live is None:
        yield SchemaDifference(table, "table", table)
        return
    fields = [field for field in model._meta.local_concrete_fields if field.column]  # noqa: SLF001
    for field in fields:
        yield from _of_field(table, field, live)
    constraints = of_tables.get(table, {})
    yield from _missing_indexes(model, constraints)
    # A unique index shows as a constraint too; both are looked for by their columns.
    for field in fields:
        yield from _of_uniqueness(table, field, constraints)


def _of_field(
    table: str, field: "Field[Any, Any]", live: dict[str, _Column]
) -> Iterator[SchemaDifference]:
    column = live.get(str(field.column))
    if column is None:
        yield SchemaDifference(table, "column", str(field.column))
        return
    wanted = field.db_parameters(connection)["type"]
    # Keys of Django's own tables are wider in the database than its models say, which harms nobody.
    is_wider_key = field.primary_key and column.kind == "bigint"
    if wanted and not is_wider_key and _plain(str(wanted)) != _plain(column.kind):
        yield SchemaDifference(table, "type", f"{field.column} ({column.kind}, not {wanted})")
    if column.is_nullable != field.null and not field.primary_key:
        yield SchemaDifference(table, "null", str(field.column))


def _missing_indexes(model: type[Model], live: dict[str, Any]) -> Iterator[SchemaDifference]:
    meta = model._meta  # noqa: SLF001
    for index in meta.indexes:
        if index.name not in live:
            yield SchemaDifference(meta.db_table, "index", index.name)
    for constraint in meta.constraints:
        if constraint.name not in live:
            yield SchemaDifference(meta.db_table, "constraint", constraint.name)
    for together in meta.unique_together:
        columns = [str(meta.get_field(name).column) for name in together]  # type: ignore[union-attr]
        if not any(c["unique"] and c["columns"] == columns for c in live.values()):
            yield SchemaDifference(meta.db_table, "constraint", ", ".join(columns))


def _of_uniqueness(table: str, field: Any, live: dict[str, Any]) -> Iterator[SchemaDifference]:
    alone = [found for found in live.values() if found["columns"] == [field.column]]
    if field.unique and not any(f["unique"] or f["primary_key"] for f in alone):
        yield SchemaDifference(table, "constraint", f"unique {field.column}")
    is_indexed = field.db_index and not field.unique
    if is_indexed and not any(found["index"] for found in alone):
        yield SchemaDifference(table, "index", str(field.column))
    is_key = field.many_to_one and getattr(field, "db_constraint", False)
    if is_key and not any(found["foreign_key"] for found in alone):
        yield SchemaDifference(table, "constraint", f"foreign key {field.column}")


def _plain(kind: str) -> str:
    """Return a type in one spelling: PostgreSQL names some otherwise than Django writes them."""
    plain = kind.lower().replace("character varying", "varchar").replace(", ", ",")
    return plain.replace("character(", "char(")


def _live_columns(database: BaseDatabaseWrapper) -> dict[str, dict[str, _Column]]:
    """Return {table: {column: what it is}} in one query."""
    if database.vendor == "postgresql":
        statement = """
            SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
              AND pg_table_is_visible(c.oid)"""
    else:
        statement = """
            SELECT m.name, i.name, i.type, NOT i."notnull"
            FROM sqlite_master m JOIN pragma_table_info(m.name) i WHERE m.type = 'table'"""
    found: dict[str, dict[str, _Column]] = {}
    with database.cursor() as cursor:
        cursor.execute(statement)
        for table, column, kind, is_nullable in cursor.fetchall():
            found.setdefault(table, {})[column] = _Column(str(kind), bool(is_nullable))
    return found


def _live_constraints(
    database: BaseDatabaseWrapper, tables: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return {table: {name: what it is}}, in the shape of Django's `get_constraints`."""
    with database.cursor() as cursor:
        if database.vendor != "sqlite":
            look = database.introspection.get_constraints
            return {table: look(cursor, table) for table in tables}
        # Django's own look parses the text of every table, for seconds at each start of a process.
        found: dict[str, dict[str, Any]] = {}
        for statement in (_SQLITE_INDEXES, _SQLITE_KEYS, _SQLITE_PRIMARY_KEYS):
            cursor.execute(statement)
            for table, name, column, kind in cursor.fetchall():
                entry = found.setdefault(table, {}).setdefault(name, _nothing_yet())
                entry["columns"].append(column)
                entry[kind] = True
                entry["index"] |= kind == "unique"
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        for table, text in cursor.fetchall():
            for name in _NAMED_CONSTRAINT.findall(text or ""):
                found.setdefault(table, {}).setdefault(name, _nothing_yet())
    return found


def _nothing_yet() -> dict[str, Any]:
    return {"columns": [], **dict.fromkeys(_KINDS, False)}
