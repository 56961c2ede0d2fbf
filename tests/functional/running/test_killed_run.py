"""A run that is killed leaves no process, no folder, no database and no key in Redis."""

import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis

from loancrm.kernel.commands import bench
from tests.functional.processes import MANAGE, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.sql, pytest.mark.timeout(300)]


def commands_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def is_alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def prefork_children(pids):
    workers = [pid for pid in pids if "celery -A loancrm worker" in commands_of(pid)]
    return [pid for pid in workers if len(bench.family(pid)) == 1]


def variables_of(pid):
    variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(one.partition("=")[::2] for one in variables)


@pytest.mark.parametrize(
    ("words", "workers"),
    [
        (("bench", "dispatch", "--scale", "1", "--rounds", "1"), 1),
        (("chaos", "dispatch", "--n", "200", "--kills", "0"), 2),
    ],
)
def test_a_killed_run_leaves_no_worker_and_nothing_of_its_own_behind(words, workers):
    outer = subprocess.Popen(
        [*MANAGE, *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert bench.wait_until(
            lambda: len(prefork_children(bench.family(outer.pid))) == 2 * workers,
            seconds=240,
            pause=0.2,
        )
        pids = bench.family(outer.pid)
        own = variables_of(prefork_children(pids)[0])
    finally:
        outer.send_signal(signal.SIGKILL)
        outer.wait()

    assert bench.wait_until(lambda: not any(map(is_alive, pids)), seconds=60, pause=0.2), [
        commands_of(pid) for pid in pids if is_alive(pid)
    ]
    assert not Path(own["LOANCRM_VAR_DIR"]).exists()
    assert own["LOANCRM_BROKER_PREFIX"]
    if own.get("DATABASE_URL"):
        assert name_of_database(own) not in databases()
    if own.get("REDIS_URL"):
        with redis.Redis.from_url(own["REDIS_URL"]) as client:
            assert list(client.scan_iter(match=own["LOANCRM_BROKER_PREFIX"] + "*")) == []


def test_two_runs_share_neither_database_nor_broker(db):
    with bench.own_database() as first, bench.own_database() as second:
        names = ("LOANCRM_VAR_DIR", "LOANCRM_BROKER_PREFIX")
        assert all(first[name] and first[name] != second[name] for name in names)
        if "DATABASE_URL" in first:
            assert first["DATABASE_URL"] != second["DATABASE_URL"]
    assert not Path(first["LOANCRM_VAR_DIR"]).exists()


def name_of_database(variables):
    return urlsplit(variables["DATABASE_URL"]).path.lstrip("/")


def databases():
    url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres"))
    with psycopg.connect(url) as server:
        return {name for (name,) in server.execute("SELECT datname FROM pg_database")}
