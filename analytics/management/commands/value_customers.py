"""Give every customer a lifetime value."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from analytics.services import lifetime_value
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Value every customer by the margin of their loans less losses and costs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = lifetime_value.value_customers(
            actor=system_actor("command:value_customers"), as_of=clock.today(), now=clock.now()
        )
        if options["json"]:
            self.print_json(asdict(found))
            return
        self.stdout.write(
            f"customers valued: {found.customer_count}, values that changed: "
            f"{found.changed_count}, sum: ¥{found.total_amount:,} ({found.version})"
        )
