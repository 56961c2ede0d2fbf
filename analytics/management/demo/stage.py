"""Runs the demo's processes and waits for what they do."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from django.core.management.base import CommandError

from analytics.domain.demo import plan
from analytics.management.demo.cast import Providers
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.trigger import TriggerState
from campaigns.domain.sending.states import DispatchStatus, MessageState
from campaigns.models import Campaign, CampaignTrigger, Dispatch, LinkVisit, Message
from loancrm.kernel.processes import programs
from loancrm.kernel.processes.supervisor import ProcessSpec, Supervisor

_POLL_SECONDS = 0.2


class DemoStage:
    """Web server, worker, scheduler and simulated providers of one demo.

    Args:
        folder: The demo's folder; logs go to `logs/` in it.
        host: Address of the web server.
        port: Port of the web server.
        providers: Where the simulated providers listen.
    """

    def __init__(self, folder: Path, *, host: str, port: int, providers: Providers) -> None:
        self._folder = folder
        specs = [
            _simulators(folder, f"http://{host}:{port}", providers),
            programs.web(host=host, port=port),
            *programs.workers(concurrency=2),
            programs.beat(schedule_path=folder / "beat-schedule"),
        ]
        logs = folder / "logs"
        self._log = (logs / "up.log").open("a", encoding="utf-8")
        self.supervisor = Supervisor(
            [replace(spec, log_path=logs / f"{spec.name}.log") for spec in specs], say=self._say
        )

    @property
    def record_path(self) -> Path:
        """Where the providers write down every message that they took."""
        return self._folder / "messages.jsonl"

    def wait(self, what: str, condition: Callable[[], bool], *, seconds: float = 90.0) -> None:
        """Wait until something is so, keeping the processes alive meanwhile.

        Raises:
            CommandError: It did not come to pass in time; names the logs.
        """
        deadline_seconds = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline_seconds:
                raise CommandError(f"demo_stuck: waited for {what}; see {self._folder / 'logs'}")
            self.supervisor.poll()
            time.sleep(_POLL_SECONDS)

    def wait_for_step(self, slug: str, position: int) -> None:
        """Wait until everybody of one step was dealt with."""
        step = Dispatch.objects.filter(
            campaign__slug=slug, position=position, status=DispatchStatus.COMPLETED
        )
        self.wait(f"{slug}, step {position}", step.exists)

    def wait_for_campaign(self, slug: str) -> None:
        """Wait until every step of a campaign is over."""
        campaign = Campaign.objects.filter(slug=slug, status=CampaignStatus.COMPLETED)
        self.wait(slug, campaign.exists)

    def wait_for_run(self, slug: str, number: int) -> None:
        """Wait until a run of a campaign is over."""
        run = Dispatch.objects.filter(
            campaign__slug=slug, run_number=number, status=DispatchStatus.COMPLETED
        )
        self.wait(f"{slug}, run {number}", run.exists)

    def wait_for_triggers(self, slug: str, count: int) -> None:
        """Wait until so many triggers of a campaign came, and their messages are dealt with."""
        came = CampaignTrigger.objects.filter(campaign__slug=slug)
        open_runs = Dispatch.objects.filter(campaign__slug=slug).exclude(
            status=DispatchStatus.COMPLETED
        )

        def is_over() -> bool:
            waiting = came.filter(state=TriggerState.WAITING)
            return came.count() >= count and not waiting.exists() and not open_runs.exists()

        self.wait(f"{slug}, {count} triggers", is_over)

    def wait_for_reports(self) -> None:
        """Wait until the providers reported on every message that was sent."""
        unreported = Message.objects.filter(
            dispatch__campaign__slug__in=(*plan.CAMPAIGNS, *plan.FURTHER), state=MessageState.SENT
        )
        self.wait("delivery reports", lambda: not unreported.exists())

    def wait_for_clicks(self) -> None:
        """Wait until every visit of a link was passed on to the event log."""
        waiting = LinkVisit.objects.filter(is_published=False)
        self.wait("clicks", lambda: not waiting.exists())

    def _say(self, line: str) -> None:
        self._log.write(f"{line}\n")
        self._log.flush()


def _simulators(folder: Path, address: str, providers: Providers) -> ProcessSpec:
    options = {
        "smtp-port": providers.smtp_port,
        "sms-port": providers.sms_port,
        "smtp-channel": plan.EMAIL,
        "sms-channel": plan.SMS,
        "smtp-secret": providers.smtp_secret,
        "sms-secret": providers.sms_secret,
        "receipts-to": address,
        # Reports come after the batch was settled, as real ones do.
        "receipt-delay-ms": 1500,
        "fail-share": 0.01,
        "undelivered-share": 0.05,
        "reply-share": 0.008,
        "unsubscribe-share": 0.006,
        "record": folder / "messages.jsonl",
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    return programs.manage("simulators", "simulate_gateways", *words)
