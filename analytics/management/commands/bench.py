"""Measure loancrm against a baseline in the same run."""

from typing import Any

from django.core.management.base import CommandParser

from campaigns.benchmarks import dispatch
from customers.benchmarks import imports, segments
from loancrm.kernel import bench
from loancrm.kernel.bench import Report
from loancrm.kernel.commands import LoanCrmCommand

NAMES = ("dispatch", "dispatch_slow", "import", "segments", "refresh")

RELAY_LATENCY_MS = 20


class Command(LoanCrmCommand):
    help = "Run a benchmark on a database of its own and print one JSON object."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=NAMES)
        parser.add_argument("--scale", type=float, default=1.0, help="1 is the full size")
        parser.add_argument("--rounds", type=int, default=3)
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
        with bench.own_database() as variables:
            content = bench.run_inner(arguments, variables)
        if options["json"]:
            self.print_json(content)
            return
        for key, value in content.items():
            self.stdout.write(f"{key:<28} {value}")

    def _measure(self, name: str, scale: float, rounds: int) -> Report:
        if name == "segments":
            return segments.run_segments(scale=scale, rounds=rounds)
        if name == "refresh":
            return segments.run_refresh(scale=scale, rounds=rounds)
        if name == "import":
            return imports.run(scale=scale, rounds=rounds)
        latency = RELAY_LATENCY_MS if name == "dispatch_slow" else 0
        return dispatch.run(scale=scale, rounds=rounds, latency_ms=latency, name=name)
