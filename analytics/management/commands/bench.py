"""Measure loancrm against a baseline in the same run."""

import os
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from analytics.benchmarks import scoring, targeting, training, warning
from campaigns.benchmarks import dispatch, embedded, freezing, recovery, sms, stack
from customers.benchmarks import imports, segments, timeline
from loancrm.kernel.commands import arguments, bench
from loancrm.kernel.commands.base import LoanCrmCommand
from loancrm.kernel.commands.bench import BenchReport

MEASURED: dict[str, Callable[..., BenchReport]] = {
    "dispatch_sms": sms.run,
    "recovery": recovery.run,
    "plan": freezing.run,
    "import": imports.run,
    "segments": segments.run_segments,
    "refresh": segments.run_refresh,
    "timeline": timeline.run,
    "warning": warning.run,
    "targeting": targeting.run,
    "scoring": scoring.run,
    "training": training.run,
}
NAMES = ("dispatch", "dispatch_slow", "dispatch_embedded", *MEASURED)

RELAY_LATENCY_MS = 20


class Command(LoanCrmCommand):
    uses_data = False
    help = "Run a benchmark on a database of its own and print one JSON object."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=NAMES)
        parser.add_argument(
            "--scale", type=arguments.number(0.0001, 100), default=1.0, help="1 is the full size"
        )
        parser.add_argument("--rounds", type=arguments.whole(1, 100), default=3)
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--inner", action="store_true", help="on this very database")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["inner"]:
            report = self._measure(options["name"], options["scale"], options["rounds"])
            self.print_json(report.to_json())
            return
        arguments = [
            "bench", options["name"], "--inner", "--json",
            "--scale", str(options["scale"]), "--rounds", str(options["rounds"]),
        ]  # fmt: skip
        if options["name"] == "dispatch_embedded":
            content = embedded.run(
                scale=options["scale"], rounds=options["rounds"], variables=dict(os.environ)
            ).to_json()
        else:
            with bench.own_database() as variables:
                content = bench.run_inner(arguments, variables | stack.lender())
        if options["json"]:
            self.print_json(content)
            return
        for key, value in content.items():
            self.stdout.write(f"{key:<28} {value}")

    def _measure(self, name: str, scale: float, rounds: int) -> BenchReport:
        if name in MEASURED:
            return MEASURED[name](scale=scale, rounds=rounds)
        latency = RELAY_LATENCY_MS if name == "dispatch_slow" else 0
        return dispatch.run(scale=scale, rounds=rounds, latency_ms=latency, name=name)
