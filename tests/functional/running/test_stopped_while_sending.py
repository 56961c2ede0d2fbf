"""`manage.py up` is stopped while a campaign is being sent: settled, given back, gone."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from loancrm.kernel.commands import bench
from tests.functional.installation import (
    SPEC,
    approve_campaign,
    installation,
    manage,
    received,
)
from tests.functional.processes import MANAGE

pytestmark = [pytest.mark.slow, pytest.mark.sql, pytest.mark.django_db, pytest.mark.timeout(300)]
PEOPLE = 600
_MAKE_PEOPLE = f"""
from django.contrib.auth.models import User
from tests.factories.people import make_people
make_people({PEOPLE})
User.objects.create_superuser("approver")
"""
HELD_CHUNKS = (
    "from campaigns.models import Chunk; "
    "print(Chunk.objects.exclude(claimed_by='').exclude(state='done').count())"
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, django_db_setup, django_db_blocker):
    """A slow relay and one approved campaign a test, on a database of their own."""
    folder = tmp_path_factory.mktemp("stopped")
    with django_db_blocker.unblock(), installation() as variables:
        manage(variables, "shell", "-v0", "-c", _MAKE_PEOPLE)
        record = folder / "record.jsonl"
        relay = [
            sys.executable, "manage.py", "simulate_gateways", "--smtp-port", "0",
            "--latency-ms", "60", "--record", str(record),
        ]  # fmt: skip
        with bench.process(relay, variables) as gateways:
            port = json.loads(gateways.stdout.readline())["smtp_port"]
            slow = {"port": port, "connections": 2, "window": 1, "batch_size": 20}
            manage(
                variables, "configure_channel", "relay", "--kind", "email", "--backend", "smtp",
                "--sender", "示例金融 <news@lender.example>", "--options", json.dumps(slow),
            )  # fmt: skip
            yield variables, record


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_h1_a_stop_while_sending_settles_what_is_under_way_and_leaves_no_process(
    prepared, number, tmp_path
):
    variables, record = prepared
    slug = f"stopped-{number.name.lower()}"
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(SPEC | {"slug": slug, "name": slug}), encoding="utf-8")
    approve_campaign(variables, spec, slug)
    before, log = received(record), tmp_path / "up.log"
    with log.open("wb") as output:
        up = subprocess.Popen(
            [*MANAGE, "up", "--port", str(free_port())],
            env=variables, stdout=output, stderr=output,
        )  # fmt: skip
        try:
            assert bench.wait_until(lambda: "beat started" in log.read_text(), seconds=120)
            manage(variables, "launch_campaign", slug)
            assert bench.wait_until(
                lambda: (received(record) - before).total() > 60, seconds=120, pause=0.2
            ), log.read_text()
            family = bench.family(up.pid)
            up.send_signal(number)
            assert up.wait(timeout=60) == 0
        finally:
            up.kill()
            up.wait()

    # After 9.5 seconds the supervisor kills what is left, and says so.
    assert ": killed" not in log.read_text()
    assert len(family) >= 6
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
    status = manage(variables, "campaign_status", slug, "--json", parse=True)
    states, taken = status["states"], received(record) - before
    assert sum(states.values()) == status["audience"] == PEOPLE
    assert states["unknown"] == states["sending"] == states["failed"] == 0
    assert states["planned"] > 0, "all were sent before the stop: nothing was interrupted"
    assert max(taken.values()) == 1
    assert taken.total() == states["sent"]
    assert manage(variables, "shell", "-v0", "-c", HELD_CHUNKS).strip() == "0"
    manage(variables, "cancel_campaign", slug)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
