"""The providers of a chaos run: processes of their own, each with its log and its control port."""

import http.client
import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from subprocess import Popen
from typing import Any

from campaigns.benchmarks import stack, texts
from campaigns.simulators import evidence
from campaigns.simulators.evidence import EvidenceEntry
from campaigns.simulators.moods import Mood
from loancrm.kernel.commands import bench

# Standard Webhooks secret of the scratch installation's reports.
SECRET = "whsec_Y2hhb3MtcmVwb3J0cy1hcmUtc2lnbmVkLXRvbw=="  # noqa: S105 - signs simulated reports only
REFUSED_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """One kind of provider.

    Attributes:
        kind: Kind of channel.
        provider: Which of the simulators takes the messages.
        window: Messages that one connection may have on the wire, unanswered, at a moment.
        knows_keys: Whether a message of unknown fate may be handed over again with its key; one
            that does not forgets every key, and sends a repeated message again.
        has_reports: Whether it reports deliveries.
        arguments: Further arguments of the simulators.
        cities: Where the people live who get its campaign.
    """

    kind: str
    provider: str
    window: int
    knows_keys: bool
    has_reports: bool
    arguments: tuple[str, ...] = ()
    cities: tuple[str, ...] = texts.CITIES

    @property
    def is_by_request(self) -> bool:
        """Return whether messages travel several in one request that has one answer."""
        return self.provider == "sms"

    @property
    def slowest(self) -> float:
        """Return how many messages a second it takes at least.

        A worker that is asked to end waits for answers for a few seconds. One that comes later
        leaves its request of unknown fate where no key protects, though no fault hit it.
        """
        return float(self.window) if self.is_by_request and not self.knows_keys else 1.0

    def numbers(self, count: int) -> list[int]:
        """Return who of the first so many made-up people get its campaign."""
        return [number for number in range(count) if texts.city(number) in self.cities]


PLANS: Mapping[str, Plan] = {
    "plain": Plan(
        kind="email",
        provider="smtp",
        window=1,
        knows_keys=False,
        has_reports=True,
        arguments=("--no-chunking",),
    ),
    "chunking": Plan(kind="email", provider="smtp", window=8, knows_keys=False, has_reports=False),
    # Half of the people each: with and without keys a person gets one text message.
    "sms": Plan(
        kind="sms",
        provider="sms",
        window=10,
        knows_keys=True,
        has_reports=True,
        cities=texts.CITIES[:2],
    ),
    "keyless": Plan(
        kind="sms",
        provider="sms",
        window=2,
        knows_keys=False,
        has_reports=True,
        arguments=("--sms-mood", "forgetful"),
        cities=texts.CITIES[2:],
    ),
}


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running provider.

    Attributes:
        offset: Where in its log the campaign begins.
    """

    name: str
    plan: Plan
    ports: Mapping[str, Any]
    log: Path
    offset: int = 0

    def entries(self) -> list[EvidenceEntry]:
        """Return what it wrote down about the campaign."""
        return list(evidence.read(self.log, offset=self.offset))

    @property
    def backend(self) -> str:
        """Return the backend of the channel that uses it."""
        return "smtp" if self.plan.provider == "smtp" else "http_sms"

    def options(self) -> dict[str, Any]:
        """Return the options of the channel that uses it."""
        if self.plan.provider == "smtp":
            return {
                "port": self.ports["smtp_port"],
                "connections": 4,
                "window": self.plan.window,
                "timeout_seconds": 15.0,
                "webhook_secret": SECRET,
            }
        return {
            "url": self.ports["sms_url"],
            "connections": 4,
            "messages_per_request": self.plan.window,
            "supports_idempotency": self.plan.knows_keys,
            "timeout_seconds": 15.0,
            "secret": SECRET,
        }

    def put(self, mood: Mood) -> None:
        """Change the provider's mood; whether it remembers keys stays as it is."""
        mood = replace(mood, remembers_keys=self.plan.knows_keys)
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["control_port"], timeout=10)
        try:
            connection.request("PUT", f"/{self.plan.provider}", json.dumps(asdict(mood)))
            answer = connection.getresponse()
            if answer.status != 204:
                raise RuntimeError(answer.read())
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Starting:
    """A provider that has been started and may not listen yet."""

    name: str
    log: Path
    process: Popen[str]

    def wait(self) -> Gateway:
        """Return the provider once it listens."""
        assert self.process.stdout is not None  # noqa: S101 - asked for with PIPE
        ports = json.loads(self.process.stdout.readline())
        return Gateway(self.name, PLANS[self.name], ports, self.log)


def start(resources: ExitStack, name: str, *, folder: Path, reports_to: str, seed: int) -> Starting:
    """Start a provider; it ends with the resources, or when this process is killed."""
    plan = PLANS[name]
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [
        sys.executable, "manage.py", "simulate_gateways", "--smtp-port", "0", "--control-port", "0",
        "--log-dir", str(folder / name), "--seed", str(seed),
        "--fail-share", str(REFUSED_SHARE),
        f"--{plan.provider}-channel", name, f"--{plan.provider}-secret", SECRET,
        *plan.arguments,
    ]  # fmt: skip
    if plan.has_reports:
        arguments += ["--receipts-to", reports_to]
    process = resources.enter_context(bench.process(arguments, stack.environment()))
    return Starting(name, folder / name / f"{plan.provider}.jsonl", process)
