"""Derive who is tied to whom, for risk purposes, from phones, addresses and attributes."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from customers.services import relationships
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Follow the customers that changed; with --all derive everybody's ties anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="every customer, not only changed")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = relationships.derive(
            actor=system_actor("command:derive_relationships"),
            now=clock.now(),
            is_full=options["all"],
        )
        if options["json"]:
            self.print_json(asdict(found))
            return
        self.stdout.write(
            f"customers looked at: {found.customer_count}, with ties: {found.featured_count}"
        )
