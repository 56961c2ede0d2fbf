"""Large SQL statements: files of their own, `<app>/sql/<room>/<name>.sql`.

The first line of a file says what it does. Where the databases need different words there is a twin
for each, `<name>.postgresql.sql` beside `<name>.sqlite.sql`. Values are parameters, `%(name)s`; the
few parts that are not values, such as a list of columns, stand in braces and are filled by
`statement`. A test compares all tables and columns that the files name with the models.
"""

from functools import lru_cache
from pathlib import Path

from django.apps import apps
from django.db import connection

FOLDER = "sql"


def statement(app: str, name: str, **parts: str) -> str:
    """Return a statement for the database in use.

    Args:
        app: Label of the app that has the file.
        name: `<room>/<name>`, without an ending.
        parts: What stands in braces: words of our own, never a value from outside.

    Raises:
        FileNotFoundError: There is no such file.
    """
    text = _text(app, name, connection.vendor)
    return text.format_map(parts) if parts else text


@lru_cache(maxsize=256)
def _text(app: str, name: str, vendor: str) -> str:
    folder = Path(apps.get_app_config(app).path) / FOLDER
    own = folder / f"{name}.{vendor}.sql"
    path = own if own.exists() else folder / f"{name}.sql"
    # The line of what it does is for people; the database need not read it each time.
    return path.read_text(encoding="utf-8").partition("\n")[2]
