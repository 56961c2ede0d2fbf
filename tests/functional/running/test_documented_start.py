"""The start without Docker, taken out of its document and done word for word on a bare machine."""

import os
import re
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection

from loancrm.kernel.commands import bench
from tests.functional.processes import ROOT
from tests.functional.running.test_refusals_at_start import SECRETS
from tests.functional.test_up import _free_port

pytestmark = [pytest.mark.slow, pytest.mark.sql, pytest.mark.timeout(300)]
MANUAL = ROOT / "docs/operations.md"


def documented():
    """Return the lines of the shell block below the heading."""
    text = MANUAL.read_text(encoding="utf-8")
    section = text.split("### Without Docker\n", 1)[1].split("\n### ", 1)[0]
    return re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].splitlines()


def test_h4_the_manual_has_the_whole_start_in_one_block():
    words = "\n".join(documented())
    for step in ("venv", "pip install", ".env", "migrate", "collectstatic", "check --deploy", "up"):
        assert step in words


@pytest.fixture
def services(django_db_setup, django_db_blocker):
    """An empty database and the broker of the tests, as the manual has them."""
    if connection.vendor != "postgresql" or not os.environ.get("REDIS_URL"):
        pytest.skip("the documented start needs PostgreSQL and Redis")
    server = os.environ["DATABASE_URL"]
    name = f"loancrm_start_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f'CREATE DATABASE "{name}"')
    yield {
        "DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{name}")),
        "REDIS_URL": os.environ["REDIS_URL"],
    }
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def clone(tmp_path, services):
    """A clone with the packages of this one instead of an install, and what `.env` is to say."""
    folder = tmp_path / "loancrm"
    subprocess.run(
        ["/usr/bin/env", "git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)],
        check=True,
    )
    (folder / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    filled = {**SECRETS, "POSTGRES_PASSWORD": "unused", **services}
    filled["LOANCRM_ALLOWED_HOSTS"] = "crm.lender.example"
    return folder, filled | {"DJANGO_SETTINGS_MODULE": "loancrm.settings.prod"}


def filled_in(example, values):
    """Return the example with its secrets filled in and the lines that the manual adds."""
    lines = []
    for line in example.splitlines():
        name = line.partition("=")[0]
        lines.append(f"{name}={values.pop(name)}" if name in values else line)
    return "\n".join([*lines, *(f"{name}={value}" for name, value in values.items())]) + "\n"


def bare():
    """Return the environment of somebody who has just signed in."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "DJANGO_SUPERUSER_PASSWORD": "a-long-password-9",
    }


def script(lines, port):
    """Return the block as a script: without the install, with answers where it asks a person."""
    skipped = ("python3 -m venv", ".venv/bin/pip install", "cp .env.example")
    kept = [line for line in lines if not line.startswith(skipped)]
    words = "\n".join(kept)
    words = words.replace(
        "createsuperuser", "createsuperuser --noinput --username root --email r@lender.example"
    )
    return "set -e\n" + re.sub(
        r"manage\.py up$", f"manage.py up --port {port}", words, flags=re.MULTILINE
    )


def page(port, path="/admin/login/"):
    """Ask as the proxy with TLS in front does."""
    headers = {
        "Host": "crm.lender.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "192.0.2.7",
    }
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def test_h4_the_documented_start_serves_the_sign_in_page_with_its_styles(clone, tmp_path):
    folder, values = clone
    example = (folder / ".env.example").read_text(encoding="utf-8")
    (folder / ".env").write_text(filled_in(example, dict(values)), encoding="utf-8")
    port, log = _free_port(), tmp_path / "start.log"
    with log.open("wb") as output:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", script(documented(), port)],
            cwd=folder, env=bare(), stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            bench.wait_until(
                lambda: page(port)[0] == 200 or shell.poll() is not None, seconds=200, pause=1.0
            )
            family = bench.family(shell.pid)
            status, text = page(port)
            assert status == 200, log.read_text()
            styles = set(re.findall(r'href="(/static/[^"]+\.css)"', text))
            assert styles
            assert {page(port, path)[0] for path in styles} == {200}
            assert page(port, "/readyz")[0] == 200
        finally:
            bench._end_group(shell)
    bench.wait_until(lambda: not any(Path(f"/proc/{p}").exists() for p in family), seconds=30)
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
