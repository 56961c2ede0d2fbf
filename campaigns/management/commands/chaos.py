"""Send under deliberate faults and prove from the providers' logs that nobody was harmed."""

import secrets
import subprocess
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from campaigns.benchmarks import stack
from campaigns.chaos import conductor
from campaigns.chaos.conductor import Order
from loancrm.kernel.commands import arguments, bench
from loancrm.kernel.commands.base import LoanCrmCommand

_SETUP_SECONDS = 120.0
_CALM_SECONDS = 240.0
_GRACE_SECONDS = 120.0


class Command(LoanCrmCommand):
    help = (
        "Send campaigns on a scratch installation while workers are killed and stopped, database "
        "sessions cut, the broker emptied and providers fail; prove from the providers' logs that "
        "nobody was written to twice, lost or given up. Exit status 1 when that is not so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=("dispatch",))
        parser.add_argument(
            "--n", type=arguments.whole(50), default=5000, help="people of each campaign"
        )
        parser.add_argument(
            "--kills", type=arguments.whole(0), default=50, help="workers that are killed"
        )
        parser.add_argument(
            "--seed", type=arguments.seed, help="repeats the faults; chosen where left out"
        )
        parser.add_argument(
            "--pace-seconds",
            type=arguments.number(0.1, 60),
            default=2.0,
            help="between two faults",
        )
        parser.add_argument(
            "--limit-seconds", type=arguments.number(1), help="ends the run; has a default"
        )
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--inner", action="store_true", help="on this very database")

    def handle(self, *args: Any, **options: Any) -> None:
        order = _order(options)
        if options["inner"]:
            self.print_json(conductor.run(order))
            return
        words = [
            "chaos", "dispatch", "--inner", "--n", str(order.count), "--kills", str(order.kills),
            "--seed", str(order.seed), "--pace-seconds", str(order.pace_seconds),
            "--limit-seconds", str(order.limit_seconds),
        ]  # fmt: skip
        variables = {**stack.lender(), "LOANCRM_DISPATCH_WORKERS": "3"}
        with bench.own_database() as own:
            try:
                report = bench.run_inner(
                    words, own | variables, seconds=order.limit_seconds + _GRACE_SECONDS
                )
            except subprocess.CalledProcessError as err:
                raise CommandError(
                    f"chaos_broke: the run ended with status {err.returncode}"
                ) from err
            except subprocess.TimeoutExpired as err:
                raise CommandError("chaos_late: the run did not end at its time limit") from err
        if options["json"]:
            self.print_json(report)
        else:
            for key, value in report.items():
                self.stdout.write(f"{key:<18} {value}")
        if not report["met"]:
            sys.exit(1)


def _order(options: dict[str, Any]) -> Order:
    count, kills, pace = options["n"], options["kills"], options["pace_seconds"]
    limit = options["limit_seconds"]
    if limit is None:
        limit = _SETUP_SECONDS + _CALM_SECONDS + kills * pace * 4 + count / 20
    seed = options["seed"] if options["seed"] is not None else secrets.randbelow(2**31)
    return Order(count=count, kills=kills, seed=seed, pace_seconds=pace, limit_seconds=limit)
