"""Tables to which rows are only ever added: the database itself refuses to change or remove one.

The triggers are put in place after every `migrate`, because SQLite loses them whenever a migration
rebuilds a table. There is one lawful door: `removal()`, for taking out what hangs on a person who
is taken out with it. Nothing opens a way to change a row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

_SETTING: Final = "loancrm.removal"
_ROWS, _TRUNCATE = "append_only", "append_only_truncate"
_BODY: Final = f"""
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('{_SETTING}', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END """
# Events of `pg_trigger.tgtype`: 1 a row, 2 before, 8 delete, 16 update, 32 truncate.
_EXPECTED: Final = {_ROWS: 1 | 2 | 8 | 16, _TRUNCATE: 2 | 32}
# What fires for everybody, at every row, without a condition, and does what was written here.
_SOUND: Final = """
SELECT t.tgrelid::regclass::text, t.tgname, t.tgtype
FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
WHERE t.tgname = ANY(%s) AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL
    AND t.tgattr::text = '' AND f.prosrc = %s
"""


def install() -> None:
    """Put the triggers in place; those that are there and whole stay."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in missing():
            if connection.vendor == "postgresql":
                _guard_postgresql(cursor, table)
            else:
                _guard_sqlite(cursor, table)


def missing() -> list[str]:
    """Return the tables that the database does not guard, or not as written here.

    A trigger that only bears the name of a guard, such as one that was made anew for deletions
    alone, is none.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return [table for table in _tables() if not _is_whole_postgresql(cursor, table)]
        return [table for table in _tables() if not _is_whole_sqlite(cursor, table)]


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
        unguarded = missing()
        guarded = [table for table in _tables() if table not in unguarded]
        for table in guarded:
            cursor.execute(f"DROP TRIGGER append_only_delete_{table}")
        yield
        for table in guarded:
            _guard_sqlite(cursor, table)


def _tables() -> list[str]:
    """Return the guarded tables that exist: a migration may have stopped before some of them."""
    labels = settings.LOANCRM_MANIFESTS.append_only
    names = [apps.get_model(label)._meta.db_table for label in labels]  # noqa: SLF001 - public name
    existing = set(connection.introspection.table_names())
    return [name for name in names if name in existing]


def _is_whole_postgresql(cursor: CursorWrapper, table: str) -> bool:
    cursor.execute(_SOUND, [list(_EXPECTED), _BODY])
    return {name: kind for owner, name, kind in cursor.fetchall() if owner == table} == _EXPECTED


def _guard_postgresql(cursor: CursorWrapper, table: str) -> None:
    cursor.execute(
        "CREATE OR REPLACE FUNCTION loancrm_append_only() RETURNS trigger LANGUAGE plpgsql"
        f" AS $${_BODY}$$"
    )
    runs = "EXECUTE FUNCTION loancrm_append_only()"
    cursor.execute(
        f"CREATE OR REPLACE TRIGGER {_ROWS} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {runs}"
    )
    # Emptying a table touches no row.
    cursor.execute(
        f"CREATE OR REPLACE TRIGGER {_TRUNCATE} BEFORE TRUNCATE ON {table}"
        f" FOR EACH STATEMENT {runs}"
    )
    # What was switched off stays so when it is made anew.
    for name in _EXPECTED:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")


def _is_whole_sqlite(cursor: CursorWrapper, table: str) -> bool:
    cursor.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table]
    )
    found = dict(cursor.fetchall())
    return all(found.get(name) == made for name, made in _sqlite_triggers(cursor, table).items())


def _guard_sqlite(cursor: CursorWrapper, table: str) -> None:
    for name, made in _sqlite_triggers(cursor, table).items():
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(made)


def _sqlite_triggers(cursor: CursorWrapper, table: str) -> dict[str, str]:
    """Return the triggers of a table, {name: how it is made}.

    `REPLACE` deletes what has the new row's key without firing a trigger of deletion, so a row
    whose key is there already is refused; by which keys, only the database knows.
    """
    refusal = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"
    events = {"update": "UPDATE", "delete": "DELETE", "insert": "INSERT"}
    taken = " OR ".join(
        " AND ".join(f'"{column}" = NEW."{column}"' for column in key)
        for key in _unique_keys(cursor, table)
    )
    conditions = {"insert": f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) "}  # noqa: S608 - our tables
    return {
        f"append_only_{event}_{table}": (
            f"CREATE TRIGGER append_only_{event}_{table} BEFORE {statement} ON {table}"
            f" {conditions.get(event, '')}{refusal}"
        )
        for event, statement in events.items()
    }


def _unique_keys(cursor: CursorWrapper, table: str) -> list[tuple[str, ...]]:
    keys: list[tuple[str, ...]] = [("id",)]
    cursor.execute('SELECT name FROM pragma_index_list(%s) WHERE "unique"', [table])
    for (index,) in cursor.fetchall():
        cursor.execute("SELECT name FROM pragma_index_info(%s) ORDER BY seqno", [index])
        keys.append(tuple(name for (name,) in cursor.fetchall()))
    return sorted(keys)
