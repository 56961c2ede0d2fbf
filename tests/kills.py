"""Killing a piece of work right after one of its commits, and what it leaves behind."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import count, zip_longest
from pathlib import Path
from typing import Any
from unittest import mock

from django.apps import apps
from django.conf import settings
from django.core import cache as caches
from django.db import connection, models, transaction

from campaigns.channels import registry
from campaigns.models import Channel, Chunk
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import Lease, Work
from loancrm.kernel.security import crypto, rotation
from tests import emptying

# A call is an entry of its own, so that of two calls there are two; leases and counts pass away.
_NEVER_COMPARED = frozenset(
    {"kernel.AuditEntry", "kernel.AuditHead", "kernel.AuditAnchor", "kernel.Lease"}
)
# Written with the clock or the counters of the database or of the machine, or drawn by lot.
_OWN_TIMES = frozenset(
    {
        *("holder", "lease_until", "heartbeat_at", "progress_at"),
        *("last_seen_at", "key_space", "top_before"),
    }
)
# How often a worker began is what a kill changes; when the work ended depends on how long it took.
_OWN_COLUMNS = frozenset(
    {
        *("kernel.Work.attempts", "kernel.Work.finished_at"),
        # Stamped by the database.
        *("customers.Customer.changed_at", "customers.Loan.changed_at"),
        *("customers.Repayment.changed_at", "customers.Score.changed_at"),
        # Of such a table the positions are those stamps.
        *("kernel.ChangeCursor.settled", "kernel.ChangeCursor.top", "kernel.ChangeCursor.seen"),
        # Which moves on only once no transaction of the whole server is older.
        "kernel.ChangeCursor.top_at",
    }
)
# Filled once for the whole run of tests, when its database is made.
_KEPT_APPS = frozenset({"auth", "contenttypes", "admin", "sessions", "guardian"})
_DEPTH = 1
_RANDOM_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BEGIN_ANEW = (
    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
    " FROM pg_sequences WHERE schemaname = current_schema()"
)
_SHOWN_ROWS, _SHOWN_LINES, _SHOWN_LETTERS = 3, 12, 400


class Killed(BaseException):
    """The process ended here; no handler of errors may catch it."""


@contextmanager
def killed_after_commit(nth: int) -> Iterator[list[int]]:
    """End what runs inside right after its n-th commit; needs a test with real transactions.

    A writing statement outside a transaction is a commit of its own. The dead do nothing more:
    neither what was to follow the commit, nor any statement of a handler on the way out.

    Yields:
        A list that holds the number of commits afterwards; shorter work is not killed.
    """
    done = [0]
    commit = connection.commit

    def refuse_the_dead() -> None:
        if done[0] >= nth:
            raise Killed

    def count_one() -> None:
        done[0] += 1
        if done[0] == nth:
            connection.run_on_commit = []
            raise Killed

    def counting_commit() -> None:
        refuse_the_dead()
        commit()
        count_one()

    def counting_execute(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        refuse_the_dead()
        result = execute(sql, params, many, context)
        is_write = sql.lstrip().split(" ", 1)[0].upper() in {"INSERT", "UPDATE", "DELETE", "WITH"}
        if is_write and not connection.in_atomic_block:
            count_one()
        return result

    with (
        suppress(Killed),
        mock.patch.object(connection, "commit", counting_commit),
        connection.execute_wrapper(counting_execute),
    ):
        yield done


def assert_kills_leave_no_trace(
    prepare: Callable[[], Any],
    work: Callable[[], Any],
    *,
    commits: int,
    ignored: Collection[str] = (),
) -> None:
    """Kill the work after each of its commits, do it again, and compare with one clean run.

    Args:
        prepare: Fills the empty database; must do the same every time, and only there.
        work: May be called twice.
        commits: How many the work has at least, so that nothing is taken for shown that is not.
        ignored: Labels of models, `app.Model`, and of fields, `app.Model.field`, that may differ.
    """
    begin = _beginning(prepare)
    work()
    clean = dump(ignored)
    for nth in count(1):
        begin()
        with killed_after_commit(nth) as done:
            work()
        is_killed = done[0] == nth
        if is_killed:
            let_claims_run_out()
            work()
        found = dump(ignored)
        assert found == clean, f"after a kill at commit {nth}: \n{difference(clean, found)}"
        if not is_killed:
            assert done[0] >= commits
            return


def _beginning(prepare: Callable[[], Any]) -> Callable[[], None]:
    """Prepare; return what brings the database back there: a copy where it can be copied."""
    empty()
    # Those of the databases of earlier tests: every round would read and write them all.
    for path in _anchors():
        path.unlink()
    prepare()
    copy = sqlite3.connect(":memory:") if connection.vendor == "sqlite" else None
    if copy is not None:
        connection.connection.backup(copy)
    anchors = _anchors()

    def begin() -> None:
        if copy is None:
            empty()
            prepare()
            return
        _forget()
        copy.backup(connection.connection)
        # A database that is older than its anchor is taken for a copy, which must not send.
        for path in _anchors().keys() - anchors.keys():
            path.unlink()
        for path, content in anchors.items():
            path.write_bytes(content)

    return begin


def _anchors() -> dict[Path, bytes]:
    files = Path(settings.LOANCRM_ANCHOR_DIR).rglob("*")
    return {path: path.read_bytes() for path in files if path.is_file()}


def empty() -> None:
    """Delete all rows that tests make, and let their numbers begin anew."""
    with transaction.atomic(), connection.cursor() as cursor:
        emptying.delete_rows(emptying.tables(without_apps=_KEPT_APPS))
        is_sqlite = connection.vendor == "sqlite"
        cursor.execute("DELETE FROM sqlite_sequence" if is_sqlite else _BEGIN_ANEW)
    _forget()


def _forget() -> None:
    registry.close_all()
    caches.cache.clear()


def let_claims_run_out() -> None:
    """Let the time pass after which the work of a dead worker is free again."""
    long_ago = Moment(-24 * 3600)
    Lease.objects.update(until=long_ago)
    Work.objects.filter(lease_until__isnull=False).update(
        lease_until=long_ago, heartbeat_at=long_ago
    )
    Chunk.objects.filter(lease_until__isnull=False).update(lease_until=long_ago)
    Channel.objects.filter(next_slot_at__isnull=False).update(next_slot_at=long_ago)


def dump(ignored: Collection[str] = ()) -> dict[str, Counter[Any]]:
    """Return the content of all tables that hold rows, whatever the rows' numbers are.

    A row is what its columns say: sealed ones in clear, references as the content of what they
    refer to. Random keys and ciphers are left out.
    """
    reader = _Reader(ignored)
    filled = set(emptying.filled(emptying.tables()))
    tables = {}
    for model in reader.columns:
        label = model._meta.label
        if label in _NEVER_COMPARED or label in ignored or model._meta.db_table not in filled:
            continue
        if rows := Counter(reader.content(model, pk, _DEPTH) for pk in reader.rows(model)):
            tables[label] = rows
    return tables


class _Reader:
    """Reads rows as what they say; each table once."""

    def __init__(self, ignored: Collection[str]) -> None:
        self.columns = {
            model: _columns(model, ignored)
            for model in apps.get_models()
            if model._meta.app_label not in _KEPT_APPS - {"guardian"}
        }
        self._sealed = {
            (column.model, column.field): (column.name, column.key_field)
            for column in rotation.sealed_columns()
        }
        self._contents: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._rows: dict[type[models.Model], dict[Any, Any]] = {}

    def rows(self, model: type[models.Model]) -> dict[Any, Any]:
        """Return the rows of a table by their keys."""
        if model not in self._rows:
            self._rows[model] = {row.pk: row for row in model._default_manager.all()}
        return self._rows[model]

    def content(self, model: type[models.Model], pk: object, depth: int) -> tuple[Any, ...]:
        """Return name and value of each column of a row; references `depth` tables far."""
        key = (model, pk, depth)
        if key not in self._contents:
            row = self.rows(model)[pk]
            self._contents[key] = tuple(
                (field.name, self._value(row, field, depth)) for field in self.columns[model]
            )
        return self._contents[key]

    def _value(self, row: Any, field: Any, depth: int) -> Any:
        found = getattr(row, field.attname)
        if found is None:
            return None
        if field.is_relation and field.related_model in self.columns:
            return self.content(field.related_model, found, depth - 1) if depth else "…"
        if (key := self._sealed.get((type(row), field.name))) is not None:
            found = crypto.vault().open(key[0], getattr(row, key[1]), bytes(found))
        return _RANDOM_KEY.sub("random", found if isinstance(found, str) else repr(found))


def difference(clean: dict[str, Counter[Any]], found: dict[str, Counter[Any]]) -> str:
    """Return in a few lines what differs: the columns of the rows that have changed most likely."""
    lines: list[str] = []
    for label in sorted(clean.keys() | found.keys()):
        wanted, there = clean.get(label, Counter()), found.get(label, Counter())
        pairs = zip_longest((wanted - there).elements(), (there - wanted).elements(), fillvalue=())
        for before, after in list(pairs)[:_SHOWN_ROWS]:
            lines += [f"- {label} {part}" for part in before if part not in after]
            lines += [f"+ {label} {part}" for part in after if part not in before]
    return "\n".join(line[:_SHOWN_LETTERS] for line in lines[:_SHOWN_LINES])


def _columns(model: type[models.Model], ignored: Collection[str]) -> list[Any]:
    return [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key and not field.is_relation)
        and not isinstance(field, models.UUIDField)
        and field.name not in _OWN_TIMES
        and f"{model._meta.label}.{field.name}" not in _OWN_COLUMNS | set(ignored)
    ]
