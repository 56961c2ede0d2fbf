"""What a failure of the database means: full, gone, read-only, or another schema."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from django.db.models import Model, UniqueConstraint

from loancrm.kernel.words.phrases import gettext as _

# Class 08 is "connection exception", class 57P "operator intervention", 53300 too many connections.
_GONE: Final = ("08", "57P", "53300")


class Trouble(StrEnum):
    """Kinds of failure that no change of the program's own would mend."""

    NO_ROOM = "database_full"
    GONE = "database_unavailable"
    READ_ONLY = "database_read_only"
    SCHEMA = "database_schema"


_STATES: Final = {
    # PostgreSQL: class 53 of SQLSTATE is "insufficient resources", 53100 a full disk, 53200 memory.
    **dict.fromkeys(("53100", "53200"), Trouble.NO_ROOM),
    # A standby, or a server that an operator has closed for writing.
    "25006": Trouble.READ_ONLY,
    # Undefined table, column, and an invalid name of a catalogue or schema.
    **dict.fromkeys(("42P01", "42703", "3F000"), Trouble.SCHEMA),
}
_SQLITE: Final = {
    Trouble.NO_ROOM: ("disk is full", "disk i/o error"),
    Trouble.READ_ONLY: ("readonly database",),
    Trouble.SCHEMA: ("no such table", "no such column", "has no column"),
}
# What ends by itself or by an operator's hand: whoever waits can go on afterwards.
PASSING: Final = frozenset({Trouble.NO_ROOM, Trouble.GONE, Trouble.READ_ONLY})


def trouble_of(error: BaseException) -> Trouble | None:
    """Return what kind of trouble an error of the database is, or None for any other error."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    state = str(getattr(error.__cause__, "sqlstate", None) or "")
    text = str(error).casefold()
    by_words = _by_words(text)
    if by_words is not None:
        return by_words
    if state in _STATES:
        return _STATES[state]
    # psycopg gives no state where there is no server to give one.
    if state.startswith(_GONE) or (not state and isinstance(error, OperationalError)):
        return Trouble.GONE
    if isinstance(error, InterfaceError) and not isinstance(error, ProgrammingError):
        return Trouble.GONE
    return None


def _by_words(text: str) -> Trouble | None:
    """Return what SQLite's words say; it has no codes that Django keeps."""
    for trouble, words in _SQLITE.items():
        if any(word in text for word in words):
            return trouble
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
        case Trouble.READ_ONLY:
            return _("The database takes no changes at the moment: it is read-only.")
        case Trouble.SCHEMA:
            return _("The database lacks tables or columns: run `manage.py migrate`.")


def has_broken(error: IntegrityError, model: type[Model], name: str) -> bool:
    """Return whether it is this unique constraint of a model that a row would break.

    Args:
        name: Of a constraint over columns; no other may be over the same ones.
    """
    if told := getattr(error.__cause__, "diag", None):
        return bool(told.constraint_name == name)
    # SQLite names the columns instead.
    options = model._meta  # noqa: SLF001 - the documented way
    fields = next(
        constraint.fields
        for constraint in options.constraints
        if isinstance(constraint, UniqueConstraint) and constraint.name == name
    )
    columns = (f"{options.db_table}.{options.get_field(field).column}" for field in fields)  # type: ignore[union-attr] # a column's field
    return str(error) == f"UNIQUE constraint failed: {', '.join(columns)}"
