"""Measure how well duplicates are found in a file of which the truth is known."""

from argparse import ArgumentParser
from typing import Any

from customers.domain.linkage.resolution import SURE
from customers.selectors.identity import match_quality
from loancrm.kernel import clock
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    # It reads two files and no stored customer.
    uses_data = False
    help = "Print pairwise precision and recall of matching a file (see docs/identity.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=arguments.file)
        parser.add_argument(
            "--truth", type=arguments.file, required=True, help="CSV of record id and `person`"
        )
        parser.add_argument(
            "--sure",
            type=arguments.share,
            default=SURE,
            help="chance from which records are put together",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        report = match_quality.measure(
            path=options["file"],
            truth_path=options["truth"],
            sure=options["sure"],
            today=clock.today(),
        ).as_json()
        if options["json"]:
            self.print_json(report)
            return
        for key, value in report.items():
            self.stdout.write(f"{key}: {value}")
