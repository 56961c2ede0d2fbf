"""Decide the applications that wait by the credit policy in force."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from analytics.services.credit import deciding
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Decide every submitted application once by the credit policy in force."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = deciding.decide_applications(
            actor=system_actor("command:decide_applications"), now=clock.now()
        )
        if options["json"]:
            self.print_json({**asdict(found), "count": found.count})
            return
        if not found.policy:
            self.stdout.write("no credit policy is in force")
            return
        self.stdout.write(
            f"policy {found.policy}: approved {found.approved}, declined {found.declined}, "
            f"for a person {found.review}"
        )
