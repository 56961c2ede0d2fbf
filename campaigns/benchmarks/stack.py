"""The processes that take part in a benchmark of sending, and one campaign through them."""

import json
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from campaigns.benchmarks import audience, received, texts
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.states import MessageState
from campaigns.models import Message
from campaigns.services.campaigns import launch
from campaigns.simulators import evidence
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import bench

# Reading a process's memory stops it for milliseconds.
MEMORY_SECONDS = 0.5
POLL_SECONDS = 0.05
LONGEST_SECONDS = 900
# Kind of channel -> simulator that takes its messages.
PROVIDERS = {"email": "smtp", "sms": "sms"}


@dataclass
class Round:
    """What one campaign through the whole stack measured."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    sent: int
    duplicates: int
    lost: int


@dataclass
class Stack:
    """Simulated providers and one worker with two processes."""

    ports: dict[str, Any]
    stats_path: Path
    log: Path
    worker_pid: int
    channel: str

    def received(self) -> int:
        """Return how many messages the providers have taken by now."""
        seen = self._written_at()
        bench.wait_until(lambda: self._written_at() > seen, seconds=5)
        content = json.loads(self.stats_path.read_text(encoding="utf-8"))
        return int(content[PROVIDERS[self.channel]]["messages"])

    def _written_at(self) -> float:
        return self.stats_path.stat().st_mtime if self.stats_path.exists() else 0.0


def lender() -> dict[str, str]:
    """Return who speaks in the texts.

    A run and all its processes must agree: an approval binds these words, and a worker that knew
    others would hold the dispatch.
    """
    return {
        "LOANCRM_BRAND": texts.LENDER["brand"],
        "LOANCRM_HOTLINE": texts.LENDER["hotline"],
        "LOANCRM_POSTAL_ADDRESS": texts.LENDER["sender_address"],
    }


def environment() -> dict[str, str]:
    """Return the settings of every process."""
    return {**os.environ, **lender()}


def start_providers(resources: ExitStack, *arguments: str) -> dict[str, Any]:
    """Start the simulated providers; return their ports."""
    process = resources.enter_context(
        bench.process(
            [sys.executable, "manage.py", "simulate_gateways", "--smtp-port", "0", *arguments],
            environment(),
        )
    )
    assert process.stdout is not None  # noqa: S101 - asked for with PIPE
    ports: dict[str, Any] = json.loads(process.stdout.readline())
    return ports


def start_worker(resources: ExitStack, *arguments: str) -> int:
    """Start a worker with two processes; return its process id."""
    worker = resources.enter_context(
        bench.process(
            [
                sys.executable, "-m", "celery", "-A", "loancrm", "worker", "--concurrency", "2",
                "--queues", "dispatch,default", "--loglevel", "ERROR",
                "--include", "campaigns.benchmarks.task_per_message",
                "--without-gossip", "--without-mingle", *arguments,
            ],
            environment(),
        )
    )  # fmt: skip
    bench.wait_until(lambda: len(bench.family(worker.pid)) > 2, seconds=60)
    return worker.pid


def start(resources: ExitStack, *, channel: str, latency_ms: float) -> Stack:
    """Start providers and a worker."""
    folder = Path(settings.LOANCRM_VAR_DIR)
    stats_path = folder / "providers.json"
    ports = start_providers(
        resources, "--latency-ms", str(latency_ms),
        "--stats", str(stats_path), "--log-dir", str(folder),
    )  # fmt: skip
    log = folder / f"{PROVIDERS[channel]}.jsonl"
    return Stack(ports, stats_path, log, start_worker(resources), channel)


def send_campaign(stack: Stack, number: int, count: int) -> Round:
    """Launch a campaign to everybody and wait for its end."""
    campaign = audience.make_approved(number, kind=stack.channel)
    offset = evidence.size(stack.log)
    pids = bench.family(stack.worker_pid)
    cpu_before = bench.cpu_seconds(pids)
    started = time.monotonic()
    launch.launch_campaign(campaign=campaign, actor=system_actor("bench"), now=clock.now())
    peak, looked_at = 0.0, 0.0
    while time.monotonic() < started + LONGEST_SECONDS:
        if time.monotonic() - looked_at > MEMORY_SECONDS:
            peak, looked_at = max(peak, bench.resident_mb(pids)), time.monotonic()
        campaign.refresh_from_db(fields=["status"])
        if campaign.status == CampaignStatus.COMPLETED:
            break
        time.sleep(POLL_SECONDS)
    seconds = time.monotonic() - started
    sent = Message.objects.filter(dispatch__campaign=campaign, state=MessageState.SENT).count()
    by = received.by_everybody(
        stack.log, campaign=campaign, kind=stack.channel, count=count, offset=offset
    )
    return Round(
        seconds=seconds,
        cpu_seconds=bench.cpu_seconds(pids) - cpu_before,
        peak_mb=peak,
        sent=sent,
        duplicates=by.duplicates,
        lost=by.lost,
    )
