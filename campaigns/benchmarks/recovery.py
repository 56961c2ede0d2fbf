"""All senders killed in the middle of a campaign: when they go on, and who gets what."""

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from campaigns.benchmarks import audience, received
from campaigns.benchmarks import stack as stacks
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.models import Campaign
from campaigns.services.campaigns import launch
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import bench
from loancrm.kernel.commands.bench import BenchGoal, BenchReport

FULL = 20_000
LATENCY_MS = 5
GOALS = (
    BenchGoal("seconds_to_send_again", 15.0, at_least=False),
    BenchGoal("duplicates", 0, at_least=False),
    BenchGoal("lost", 0, at_least=False),
)


def run(*, scale: float, rounds: int) -> BenchReport:
    """Measure on the current (own, empty) database; 1 is 20,000 messages.

    Lost is who neither got the message nor is listed as unknown, for a person to look at.

    Args:
        rounds: Not used: the senders are killed once.
    """
    del rounds
    count = max(500, int(FULL * scale))
    call_command("migrate", verbosity=0)
    audience.make_people(count, "email")
    log = Path(settings.LOANCRM_VAR_DIR) / "smtp.jsonl"
    started = time.monotonic()
    with ExitStack() as resources:
        ports = stacks.start_providers(
            resources, "--latency-ms", str(LATENCY_MS), "--log-dir", str(log.parent)
        )
        audience.make_rule()
        audience.make_channel(
            kind="email", backend="smtp", options={"port": ports["smtp_port"], "connections": 8}
        )
        campaign = audience.make_approved(0, kind="email")
        first = stacks.start_worker(resources)
        launch.launch_campaign(campaign=campaign, actor=system_actor("bench"), now=clock.now())
        bench.wait_until(lambda: _lines(log) > count * 0.3, seconds=300)
        os.killpg(first, signal.SIGKILL)
        time.sleep(0.5)
        at_the_kill, killed_at = _lines(log), time.monotonic()
        stacks.start_worker(resources)
        _start_beat(resources)
        bench.wait_until(lambda: _lines(log) > at_the_kill, seconds=120)
        waited = time.monotonic() - killed_at
        bench.wait_until(
            lambda: type(campaign).objects.get().status == CampaignStatus.COMPLETED, seconds=600
        )
        time.sleep(0.5)
    report = BenchReport(name="recovery", scale=scale, goals=GOALS)
    report.seconds = time.monotonic() - started
    report.figures = {
        "seconds_to_send_again": round(waited, 2),
        "sent_before_the_kill": at_the_kill,
        **_outcome(log, campaign, count),
    }
    return report


def _outcome(log: Path, campaign: Campaign, count: int) -> dict[str, int]:
    by = received.by_everybody(log, campaign=campaign, kind="email", count=count)
    return {
        "received": by.people,
        "unknown": by.unknown,
        "duplicates": by.duplicates,
        "lost": by.lost,
    }


def _start_beat(resources: ExitStack) -> None:
    schedule = Path(settings.LOANCRM_VAR_DIR) / "beat"
    resources.enter_context(
        bench.process(
            [
                sys.executable, "-m", "celery", "-A", "loancrm", "beat", "--loglevel", "ERROR",
                "--schedule", str(schedule),
            ],
            stacks.environment(),
        )
    )  # fmt: skip


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0
