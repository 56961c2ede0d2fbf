"""The schema of a version with a few rows, kept so that later ones prove that they upgrade it.

Run by `make schema-fixture`: migrates an empty database of each kind, fills it through the
product's own services and writes `tests/fixtures/schema/VERSION.KIND.sql.gz` and what it holds.
"""

import gzip
import hashlib
import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "fixtures" / "schema"
KINDS = ("sqlite", "postgresql")
# Every migration waits for the disk; memory makes minutes into seconds.
_MEMORY = Path("/dev/shm")  # noqa: S108 - holds folders of random names
# Keys of made-up people only; a fixture can be opened with no others.
_KEYS = {
    "LOANCRM_SECRET_KEY": "x7Qk2mP9vL4tR8wZ1nB6cY3hJ5dF0gS7aE2uI9oT4pK8qW1zX6",
    "LOANCRM_KEYS": "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "LOANCRM_INDEX_KEY": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
}
_FILL = """
from datetime import datetime, UTC
from loancrm.kernel.access import system_actor
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people
now = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
make_people(5)
make_channel(slug="email-memory")
make_launched(system_actor("fixture"), now)
"""
# The newest code migrates what the fixture holds, then says what it finds.
_UPGRADE = """
import json
from django.core.management import call_command
call_command("migrate", verbosity=0, interactive=False)
from django.apps import apps
from campaigns.models import Message
from customers.models import Customer
from loancrm.kernel.auditing import audit
from loancrm.kernel.security import crypto
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.running import readiness, schema
vault = crypto.vault()
print(json.dumps({
    "differences": [str(one) for one in schema.differences()],
    "findings": [str(one) for one in readiness.database_findings()],
    "names": sorted(
        vault.open(Customer.NAME_COLUMN, one.public_id, one.name_sealed)
        for one in Customer.objects.all()
    ),
    "messages": sorted(Message.objects.values_list("state", flat=True)),
    "is_intact": audit.verify().is_intact,
    "entries": AuditEntry.objects.count(),
}, ensure_ascii=False))
"""


def released() -> dict[str, bool]:
    """Return {version: whether it is out} as the changelog says."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.findall(r"^## (\d+\.\d+\.\d+)( \(unreleased\))?", text, re.MULTILINE)
    return {version: not mark for version, mark in found}


def digest() -> str:
    """Return what tells migrations as they are from migrations as a fixture was made of."""
    content = hashlib.sha256()
    for path in sorted(ROOT.glob("*/migrations/0*.py")) + sorted(
        ROOT.glob("loancrm/*/migrations/0*.py")
    ):
        content.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return content.hexdigest()


@contextmanager
def empty_database(kind: str, server: str) -> Iterator[dict[str, str]]:
    """Yield the environment of processes with an empty database of their own."""
    with tempfile.TemporaryDirectory(
        prefix="loancrm-schema-", dir=_MEMORY if _MEMORY.is_dir() else None
    ) as folder:
        foreign = ("DATABASE_URL", "REDIS_URL", "LOANCRM_TEST_DB", "DJANGO_SETTINGS_MODULE")
        own = {name: value for name, value in os.environ.items() if name not in foreign}
        own |= _KEYS | {"LOANCRM_VAR_DIR": folder, "LOANCRM_LOG_LEVEL": "ERROR"}
        if kind == "sqlite":
            yield own
            return
        name = f"loancrm_schema_{secrets.token_hex(4)}"
        _on_server(server, "CREATE DATABASE {}", name)
        try:
            yield own | {"DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{name}"))}
        finally:
            _on_server(server, "DROP DATABASE {} WITH (FORCE)", name)


def load(kind: str, version: str, variables: Mapping[str, str]) -> None:
    """Put a fixture into an empty database."""
    script = gzip.decompress((FOLDER / f"{version}.{kind}.sql.gz").read_bytes()).decode()
    if kind == "sqlite":
        with closing(sqlite3.connect(_file(variables))) as database:
            database.executescript(script)
        return
    with psycopg.connect(variables["DATABASE_URL"], autocommit=True) as session:
        session.execute(script.encode())


def upgrade(variables: Mapping[str, str]) -> dict[str, object]:
    """Migrate a loaded fixture with the code as it is; return what is then there."""
    found: dict[str, object] = json.loads(_manage(variables, "shell", "-v0", "-c", _UPGRADE))
    return found


def freeze(kind: str, version: str, server: str) -> None:
    """Make the fixture of a version from the code as it is."""
    with empty_database(kind, server) as variables:
        _manage(variables, "migrate", "-v0")
        _manage(variables, "shell", "-v0", "-c", _FILL)
        script = _dump(kind, variables)
        holds = upgrade(variables)
    FOLDER.mkdir(parents=True, exist_ok=True)
    packed = gzip.compress(script.encode(), mtime=0)
    (FOLDER / f"{version}.{kind}.sql.gz").write_bytes(packed)
    content = {"migrations": digest(), "holds": holds}
    (FOLDER / f"{version}.{kind}.json").write_text(
        json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def _dump(kind: str, variables: Mapping[str, str]) -> str:
    if kind == "sqlite":
        with closing(sqlite3.connect(_file(variables))) as database:
            return "\n".join(database.iterdump()) + "\n"
    words = ("pg_dump", "--inserts", "--no-owner", "--no-privileges", variables["DATABASE_URL"])
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    # Lines for psql alone, and the comments, which name the machine's version.
    return re.sub(r"^(\\|--).*\n", "", done.stdout, flags=re.MULTILINE)


def _file(variables: Mapping[str, str]) -> Path:
    return Path(variables["LOANCRM_VAR_DIR"]) / "loancrm.sqlite3"


def _manage(variables: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=dict(variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return done.stdout


def _on_server(server: str, statement: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(sql.SQL(statement).format(sql.Identifier(name)))


def main() -> None:
    """Make the fixtures of the version that is not out yet; those that are out stay as they are."""
    (version,) = (name for name, is_out in released().items() if not is_out)
    for kind in KINDS:
        freeze(kind, version, os.environ.get("TEST_DATABASE_URL", ""))
        sys.stdout.write(f"tests/fixtures/schema/{version}.{kind}.sql.gz\n")


if __name__ == "__main__":
    main()
