"""`manage.py up`: web, worker and beat by one command."""

import socket
import sqlite3
import time
import urllib.error
import urllib.request

import pytest

from tests.functional import processes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


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


def test_one_command_serves_the_admin_works_and_ticks_and_stops_cleanly(tmp_path):
    port, log = _free_port(), tmp_path / "up.log"
    with processes.started("up", "--port", str(port), folder=tmp_path, log=log) as process:
        url = f"http://127.0.0.1:{port}/admin/login/"
        _wait_until(lambda: _status(url) == 200, 90)

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
    assert _status(url) == 0
