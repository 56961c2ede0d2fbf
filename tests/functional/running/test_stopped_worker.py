"""A plain worker, as `Procfile` starts it, is stopped while it sends: settled, given back, gone."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loancrm.kernel.commands import bench
from tests.functional.installation import SPEC, approve_campaign, manage, received
from tests.functional.running.test_stopped_while_sending import (
    HELD_CHUNKS,
    PEOPLE,
    prepared,  # noqa: F401 - a fixture
)

pytestmark = [pytest.mark.slow, pytest.mark.sql, pytest.mark.django_db, pytest.mark.timeout(300)]
STOPS_WITHIN_SECONDS = 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_h1_a_plain_worker_stops_within_ten_seconds_and_another_goes_on(
    prepared,  # noqa: F811 - the fixture
    pool,
    number,
    tmp_path,
):
    variables, record = prepared
    slug = f"plain-{pool}-{number.name.lower()}"
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(SPEC | {"slug": slug, "name": slug}), encoding="utf-8")
    approve_campaign(variables, spec, slug)
    before = received(record)

    def taken():
        return received(record) - before

    manage(variables, "launch_campaign", slug)
    worker = _start(variables, pool, tmp_path)
    try:
        assert bench.wait_until(lambda: taken().total() > 40, seconds=60, pause=0.2)
        family, asked_at = bench.family(worker.pid), time.monotonic()
        worker.send_signal(number)
        worker.wait(timeout=STOPS_WITHIN_SECONDS)
        left = STOPS_WITHIN_SECONDS - (time.monotonic() - asked_at)
        assert bench.wait_until(lambda: not any(map(_exists, family)), seconds=left, pause=0.1)
    finally:
        worker.kill()
        worker.wait()

    status = manage(variables, "campaign_status", slug, "--json", parse=True)
    states = status["states"]
    assert sum(states.values()) == status["audience"] == PEOPLE
    assert states["unknown"] == states["sending"] == states["failed"] == 0
    assert states["planned"] > 0, "all were sent before the stop: nothing was interrupted"
    assert taken().total() == states["sent"]
    assert manage(variables, "shell", "-v0", "-c", HELD_CHUNKS).strip() == "0"

    # What is left goes on with the next worker at once: no lease has to run out.
    next_worker = _start(variables, pool, tmp_path)
    try:
        sent = states["sent"]
        assert bench.wait_until(lambda: taken().total() > sent + 20, seconds=60, pause=0.2)
    finally:
        next_worker.send_signal(signal.SIGTERM)
        next_worker.wait(timeout=60)
    assert max(taken().values()) == 1
    manage(variables, "cancel_campaign", slug)


def _exists(pid):
    return Path(f"/proc/{pid}").exists()


def _start(variables, pool, folder):
    command = [
        sys.executable, "-m", "celery", "-A", "loancrm", "worker", "--pool", pool,
        "--concurrency", "2", "--beat", "--schedule", str(folder / "beat"),
        "--queues", "dispatch,receipts,default", "--loglevel", "ERROR",
    ]  # fmt: skip
    return subprocess.Popen(command, env=variables)
