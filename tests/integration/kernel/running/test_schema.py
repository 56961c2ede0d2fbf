"""A live schema that is not what the migrations make is found and named."""

from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from customers.models import Customer
from loancrm.kernel.models import KeyCheck, Lease
from loancrm.kernel.running import readiness, schema

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def found():
    return {str(difference) for difference in schema.differences()}


def test_freshly_migrated_tables_differ_in_nothing():
    assert found() == set()
    assert readiness.database_findings() == []


def test_h3_a_missing_table_is_found():
    execute("DROP TABLE kernel_keycheck")
    assert "kernel_keycheck: table kernel_keycheck" in found()
    (finding,) = readiness.database_findings()
    assert finding.code == "schema_differs"
    assert "kernel_keycheck" in finding.text


def test_h3_missing_columns_and_indexes_are_found_although_every_migration_is_applied():
    execute(
        "DROP INDEX audit_actor",
        "ALTER TABLE kernel_keycheck DROP COLUMN digest",
    )
    assert found() == {
        "kernel_auditentry: index audit_actor",
        "kernel_keycheck: column digest",
    }
    (finding,) = readiness.database_findings()
    assert finding.code == "schema_differs"
    assert "audit_actor" in finding.text
    with pytest.raises(readiness.SchemaDiffers):
        readiness.refuse_other_schema()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite cannot drop a constraint")
def test_h3_missing_constraints_and_other_types_are_found():
    execute(
        "ALTER TABLE kernel_audithead DROP CONSTRAINT audit_head_single",
        "ALTER TABLE kernel_lease ALTER COLUMN holder TYPE varchar(60)",
        "ALTER TABLE kernel_lease ALTER COLUMN until DROP NOT NULL",
        "ALTER TABLE kernel_lease DROP CONSTRAINT kernel_lease_name_key",
        "DROP INDEX IF EXISTS kernel_lease_name_like",
    )
    assert found() >= {
        "kernel_audithead: constraint audit_head_single",
        "kernel_lease: type holder (character varying(60), not varchar(120))",
        "kernel_lease: null until",
        "kernel_lease: constraint unique name",
    }


def test_every_index_and_constraint_of_a_table_is_looked_for():
    with connection.cursor() as cursor:
        live = connection.introspection.get_constraints(cursor, Customer._meta.db_table)
    named = [*Customer._meta.indexes, *Customer._meta.constraints]
    assert named
    assert {item.name for item in named} <= set(live)
    missing = schema._missing_indexes(Customer, {})
    assert {difference.name for difference in missing} >= {item.name for item in named}


def test_constraints_are_those_that_django_finds_by_parsing():
    tables = sorted(model._meta.db_table for model in apps.get_models(include_auto_created=True))
    live = schema._live_constraints(connection, tables)

    def plain(of_table):
        named = {name for name in of_table if not name.startswith(("fk_", "__", "sqlite_"))}
        kinds = {
            (kind, *one["columns"])
            for one in of_table.values()
            for kind in ("unique", "primary_key", "foreign_key")
            if one[kind]
        }
        return named, kinds

    with connection.cursor() as cursor:
        for table in tables:
            theirs = plain(connection.introspection.get_constraints(cursor, table))
            assert plain(live.get(table, {})) == theirs, table


class Loader:
    """Says what migrations there are and which were applied; tests run without real ones."""

    replacements = {}

    def __init__(self, on_disk, applied, conflicts):
        self.disk_migrations = dict.fromkeys(on_disk)
        self.applied_migrations = dict.fromkeys(applied)
        self.graph = SimpleNamespace(nodes=self.disk_migrations)
        self.detect_conflicts = lambda: conflicts
        self.check_consistent_history = lambda _connection: None


FIRST, SECOND = ("kernel", "0001_initial"), ("kernel", "0002_more")


@pytest.mark.parametrize(
    ("on_disk", "applied", "conflicts", "code", "named"),
    [
        ([FIRST, SECOND], [FIRST], {}, "migrations_missing", "kernel.0002_more"),
        ([FIRST], [FIRST, SECOND], {}, "migrations_unknown", "kernel.0002_more"),
        ([FIRST], [FIRST], {"kernel": ["a", "b"]}, "migrations_conflict", "kernel: a, b"),
    ],
)
def test_h2_migrations_that_do_not_fit_are_told_apart(
    monkeypatch, on_disk, applied, conflicts, code, named
):
    loader = Loader(on_disk, applied, conflicts)
    monkeypatch.setattr(readiness, "MigrationLoader", lambda _connection: loader)
    (finding,) = readiness.database_findings()
    assert finding.code == code
    assert named in finding.text


def test_tables_are_read_without_a_row_being_written():
    before = (Lease.objects.count(), KeyCheck.objects.count())
    readiness.findings(needs_broker=False)
    assert (Lease.objects.count(), KeyCheck.objects.count()) == before
