"""What a chaos run works on: people, one campaign for each provider, workers, beat and web."""

import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from subprocess import Popen

from django.conf import settings
from django.core.management import call_command

from campaigns.benchmarks import audience, stack
from campaigns.chaos import gateways
from campaigns.chaos.gateways import Gateway
from campaigns.models import Campaign, Channel
from campaigns.services.campaigns import launch
from campaigns.simulators import evidence
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import bench
from loancrm.kernel.processes import programs

WORKERS = 2
COST = Decimal("0.05")
_QUEUES = "dispatch,default,receipts"


@dataclass
class Worker:
    """A Celery worker that may be killed and started again.

    Attributes:
        stopped: Its processes that SIGSTOP holds.
    """

    number: int
    resources: ExitStack
    process: Popen[str] | None = None
    stopped: set[int] = field(default_factory=set)

    def start(self) -> None:
        """Start it anew; what an earlier life left running goes on beside it."""
        self.process = self.resources.enter_context(
            bench.process(
                [
                    sys.executable, "-m", "celery", "-A", "loancrm", "worker",
                    "--concurrency", "2", "--queues", _QUEUES, "--loglevel", "ERROR",
                    "--without-gossip", "--without-mingle",
                    "--hostname", f"chaos{self.number}-{os.getpid()}@%h",
                ],
                stack.environment(),
            )
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """Return the process id of the main process; 0 before the first start."""
        return self.process.pid if self.process else 0

    def is_alive(self) -> bool:
        """Return whether the main process runs."""
        return self.process is not None and self.process.poll() is None

    def children(self) -> list[int]:
        """Return the ids of the processes that do the work."""
        return [pid for pid in bench.family(self.pid) if pid != self.pid]

    def is_ready(self) -> bool:
        """Return whether all its processes have started."""
        return self.is_alive() and len(self.children()) >= 2

    def resume(self) -> None:
        """Let stopped processes go on."""
        for pid in self.stopped:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue
        self.stopped.clear()


@dataclass
class ChaosStage:
    """Everything that takes part."""

    gateways: Mapping[str, Gateway]
    workers: list[Worker]
    campaigns: Mapping[str, Campaign]


def set_up(resources: ExitStack, *, count: int, seed: int) -> ChaosStage:
    """Make tables, people and campaigns, start every process, launch; needs an empty database."""
    folder = Path(settings.LOANCRM_VAR_DIR) / "chaos"
    port = _free_port()
    reports_to = f"http://127.0.0.1:{port}"
    starting = [
        gateways.start(resources, name, folder=folder, reports_to=reports_to, seed=seed + number)
        for number, name in enumerate(gateways.PLANS)
    ]
    # Meanwhile, because starting takes longer than anything else.
    call_command("migrate", verbosity=0)
    web = programs.web(host="127.0.0.1", port=port)
    beat = programs.beat(schedule_path=folder / "beat")
    for spec in (web, beat):
        resources.enter_context(bench.process(spec.command, stack.environment()))
    workers = [Worker(number, resources) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    audience.make_people(count, "email", "sms")
    audience.make_rule()
    running = {item.name: _in_use(item.wait()) for item in starting}
    campaigns = {
        name: _approved(number, gateway, count)
        for number, (name, gateway) in enumerate(running.items())
    }
    bench.wait_until(lambda: all(worker.is_ready() for worker in workers), seconds=60, pause=0.2)
    for campaign in campaigns.values():
        launch.launch_campaign(campaign=campaign, actor=system_actor("chaos"), now=clock.now())
    return ChaosStage(running, workers, campaigns)


def _in_use(gateway: Gateway) -> Gateway:
    """Make the channel of a provider and test it where it is said to remember keys."""
    audience.make_channel(
        kind=gateway.plan.kind,
        backend=gateway.backend,
        options=gateway.options(),
        slug=gateway.name,
    )
    # The price is part of what is approved.
    Channel.objects.filter(slug=gateway.name).update(cost_per_part=COST)
    if gateway.plan.knows_keys:
        audience.show_keys(slug=gateway.name)
    return replace(gateway, offset=evidence.size(gateway.log))


def _approved(number: int, gateway: Gateway, count: int) -> Campaign:
    """Return an approved campaign through one provider to everybody whom it is for."""
    cities = {"field": "city", "operator": "in", "value": list(gateway.plan.cities)}
    return audience.make_approved(
        number,
        kind=gateway.plan.kind,
        slug=f"chaos-{gateway.name}",
        channel=gateway.name,
        budget_amount=str(count),
        segment={"rule": {"combinator": "and", "rules": [cities]}},
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
