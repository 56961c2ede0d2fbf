"""What a row said before it was changed or removed, written down by the database itself.

A table of which the past is kept (`PastTable` of a manifest) has a table of spells beside it:
values with the time from which, and the time until which, they were in force. Only values that are
over stand there; those in force stand in the row. Triggers write the spells, whoever writes the row
and how, so that no writer can forget it, and a row that is only added costs nothing. They are put
in place after every `migrate`, as the stamps are (`kernel.changes.stamps`).
"""

from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from loancrm.kernel.manifest import PastTable

_NAME: Final = "loancrm_history"
# Of `pg_trigger.tgtype`: 1 a row, 2 before, 8 delete, 16 update.
_EXPECTED: Final = 1 | 2 | 8 | 16
_FOUND: Final = """
SELECT t.tgrelid::regclass::text, f.prosrc
FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
WHERE t.tgname = %s AND t.tgtype = %s AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL
    AND t.tgattr::text = ''
"""


def install() -> None:
    """Put the triggers in place; those that are there and whole stay."""
    with transaction.atomic(), connection.cursor() as cursor:
        for kept in _missing():
            if connection.vendor == "postgresql":
                _install_postgresql(cursor, kept)
            else:
                for name, made in _sqlite(kept).items():
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                    cursor.execute(made, [])


def missing() -> list[type[Model]]:
    """Return the models of which the past is not kept, or not as written here."""
    return [apps.get_model(kept.model) for kept in _missing()]


def _missing() -> list[PastTable]:
    tables = _tables()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_FOUND, [_NAME, _EXPECTED])
            bodies = dict(cursor.fetchall())
            return [kept for kept in tables if bodies.get(_table(kept.model)) != _postgresql(kept)]
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        found = dict(cursor.fetchall())
    return [
        kept
        for kept in tables
        if any(found.get(name) != made.replace("%%", "%") for name, made in _sqlite(kept).items())
    ]


def _tables() -> list[PastTable]:
    """Return the declared tables that exist: a migration may have stopped before some."""
    existing = set(connection.introspection.table_names())
    return [
        kept
        for kept in settings.LOANCRM_MANIFESTS.past_tables.values()
        if {_table(kept.model), _table(kept.past)} <= existing
    ]


def _table(label: str) -> str:
    return str(apps.get_model(label)._meta.db_table)  # noqa: SLF001 - public name


def _differs(kept: PastTable, differs: str) -> str:
    """Return the condition that an update brings other values, or another time of them."""
    columns = kept.columns if kept.born else (*kept.columns, kept.since)
    return " OR ".join(f"NEW.{column} {differs} OLD.{column}" for column in columns)


def _began(kept: PastTable) -> str:
    return f"coalesce(OLD.{kept.since}, OLD.{kept.born})" if kept.born else f"OLD.{kept.since}"


def _spell(kept: PastTable, ended: str) -> str:
    """Return the statement that writes down the old values."""
    names = ", ".join((*kept.owner, *kept.columns, "began_at", "ended_at"))
    columns = (*kept.owner.values(), *kept.columns)
    values = ", ".join((*(f"OLD.{column}" for column in columns), _began(kept), ended))
    return f"INSERT INTO {_table(kept.past)} ({names}) VALUES ({values});"  # noqa: S608 - our tables


def _forgetting(kept: PastTable) -> str:
    """Return the statements that remove the past of a person who is removed."""
    return " ".join(
        f"DELETE FROM {_table(past)} WHERE {column} = OLD.id;"  # noqa: S608 - our tables
        for past, column in kept.forgets.items()
    )


def _now(kept: PastTable) -> str:
    """Return the database's clock, and later than the beginning of the old values."""
    began = _began(kept)
    if connection.vendor == "postgresql":
        return f"greatest(clock_timestamp(), {began} + interval '1 microsecond')"
    # The form in which Django stores times in SQLite, to a thousandth of a second.
    form = "'%%Y-%%m-%%d %%H:%%M:%%f'"
    return f"max(strftime({form}, 'now'), strftime({form}, {began}, '+0.001 seconds'))"


def _ended(kept: PastTable) -> str:
    """Return until when old values held at an update: as its writer says, or as the clock does.

    Whoever names no later time for the new values (a bulk update without one, the survivor of a
    merge with the time of its own source) has written them just now.
    """
    since = kept.since
    return f"CASE WHEN NEW.{since} > OLD.{since} THEN NEW.{since} ELSE {_now(kept)} END"


def _on_delete(kept: PastTable) -> str:
    return _forgetting(kept) if kept.forgets else _spell(kept, _now(kept))


def _postgresql(kept: PastTable) -> str:
    """Return the body of a table's function."""
    if kept.born:
        on_update = f"NEW.{kept.since} = {_now(kept)}; {_spell(kept, f'NEW.{kept.since}')}"
    else:
        on_update = _spell(kept, _ended(kept))
    return f"""
BEGIN
    IF TG_OP = 'DELETE' THEN
        {_on_delete(kept)}
        RETURN OLD;
    END IF;
    IF {_differs(kept, "IS DISTINCT FROM")} THEN
        {on_update}
    END IF;
    RETURN NEW;
END """


def _install_postgresql(cursor: CursorWrapper, kept: PastTable) -> None:
    table = _table(kept.model)
    function = f"{_NAME}_{table}"
    cursor.execute(
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql"
        f" AS $${_postgresql(kept)}$$"
    )
    cursor.execute(
        f"CREATE OR REPLACE TRIGGER {_NAME} BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {function}()"
    )
    # What was switched off stays so when it is made anew.
    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {_NAME}")


def _sqlite(kept: PastTable) -> dict[str, str]:
    """Return the triggers of a table, {name: how it is made}."""
    table = _table(kept.model)
    if kept.born:
        written = kept.columns
        stamped = f"UPDATE {table} SET {kept.since} = {_now(kept)} WHERE id = NEW.id;"  # noqa: S608 - our tables
        # The clock stands still while a statement runs.
        on_update = f"{stamped} {_spell(kept, _now(kept))}"
    else:
        written = (*kept.columns, kept.since)
        on_update = _spell(kept, _ended(kept))
    return {
        f"{_NAME}_update_{table}": (
            f"CREATE TRIGGER {_NAME}_update_{table}"
            f" AFTER UPDATE OF {', '.join(written)} ON {table}"
            f" WHEN {_differs(kept, 'IS NOT')} BEGIN {on_update} END"
        ),
        f"{_NAME}_delete_{table}": (
            f"CREATE TRIGGER {_NAME}_delete_{table} AFTER DELETE ON {table}"
            f" BEGIN {_on_delete(kept)} END"
        ),
    }
