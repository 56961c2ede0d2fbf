"""Take in products, applications, loans, instalments, repayments, or a bank's whole folder."""

import time
from typing import Any

from django.core.management.base import CommandParser

from customers.domain.loans import berka as berka_bank
from customers.domain.loans.rows import LoanKind
from customers.domain.reading.encodings import ENCODINGS
from customers.services.events import from_file
from customers.services.loans import berka
from customers.services.loans import from_file as loans
from customers.services.loans.from_file import LoanImport
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments, progress
from loancrm.kernel.commands.base import LoanCrmCommand

_BERKA = "berka"


class Command(LoanCrmCommand):
    help = "Import the lending side; rows that say nothing new change nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=arguments.there, help="a file; a folder for --kind berka")
        kinds = [*(kind.value for kind in LoanKind), _BERKA]
        parser.add_argument("--kind", required=True, choices=kinds)
        parser.add_argument("--source", default="", help="whose external ids the file uses")
        parser.add_argument("--mapping", default="", help="shipped mapping or FILE.json")
        parser.add_argument(
            "--encoding", default="", choices=ENCODINGS, help="of a text file that does not tell it"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        actor, now = system_actor("command:import_loans"), clock.now()
        parts: dict[str, LoanImport] = {}
        with progress.bar(total=None, description="loans") as bar:
            if options["kind"] == _BERKA:
                folder = berka.import_berka(
                    actor=actor,
                    folder=options["file"],
                    now=now,
                    source=options["source"] or berka_bank.SOURCE,
                    on_progress=bar.update,
                )
                result, parts = folder.total, dict(folder.by_kind)
            else:
                kind, name = LoanKind(options["kind"]), options["mapping"]
                result = loans.import_loans(
                    actor=actor,
                    path=options["file"],
                    kind=kind,
                    now=now,
                    source=options["source"],
                    column_map=from_file.load_mapping(
                        name, kind=kind, encoding=options["encoding"]
                    ),
                    on_progress=bar.update,
                )
        content = {**_counts(result), "source": result.source}
        content["seconds"] = round(time.monotonic() - started, 3)
        if parts:
            content["by_kind"] = {name: _counts(part) for name, part in parts.items()}
        if options["json"]:
            self.print_json(content)
            return
        for key, value in content.items():
            self.stdout.write(f"{key}: {value}")


def _counts(result: LoanImport) -> dict[str, Any]:
    return {
        "rows": result.rows,
        "created": result.created,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "rejected": result.rejected,
        "by_reason": dict(result.by_reason),
        "rejected_lines": result.rejected_lines,
        "joined_lines": result.joined_lines,
    }
