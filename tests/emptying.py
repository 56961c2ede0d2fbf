"""Emptying the database after a test with real transactions.

Django's own way pretends a migration, whose receivers fill permissions and roles anew: an eighth of
a second a test. Here only tables with rows are touched, and what migrations leave in theirs is put
back where a test has changed it.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

from loancrm.kernel.auditing import append_only

# In the order of their foreign keys.
_FILLED_BY_MIGRATIONS = (
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
    "kernel_keyrecord",
    "kernel_keycheck",
    "kernel_rolerights",
    "analytics_warningrule",
)
_left_by_migrations: dict[str, list[tuple[Any, ...]]] = {}


def remember() -> None:
    """Note what the database holds before the first test."""
    _left_by_migrations.update({table: _rows(table) for table in _FILLED_BY_MIGRATIONS})


def as_migrated() -> None:
    """Bring the database to where the migrations left it; numbers of rows go on."""
    changed = [table for table, rows in _left_by_migrations.items() if _rows(table) != rows]
    kept = _left_by_migrations.keys() - changed
    delete_rows(table for table in tables() if table not in kept)
    with connection.cursor() as cursor:
        for table in changed:
            rows = _left_by_migrations[table]
            places = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608 - our tables
    if "django_content_type" in changed:
        ContentType.objects.clear_cache()


def replace_flush() -> None:
    """Let Django empty the database this way."""
    TransactionTestCase._fixture_teardown = lambda _case: as_migrated()  # type: ignore[method-assign]


def tables(without_apps: Collection[str] = ()) -> list[str]:
    """Return the tables of all models but those of some apps."""
    return [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
        and not model._meta.proxy
        and model._meta.app_label not in without_apps
    ]


def delete_rows(given: Iterable[str]) -> None:
    """Delete all rows of tables. Not by TRUNCATE, which makes new files for all of them."""
    with append_only.removal(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA defer_foreign_keys = ON")
        given = list(given)
        for table in filled(given):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - our tables
        # Triggers have written down what was removed.
        for table in filled(table for table in _past_tables() if table in given):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - our tables


def _past_tables() -> list[str]:
    kept = settings.LOANCRM_MANIFESTS.past_tables.values()
    return [apps.get_model(table.past)._meta.db_table for table in kept]


def filled(given: Iterable[str]) -> list[str]:
    """Return which of some tables hold rows, in one question."""
    asked = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})"  # noqa: S608 - our tables
        for table in given
    )
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return [table for (table,) in cursor.fetchall()]


def _rows(table: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608 - our tables
        return cursor.fetchall()
