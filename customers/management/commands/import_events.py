"""Take a file of events into the log."""

import time
from typing import Any

from django.core.management.base import CommandParser

from customers.domain.reading.encodings import ENCODINGS
from customers.services.events import from_file
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments, progress
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Import events from a CSV, XLSX or JSON-lines file; repeated rows change nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=arguments.file)
        parser.add_argument("--source", default="", help="whose external ids the file uses")
        parser.add_argument("--mapping", default="", help="shipped mapping or FILE.json")
        parser.add_argument(
            "--encoding", default="", choices=ENCODINGS, help="of a text file that does not tell it"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        name = options["mapping"]
        column_map = from_file.load_mapping(name, kind="events", encoding=options["encoding"])
        with progress.bar(total=None, description="events") as bar:
            result = from_file.import_events(
                actor=system_actor("command:import_events"),
                path=options["file"],
                now=clock.now(),
                source=options["source"],
                column_map=column_map,
                on_progress=bar.update,
            )
        content = {
            "rows": result.rows,
            "created": result.created,
            "duplicates": result.duplicates,
            "rejected": result.rejected,
            "by_reason": result.by_reason,
            "rejected_lines": result.rejected_lines,
            "joined_lines": result.joined_lines,
            "source": result.source,
            "seconds": round(time.monotonic() - started, 3),
        }
        if options["json"]:
            self.print_json(content)
            return
        for key, value in content.items():
            self.stdout.write(f"{key}: {value}")
