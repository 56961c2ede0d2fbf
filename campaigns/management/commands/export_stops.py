"""Write the stop list to a file that `import_stops` takes in again."""

import csv
from argparse import ArgumentParser
from typing import Any

from campaigns.services.consents import stop_list_keeping
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand
from loancrm.kernel.database.whole_files import whole_file


class Command(LoanCrmCommand):
    help = (
        "Write the stops in force to a CSV file, without personal data: addresses as keyed "
        "indexes, people by their public ids. For the time between a backup and its restore."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=arguments.new_file)
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        rows = stop_list_keeping.export_stops(
            actor=system_actor("command:export_stops"), now=clock.now()
        )
        count = 0
        with (
            whole_file(options["file"]) as unfinished,
            unfinished.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.DictWriter(file, stop_list_keeping.COLUMNS)
            writer.writeheader()
            for row in rows:
                writer.writerow(row)
                count += 1
        if options["json"]:
            self.print_json({"rows": count})
        else:
            self.stdout.write(str(count))
