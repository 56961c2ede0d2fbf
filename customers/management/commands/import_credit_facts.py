"""Take in bureau reports, incomes and obligations, and values that vendors sell."""

import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from customers.domain.credit.rows import CreditKind
from customers.domain.reading.encodings import ENCODINGS
from customers.services.credit import taking
from customers.services.events import from_file
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments, progress
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Import what is known of people's credit; rows that say nothing new change nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=arguments.there)
        parser.add_argument("--kind", required=True, choices=[kind.value for kind in CreditKind])
        parser.add_argument("--source", required=True, help="whose external ids the file uses")
        parser.add_argument("--mapping", default="", help="FILE.json")
        parser.add_argument(
            "--encoding", default="", choices=ENCODINGS, help="of a text file that does not tell it"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        kind = CreditKind(options["kind"])
        with progress.bar(total=None, description=kind.value) as bar:
            result = taking.import_credit_facts(
                actor=system_actor("command:import_credit_facts"),
                path=options["file"],
                kind=kind,
                source=options["source"],
                now=clock.now(),
                column_map=from_file.load_mapping(
                    options["mapping"], kind=kind, encoding=options["encoding"]
                ),
                on_progress=bar.update,
            )
        content = {**asdict(result), "seconds": round(time.monotonic() - started, 3)}
        if options["json"]:
            self.print_json(content)
            return
        for key, value in content.items():
            self.stdout.write(f"{key}: {value}")
