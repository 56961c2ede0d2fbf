"""Tables to which rows are only ever added: the database itself refuses to change or remove one.

The triggers are put in place after every `migrate`, because SQLite loses them whenever a migration
rebuilds a table. There is one lawful door: `removal()`, for taking out what hangs on a person who
is taken out with it. Nothing opens a way to change a row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.apps import apps
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

# Tables of the apps above are named by their models' labels: the kernel knows no app.
GUARDED: Final = ("kernel.AuditEntry", "customers.ConsentRecord", "campaigns.LedgerEntry")
_SETTING: Final = "loancrm.removal"
_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION loancrm_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('{_SETTING}', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$"""


def install() -> None:
    """Put the triggers in place; those that are there already stay."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_FUNCTION)
        for table in _tables():
            if connection.vendor == "postgresql":
                _guard_postgresql(cursor, table)
            else:
                _guard_sqlite(cursor, table)


def missing() -> list[str]:
    """Return the tables that the database does not guard."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger"
                " WHERE tgname = 'append_only' AND tgenabled <> 'D'"
            )
            guarded = {row[0] for row in cursor.fetchall()}
        else:
            cursor.execute(
                "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
                " AND name LIKE 'append_only_%' GROUP BY tbl_name HAVING COUNT(*) = 2"
            )
            guarded = {row[0] for row in cursor.fetchall()}
    return [table for table in _tables() if table not in guarded]


@contextmanager
def removal() -> Iterator[None]:
    """Let rows be deleted, in this transaction and while the block runs; never be changed.

    Only for taking out a person together with everything that is stored about them.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL {_SETTING} = 'on'")
            yield
            cursor.execute(f"SET LOCAL {_SETTING} = 'off'")
            return
        # SQLite has no settings of a session; one writer at a time sees this transaction's schema.
        guarded = [table for table in _tables() if table not in missing()]
        for table in guarded:
            cursor.execute(f"DROP TRIGGER append_only_delete_{table}")
        yield
        for table in guarded:
            _guard_sqlite(cursor, table)


def _tables() -> list[str]:
    """Return the guarded tables that exist: a migration may have stopped before some of them."""
    names = [apps.get_model(label)._meta.db_table for label in GUARDED]  # noqa: SLF001 - public name
    existing = set(connection.introspection.table_names())
    return [name for name in names if name in existing]


def _guard_postgresql(cursor: CursorWrapper, table: str) -> None:
    cursor.execute(
        f"CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION loancrm_append_only()"
    )


def _guard_sqlite(cursor: CursorWrapper, table: str) -> None:
    for event in ("UPDATE", "DELETE"):
        cursor.execute(
            f"CREATE TRIGGER IF NOT EXISTS append_only_{event.lower()}_{table}"
            f" BEFORE {event} ON {table} BEGIN"
            f" SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"
        )
