"""Derive lifecycle stages and their history from events and loans."""

from typing import Any

from django.core.management.base import CommandParser

from customers.services.events import lifecycle
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Move customers whose time has come; with --all derive everybody's history anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="every customer, not only those due")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        refresh = lifecycle.refresh_everybody if options["all"] else lifecycle.refresh_due
        changed = refresh(actor=system_actor("command:refresh_lifecycle"), now=clock.now())
        if options["json"]:
            self.print_json({"changed": changed})
            return
        self.stdout.write(f"changed: {changed}")
