"""Describe how customers spend."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from analytics.services import spending
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Describe how customers spend: a month, its trend, categories, and the day of pay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = spending.describe_spending(
            actor=system_actor("command:describe_spending"), as_of=clock.today(), now=clock.now()
        )
        if options["json"]:
            self.print_json(asdict(found))
            return
        self.stdout.write(
            f"customers described: {found.customer_count}; categories: "
            f"{', '.join(found.categories) or '–'} ({found.version})"
        )
