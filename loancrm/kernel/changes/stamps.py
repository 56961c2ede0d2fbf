"""When a row was last written, stamped by the database itself.

What writers pass as their time is a time of business: a long import stamps all of its pages with
its beginning, hosts' clocks differ, and a bulk update names no time at all. The feed follows
`changed_at` instead, which a trigger sets at every insert and update, whoever writes and how: the
database's clock at that moment, and always later than the row's last stamp. The triggers are put in
place after every `migrate`, because SQLite loses them whenever a migration rebuilds a table.
"""

from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

COLUMN: Final = "changed_at"
_NAME: Final = "loancrm_change_stamp"
# The transaction has its number before the stamp: the feed waits for the transactions that were
# open when it looked, and must know of this one from the first stamp on.
_BODY: Final = f"""
BEGIN
    PERFORM pg_current_xact_id();
    NEW.{COLUMN} = clock_timestamp();
    IF TG_OP = 'UPDATE' AND NEW.{COLUMN} <= OLD.{COLUMN} THEN
        NEW.{COLUMN} = OLD.{COLUMN} + interval '1 microsecond';
    END IF;
    RETURN NEW;
END """
# Of `pg_trigger.tgtype`: 1 a row, 2 before, 4 insert, 16 update.
_EXPECTED: Final = 1 | 2 | 4 | 16
_SOUND: Final = """
SELECT t.tgrelid::regclass::text
FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
WHERE t.tgname = %s AND t.tgtype = %s AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL
    AND t.tgattr::text = '' AND f.prosrc = %s
"""
# The form in which Django stores times in SQLite, to a thousandth of a second.
_FORM: Final = "'%%Y-%%m-%%d %%H:%%M:%%f'"


def install() -> None:
    """Put the triggers in place; those that are there and whole stay."""
    with transaction.atomic(), connection.cursor() as cursor:
        for model in missing():
            if connection.vendor == "postgresql":
                _stamp_postgresql(cursor, model)
            else:
                _stamp_sqlite(cursor, model)


def missing() -> list[type[Model]]:
    """Return the models whose tables are not stamped, or not as written here."""
    models = _models()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_SOUND, [_NAME, _EXPECTED, _BODY])
            whole = {table for (table,) in cursor.fetchall()}
            return [model for model in models if _table(model) not in whole]
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        found = dict(cursor.fetchall())
    return [
        model
        for model in models
        if any(found.get(name) != made.replace("%%", "%") for name, made in _sqlite(model).items())
    ]


def _models() -> list[type[Model]]:
    """Return the stamped models whose tables exist: a migration may have stopped before some."""
    tables = settings.LOANCRM_MANIFESTS.change_tables.values()
    models = [apps.get_model(table.model) for table in tables if table.is_stamped]
    existing = set(connection.introspection.table_names())
    return [model for model in models if _table(model) in existing]


def _table(model: type[Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 - public name


def _stamp_postgresql(cursor: CursorWrapper, model: type[Model]) -> None:
    table = _table(model)
    cursor.execute(
        f"CREATE OR REPLACE FUNCTION {_NAME}() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$"
    )
    cursor.execute(
        f"CREATE OR REPLACE TRIGGER {_NAME} BEFORE INSERT OR UPDATE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {_NAME}()"
    )
    # What was switched off stays so when it is made anew.
    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {_NAME}")


def _stamp_sqlite(cursor: CursorWrapper, model: type[Model]) -> None:
    for name, made in _sqlite(model).items():
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(made, [])


def _sqlite(model: type[Model]) -> dict[str, str]:
    """Return the triggers of a table, {name: how it is made}.

    The trigger's own update sets no other column, so that it does not start the trigger again.
    """
    table = _table(model)
    columns = [field.column for field in model._meta.local_concrete_fields]  # noqa: SLF001 - public name
    written = ", ".join(f'"{column}"' for column in columns if column != COLUMN)
    at = f"strftime({_FORM}, 'now')"
    later = f"strftime({_FORM}, OLD.{COLUMN}, '+0.001 seconds')"
    events = {
        "insert": ("INSERT", at),
        "update": (f"UPDATE OF {written}", f"max({at}, coalesce({later}, ''))"),
    }
    return {
        f"{_NAME}_{event}_{table}": (
            f"CREATE TRIGGER {_NAME}_{event}_{table} AFTER {statement} ON {table}"  # noqa: S608 - our tables
            f" BEGIN UPDATE {table} SET {COLUMN} = {stamp} WHERE id = NEW.id; END"
        )
        for event, (statement, stamp) in events.items()
    }
