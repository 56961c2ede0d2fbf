"""What a failure of the database means for whoever meets it: full, gone, or another schema."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from django.utils.translation import gettext as _

# PostgreSQL: class 53 of SQLSTATE is "insufficient resources", 53100 a full disk, 53200 memory.
_NO_ROOM: Final = frozenset({"53100", "53200"})
# Class 08 is "connection exception", class 57P "operator intervention", 53300 too many connections.
_GONE: Final = ("08", "57P", "53300")
_SQLITE_FULL: Final = ("disk is full", "disk i/o error")
_SQLITE_SCHEMA: Final = ("no such table", "no such column", "has no column")
# Undefined table, column, and an invalid name of a catalogue or schema.
_SCHEMA: Final = frozenset({"42P01", "42703", "3F000"})


class Trouble(StrEnum):
    """Kinds of failure that no change of the program's own would mend."""

    NO_ROOM = "database_full"
    GONE = "database_unavailable"
    SCHEMA = "database_schema"


def trouble_of(error: BaseException) -> Trouble | None:
    """Return what kind of trouble an error of the database is, or None for any other error."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    state = str(getattr(error.__cause__, "sqlstate", None) or "")
    text = str(error).casefold()
    if state in _NO_ROOM or any(words in text for words in _SQLITE_FULL):
        return Trouble.NO_ROOM
    if state in _SCHEMA or any(words in text for words in _SQLITE_SCHEMA):
        return Trouble.SCHEMA
    # psycopg gives no state where there is no server to give one.
    if state.startswith(_GONE) or (not state and isinstance(error, OperationalError)):
        return Trouble.GONE
    if isinstance(error, InterfaceError) and not isinstance(error, ProgrammingError):
        return Trouble.GONE
    return None


def is_out_of_room(error: BaseException) -> bool:
    """Return whether the database could not write for want of room."""
    return trouble_of(error) is Trouble.NO_ROOM


def words_of(trouble: Trouble) -> str:
    """Return what to tell a person; never the database's own words, which may quote rows."""
    match trouble:
        case Trouble.NO_ROOM:
            return _("The database has no room left to write.")
        case Trouble.GONE:
            return _("The database cannot be reached or did not answer in time.")
        case Trouble.SCHEMA:
            return _("The database lacks tables or columns: run `manage.py migrate`.")
