"""Derive the loan book by month."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from analytics.services.credit import loan_book
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = (
        "Derive buckets, flows and defaults of every loan by month, and what they tell of losses."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = loan_book.derive_loan_book(
            actor=system_actor("command:derive_loan_book"), as_of=clock.today(), now=clock.now()
        )
        if options["json"]:
            self.print_json(asdict(found))
            return
        self.stdout.write(
            f"loans: {found.loan_count}, months: {found.month_count}, "
            f"estimates: {', '.join(found.estimates) or 'none'}"
        )
