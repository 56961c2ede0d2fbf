"""Everything outside the program that it needs: database, migrations, tables, keys, broker, files.

Asked once at the start of web, worker and scheduler, by `check --deploy`, and by `/readyz`. Every
answer is a list of all that is wrong, in words for whoever runs the product.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory, NodeNotFoundError
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from loancrm.kernel.changes import history, stamps
from loancrm.kernel.database.errors import Trouble, trouble_of, words_of
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.running import schema
from loancrm.kernel.security import keys

BROKER_SECONDS = 2
_SHOWN = 10


class SchemaDiffers(LoanCrmError):
    """The live tables are not what the applied migrations make."""

    code = "schema_differs"


@dataclass(frozen=True, slots=True)
class ReadinessFinding:
    """Something that is wrong, with its stable code."""

    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


def findings(*, needs_broker: bool = True, needs_static: bool = False) -> list[ReadinessFinding]:
    """Return everything that keeps loancrm from working; takes about a second."""
    found = database_findings()
    if needs_broker:
        found += broker_findings()
    if needs_static:
        found += static_findings()
    return found


def database_findings() -> list[ReadinessFinding]:
    """Return what is wrong with the database; further questions need the earlier ones answered."""
    if found := connection_findings():
        return found
    try:
        return (
            list(_of_migrations())
            or list(_of_schema())
            or [*_stamp_findings(), *_history_findings(), *key_findings()]
        )
    except (DatabaseError, InterfaceError) as error:
        return [_of_trouble(error)]


def connection_findings(*, may_be_missing: bool = False) -> list[ReadinessFinding]:
    """Return whether the database answers; a SQLite file is not made by asking."""
    name = str(connection.settings_dict["NAME"])
    is_file = connection.vendor == "sqlite" and "mode=memory" not in name and name != ":memory:"
    if is_file and not may_be_missing and not Path(name).exists():
        return [
            ReadinessFinding(
                "database_missing", _("There is no database: run `manage.py migrate` first.")
            )
        ]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        return [_of_trouble(error)]
    return []


def broker_findings() -> list[ReadinessFinding]:
    """Return whether the broker answers within two seconds."""
    if not settings.REDIS_URL:
        folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]
        if os.access(folder, os.W_OK | os.X_OK):
            return []
        words = _("The broker's folder %(name)s cannot be written to.") % {"name": folder}
        return [ReadinessFinding("broker_unavailable", words)]
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=BROKER_SECONDS,
            socket_timeout=BROKER_SECONDS,
            # Whoever asks asks again; waiting longer would only delay the answer.
            retry=Retry(NoBackoff(), 0),
        ) as client:
            client.ping()
    except (redis.RedisError, OSError):
        words = _("Redis does not answer: is it running, and REDIS_URL right?")
        return [ReadinessFinding("broker_unavailable", words)]
    return []


def collects_static() -> bool:
    """Return whether pages name their files by a manifest, which `collectstatic` writes."""
    return str(settings.STORAGES["staticfiles"]["BACKEND"]).endswith("ManifestStaticFilesStorage")


def static_findings() -> list[ReadinessFinding]:
    """Return whether the files of the pages were collected, where production serves them so."""
    if not collects_static() or getattr(staticfiles_storage, "hashed_files", None):
        return []
    words = _("The pages' static files are not collected: run `manage.py collectstatic`.")
    return [ReadinessFinding("static_missing", words)]


def _stamp_findings() -> list[ReadinessFinding]:
    """Return the tables of which changes would go unseen."""
    tables = [model._meta.db_table for model in stamps.missing()]  # noqa: SLF001 - public name
    if not tables:
        return []
    words = _("The database does not stamp changes of %(tables)s: run `manage.py migrate`.")
    return [ReadinessFinding("changes_not_stamped", words % {"tables": ", ".join(tables)})]


def _history_findings() -> list[ReadinessFinding]:
    """Return the tables of which what was in force before would be lost."""
    tables = [model._meta.db_table for model in history.missing()]  # noqa: SLF001 - public name
    if not tables:
        return []
    words = _("The database does not keep the past values of %(tables)s: run `manage.py migrate`.")
    return [ReadinessFinding("history_not_kept", words % {"tables": ", ".join(tables)})]


def refuse_other_schema() -> None:
    """Tell whoever has just migrated that the tables do not match the migrations.

    Raises:
        SchemaDiffers: All migrations are applied, and yet something is missing.
    """
    found = list(_of_migrations()) or list(_of_schema())
    if found and found[0].code == SchemaDiffers.code:
        raise SchemaDiffers(found[0].text)


def refuse_wrong_keys() -> None:
    """End a process whose keys are known to be wrong; a database that is away is another matter.

    Raises:
        SystemExit: A key is missing or is not the one that data was made with.
    """
    try:
        found = key_findings()
    except (DatabaseError, InterfaceError):
        return
    finally:
        connection.close()
    _end_with(found)


def refuse_unusable(*, needs_broker: bool = True, needs_static: bool = False) -> None:
    """End a process that could not work, with one line for everything that is wrong.

    Raises:
        SystemExit: Something is wrong.
    """
    found = findings(needs_broker=needs_broker, needs_static=needs_static)
    connection.close()
    _end_with(found)


def _end_with(found: list[ReadinessFinding]) -> None:
    if found:
        sys.stderr.writelines(f"{finding}\n" for finding in found)
        sys.stderr.flush()
        raise SystemExit(1)


def _of_migrations() -> Iterator[ReadinessFinding]:
    try:
        loader = MigrationLoader(connection)
    except NodeNotFoundError:
        words = _("A migration stands on one that is not there: files of loancrm are missing.")
        yield ReadinessFinding("migrations_conflict", words)
        return
    if conflicts := loader.detect_conflicts():
        names = "; ".join(f"{app}: {', '.join(ends)}" for app, ends in sorted(conflicts.items()))
        words = _("Migrations contradict each other: %(names)s.")
        yield ReadinessFinding("migrations_conflict", words % {"names": names})
        return
    try:
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory:
        words = _("A migration was applied before one that it stands on; the history is broken.")
        yield ReadinessFinding("migrations_inconsistent", words)
        return
    known = set(loader.disk_migrations) | set(loader.replacements)
    own = {app for app, _name in known}
    newer = [
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in own and (app, name) not in known
    ]
    if newer:
        words = _("The database was migrated by another version of loancrm: %(names)s.")
        yield ReadinessFinding("migrations_unknown", words % {"names": _some(newer)})
    missing = [
        f"{app}.{name}"
        for app, name in loader.graph.nodes
        if (app, name) not in loader.applied_migrations
    ]
    if missing:
        words = _("%(count)s migrations are not applied; run `manage.py migrate`: %(names)s.")
        yield ReadinessFinding(
            "migrations_missing", words % {"count": len(missing), "names": _some(missing)}
        )


def _of_schema() -> Iterator[ReadinessFinding]:
    if found := schema.differences():
        words = _(
            "The database does not match its migrations (%(count)s differences), so it was made by "
            "another state of loancrm that `migrate` cannot bring up to date: %(names)s."
        )
        names = _some([str(difference) for difference in found])
        yield ReadinessFinding(SchemaDiffers.code, words % {"count": len(found), "names": names})


def key_findings() -> list[ReadinessFinding]:
    """Return the keys that are missing or are not the ones that data was made with."""
    return [ReadinessFinding(keys.KeysRefused.code, problem) for problem in keys.problems()]


def _of_trouble(error: Exception) -> ReadinessFinding:
    trouble = trouble_of(error) or Trouble.GONE
    return ReadinessFinding(trouble.value, words_of(trouble))


def _some(names: list[str]) -> str:
    shown = sorted(names)[:_SHOWN]
    return ", ".join([*shown, *(["…"] if len(names) > _SHOWN else [])])
