"""An installation of a test's own, migrated, whose commands need not start Python anew."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from loancrm.kernel.commands import bench
from tests.functional import once, processes

SPEC = {
    "slug": "crash",
    "name": "压力演练",
    "goal": {"event": "application_submitted", "window_days": 7},
    "segment": {"rule": {"combinator": "and", "rules": []}},
    "channel": "relay",
    "holdout_share": 0.1,
    "content": {
        "zh-hans": {
            "subject": "{{ name }}，您好",
            "text": "示例金融提醒您查看账户。退订：{{ unsubscribe_url }}",
        }
    },
}
# Loads Django once, then forks for every command: a line in, a line with its exit status out.
_FORKING = """
import gc, json, os, sys, traceback
import django
from django.core.management import execute_from_command_line
django.setup()
# What is loaded stays: no command that is forked has to look through it for garbage.
gc.freeze()
for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if not pid:
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        status = 1
        try:
            execute_from_command_line(["manage.py", *order["arguments"]])
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
_forking: dict[str, subprocess.Popen[str]] = {}


@contextmanager
def installation() -> Iterator[dict[str, str]]:
    """Yield the environment of an installation whose tables are there."""
    with bench.own_database() as variables:
        folder = variables["LOANCRM_VAR_DIR"]
        try:
            if connection.vendor == "sqlite":
                copy_migrated(Path(folder))
            else:
                manage(variables, "migrate", "-v0")
            yield variables
        finally:
            if process := _forking.pop(folder, None):
                process.communicate()


def manage(variables: Mapping[str, str], *arguments: str, parse: bool = False):
    """Run a command; return what it printed, or its last line as JSON."""
    folder = Path(variables["LOANCRM_VAR_DIR"])
    out, err = folder / "command.out", folder / "command.err"
    process = _forking.get(str(folder)) or _start(variables)
    order = {"arguments": arguments, "out": str(out), "err": str(err)}
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()
    status = process.stdout.readline().strip()
    assert status == "0", err.read_text(encoding="utf-8")[-3000:]
    text = out.read_text(encoding="utf-8")
    return json.loads(text.strip().splitlines()[-1]) if parse else text


def _start(variables: Mapping[str, str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _FORKING],
        cwd=settings.BASE_DIR,
        env=dict(variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _forking[variables["LOANCRM_VAR_DIR"]] = process
    return process


def copy_migrated(folder: Path) -> None:
    """Put a migrated SQLite database and its keys into the folder of an installation."""
    once.copy_of("migrated", _migrate, folder)


def _migrate(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as own:
        subprocess.run(
            [*processes.MANAGE, "migrate", "-v0"],
            cwd=settings.BASE_DIR,
            env=processes.environment(Path(own)),
            check=True,
        )
        for name in ("development-secrets.json", "loancrm.sqlite3"):
            shutil.copy(Path(own) / name, folder / name)


def approve_campaign(variables: Mapping[str, str], spec: Path, slug: str) -> None:
    """Write, submit and approve a campaign."""
    manage(variables, "shell", "-v0", "-c", _APPROVE.format(spec=str(spec), slug=slug))


_APPROVE = """
import io, json
from django.core.management import call_command
shown = io.StringIO()
call_command("create_campaign", {spec!r}, stdout=io.StringIO())
call_command("submit_campaign", {slug!r}, stdout=io.StringIO())
call_command("approve_campaign", {slug!r}, "--show", "--json", stdout=shown)
digest = json.loads(shown.getvalue())["digest"]
seen = ("--as", "approver", "--seen", digest)
call_command("approve_campaign", {slug!r}, *seen, stdout=io.StringIO())
"""


def received(record: Path) -> Counter[str]:
    """Return how often a gateway that records took a message to each address."""
    if not record.exists():
        return Counter()
    rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return Counter(row["to"] for row in rows)
