"""`manage.py up`: web, worker and beat by one command."""

import signal
import socket
import sqlite3
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from loancrm.kernel.commands import bench
from loancrm.kernel.running import claims
from tests.functional import preloaded, processes
from tests.functional.installation import copy_migrated

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
            return answer.status
    except (urllib.error.URLError, OSError):
        return 0


def _wait_until(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.3)


def refused(folder, port):
    return preloaded.run(
        [*processes.MANAGE, "up", "--port", str(port)],
        env=processes.environment(folder),
        cwd=processes.ROOT,
        seconds=120,
    )


def test_h4_a_port_in_use_and_a_folder_in_use_are_said_and_nothing_starts(tmp_path):
    copy_migrated(tmp_path)
    port, log = _free_port(), tmp_path / "up.log"
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        done = refused(tmp_path, foreign.getsockname()[1])
    assert (done.returncode, "port_in_use: " in done.stderr) == (1, True)
    assert "started" not in done.stderr
    with processes.started("up", "--port", str(port), folder=tmp_path, log=log) as process:
        _wait_until(lambda: "beat started" in log.read_text(), 120)
        second = refused(tmp_path, _free_port())
        assert (second.returncode, "already_running: " in second.stderr) == (1, True)
        assert "started" not in second.stderr
        # However the first one ends, the folder is free again.
        process.kill()
        process.wait()
    with claims.claim_folder(tmp_path) as lock:
        assert lock.readable()


def test_h1_ctrl_c_ends_everything_and_says_nothing_of_killing(tmp_path):
    copy_migrated(tmp_path)
    port, log = _free_port(), tmp_path / "up.log"
    with processes.started("up", "--port", str(port), folder=tmp_path, log=log) as process:
        _wait_until(lambda: _status(f"http://127.0.0.1:{port}/healthz") == 200, 120)
        # Supervisor, web and its server, two workers with two processes each, beat.
        _wait_until(lambda: len(bench.family(process.pid)) >= 10, 120)
        family = bench.family(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    assert ": killed" not in log.read_text()
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]


def test_one_command_serves_the_admin_works_and_ticks_and_stops_cleanly(tmp_path):
    port, log = _free_port(), tmp_path / "up.log"
    with processes.started("up", "--port", str(port), folder=tmp_path, log=log) as process:
        url = f"http://127.0.0.1:{port}/admin/login/"
        _wait_until(lambda: _status(url) == 200, 180)

        # The tick's leader is written by a worker that got its wake-up from beat.
        def has_ticked() -> bool:
            with sqlite3.connect(tmp_path / "loancrm.sqlite3") as database:
                (count,) = database.execute(
                    "SELECT count(*) FROM kernel_lease WHERE name = 'campaigns.tick'"
                ).fetchone()
            return count == 1

        _wait_until(has_ticked, 60)
        process.terminate()
        assert process.wait(timeout=45) == 0

    text = log.read_text()
    assert "First start: sign in as admin with the password" in text
    assert ": killed" not in text
    assert _status(url) == 0
