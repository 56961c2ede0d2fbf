"""Look through the stored customers for people who are there twice."""

from argparse import ArgumentParser
from typing import Any

import numpy as np

from customers.services.identity import duplicates
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Queue customers that seem to be one person (see docs/identity.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--limit",
            type=arguments.whole(),
            default=20_000,
            help="how many customers, those changed last",
        )
        parser.add_argument(
            "--merge-sure", action="store_true", help="merge the sure pairs instead of queueing"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        report = duplicates.find_duplicates(
            actor=system_actor("command:find_duplicates"),
            limit=options["limit"],
            is_merging_sure=options["merge_sure"],
            rng=np.random.default_rng(1),
            now=clock.now(),
            today=clock.today(),
        ).as_json()
        if options["json"]:
            self.print_json(report)
            return
        for key, value in report.items():
            self.stdout.write(f"{key}: {value}")
