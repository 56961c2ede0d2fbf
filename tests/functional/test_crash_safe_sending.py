"""A worker is killed in the middle of a campaign; nobody is written to twice, nobody is lost."""

import json
import os
import signal
import sys
import time
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

pytestmark = [pytest.mark.slow, pytest.mark.sql, pytest.mark.django_db, pytest.mark.timeout(240)]
PEOPLE = 700


def worker_command(folder: Path):
    return [
        sys.executable, "-m", "celery", "-A", "loancrm", "worker", "--beat",
        "--schedule", str(folder / "beat"), "--concurrency", "2",
        "--queues", "dispatch,default", "--loglevel", "ERROR",
        "--without-gossip", "--without-mingle",
    ]  # fmt: skip


@pytest.fixture
def environment():
    with installation() as variables:
        yield variables


def test_a_killed_worker_loses_nobody_and_repeats_nobody(environment, tmp_path):
    variables = environment
    manage(variables, "shell", "-v0", "-c", _MAKE_PEOPLE)
    record = tmp_path / "record.jsonl"
    with bench.process(
        [
            sys.executable, "manage.py", "simulate_gateways", "--smtp-port", "0",
            "--latency-ms", "15", "--record", str(record),
        ],
        variables,
    ) as gateways:  # fmt: skip
        port = json.loads(gateways.stdout.readline())["smtp_port"]
        slow = {"port": port, "connections": 2, "window": 1, "batch_size": 20}
        manage(
            variables, "configure_channel", "relay", "--kind", "email", "--backend", "smtp",
            "--sender", "示例金融 <news@lender.example>",
            "--options", json.dumps(slow),
        )  # fmt: skip
        spec = tmp_path / "spec.json"
        spec.write_text(json.dumps(SPEC), encoding="utf-8")
        approve_campaign(variables, spec, "crash")
        with bench.process(worker_command(tmp_path), variables) as worker:
            manage(variables, "launch_campaign", "crash")
            assert bench.wait_until(lambda: received(record).total() > 120, seconds=60)
            os.killpg(worker.pid, signal.SIGKILL)
        before_restart = received(record).total()
        assert before_restart < PEOPLE * 0.8
        with bench.process(worker_command(tmp_path), variables):
            status = _wait_for_the_end(variables)
        time.sleep(0.5)
    counts = received(record)
    states = status["states"]
    assert sum(states.values()) == status["audience"] == PEOPLE
    assert max(counts.values()) == 1
    assert states["planned"] == states["sending"] == states["failed"] == 0
    assert states["skipped"] == 3
    assert 40 <= states["held_out"] <= 105
    assert states["unknown"] <= 80
    assert len(status["unknown_message_ids"]) == states["unknown"]
    assert states["sent"] <= counts.total() <= states["sent"] + states["unknown"]
    assert states["sent"] > before_restart


def _wait_for_the_end(variables):
    status = {}

    def is_over():
        status.update(manage(variables, "campaign_status", "crash", "--json", parse=True))
        return status["status"] == "completed"

    assert bench.wait_until(is_over, seconds=120, pause=1.0), status
    return status


_MAKE_PEOPLE = f"""
from django.contrib.auth.models import User
from customers.models import ConsentState
from tests.factories.people import make_people
people = make_people({PEOPLE})
ConsentState.objects.filter(customer__in=people[:3]).delete()
User.objects.create_superuser("approver")
"""
