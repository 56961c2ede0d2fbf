"""Take in a stop list from a file."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from campaigns.services.consents import stop_list_keeping
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = (
        "Put people and addresses on the stop list: an export of this deployment, or a CSV file "
        "with the columns channel and address. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=arguments.file)
        parser.add_argument("--source", default="import", help="who says so; kept with each entry")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        result = stop_list_keeping.import_stops(
            actor=system_actor("command:import_stops"),
            path=options["file"],
            source=options["source"],
            now=clock.now(),
        )
        if options["json"]:
            self.print_json(asdict(result))
            return
        self.stdout.write(
            _("%(rows)d rows: %(added)d added, %(known)d known, %(rejected)d rejected.")
            % asdict(result)
        )
        for line in result.rejected_lines:
            self.stderr.write(_("Line %(line)d names nobody.") % {"line": line})
