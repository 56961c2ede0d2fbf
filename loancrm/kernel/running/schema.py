"""Whether the live database has the tables, columns, indexes and constraints of the models.

A migration that was edited after it ran, or a database of an earlier state of development, leaves
`migrate` with nothing to do and the product with half its columns. The live schema is therefore
read and compared, not the list of migrations.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.apps import apps
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

Kind = Literal["table", "column", "type", "null", "index", "constraint"]


@dataclass(frozen=True, slots=True)
class Difference:
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


def differences() -> list[Difference]:
    """Return everything in which the live schema falls short of the models."""
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy  # noqa: SLF001 - Django's documented way to a model's facts
    ]
    columns = _live_columns(connection)
    return [found for model in models for found in _of_model(model, columns)]


def _of_model(model: type[Model], columns: dict[str, dict[str, _Column]]) -> Iterator[Difference]:
    table = model._meta.db_table  # noqa: SLF001
    live = columns.get(table)
    if live is None:
        yield Difference(table, "table", table)
        return
    fields = [field for field in model._meta.local_concrete_fields if field.column]  # noqa: SLF001
    for field in fields:
        yield from _of_field(table, field, live)
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    yield from _missing_indexes(model, constraints)
    # A unique index shows as a constraint too; both are looked for by their columns.
    for field in fields:
        yield from _of_uniqueness(table, field, constraints)


def _of_field(
    table: str, field: "Field[Any, Any]", live: dict[str, _Column]
) -> Iterator[Difference]:
    column = live.get(str(field.column))
    if column is None:
        yield Difference(table, "column", str(field.column))
        return
    wanted = field.db_parameters(connection)["type"]
    # Keys of Django's own tables are wider in the database than its models say, which harms nobody.
    is_wider_key = field.primary_key and column.kind == "bigint"
    if wanted and not is_wider_key and _plain(str(wanted)) != _plain(column.kind):
        yield Difference(table, "type", f"{field.column} ({column.kind}, not {wanted})")
    if column.is_nullable != field.null and not field.primary_key:
        yield Difference(table, "null", str(field.column))


def _missing_indexes(model: type[Model], live: dict[str, Any]) -> Iterator[Difference]:
    meta = model._meta  # noqa: SLF001
    for index in meta.indexes:
        if index.name not in live:
            yield Difference(meta.db_table, "index", index.name)
    for constraint in meta.constraints:
        if constraint.name not in live:
            yield Difference(meta.db_table, "constraint", constraint.name)
    for together in meta.unique_together:
        columns = [str(meta.get_field(name).column) for name in together]  # type: ignore[union-attr]
        if not any(c["unique"] and c["columns"] == columns for c in live.values()):
            yield Difference(meta.db_table, "constraint", ", ".join(columns))


def _of_uniqueness(table: str, field: Any, live: dict[str, Any]) -> Iterator[Difference]:
    alone = [found for found in live.values() if found["columns"] == [field.column]]
    if field.unique and not any(f["unique"] or f["primary_key"] for f in alone):
        yield Difference(table, "constraint", f"unique {field.column}")
    is_indexed = field.db_index and not field.unique
    if is_indexed and not any(found["index"] for found in alone):
        yield Difference(table, "index", str(field.column))
    is_key = field.many_to_one and getattr(field, "db_constraint", False)
    if is_key and not any(found["foreign_key"] for found in alone):
        yield Difference(table, "constraint", f"foreign key {field.column}")


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
