"""Import customers from a CSV, XLSX, JSON-lines or Parquet file."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from customers.domain.imports.mapping import parse_limits
from customers.domain.imports.states import ImportMode
from customers.domain.reading.encodings import ENCODINGS
from customers.services.imports import from_file
from customers.services.sources import registry
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import WRONG_ARGUMENT, LoanCrmCommand


def _limits(items: list[str]) -> dict[str, float]:
    pairs = [item.partition("=") for item in items]
    try:
        return parse_limits({code: float(share) for code, _sign, share in pairs})
    except ValueError as error:
        message = _("A limit is written as CODE=SHARE, such as phone_invalid=0.05.")
        raise CommandError(f"argument_wrong: {message}", returncode=WRONG_ARGUMENT) from error


class Command(LoanCrmCommand):
    help = "Import customers from a table file by a mapping (see docs/importing.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=arguments.file)
        parser.add_argument(
            "--mapping", required=True, help="name of a shipped or saved mapping, or a .json file"
        )
        parser.add_argument("--source", default="", help="source name instead of the mapping's")
        parser.add_argument(
            "--mode", choices=[mode.value for mode in ImportMode], default=ImportMode.UPSERT.value
        )
        parser.add_argument("--dry-run", action="store_true", help="decide all, keep nothing")
        parser.add_argument(
            "--rejects", type=arguments.new_file, help="write every finding to this CSV file"
        )
        parser.add_argument(
            "--limit",
            action="append",
            default=[],
            metavar="CODE=SHARE",
            help="apply nothing if more than this share (0..1) of rows has the finding, or is "
            "`rejected`; may be repeated",
        )
        parser.add_argument(
            "--encoding", default="", choices=ENCODINGS, help="of a text file that does not tell it"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        mapping = from_file.load_mapping(options["mapping"])
        report = from_file.import_customers(
            actor=system_actor("command:import_customers"),
            order=from_file.ImportOrder(
                path=options["file"],
                mapping=mapping,
                source=options["source"],
                mode=ImportMode(options["mode"]),
                rejects=options["rejects"],
                is_dry_run=options["dry_run"],
                limits=_limits(options["limit"]),
                encoding=options["encoding"],
            ),
            now=clock.now(),
            today=clock.today(),
        )
        if report.unmapped_columns:
            names = ", ".join(report.unmapped_columns)
            self.stderr.write(
                _("Columns that the mapping does not use: %(names)s") % {"names": names}
            )
        notice = registry.notice_of(name=options["source"] or mapping.source, today=clock.today())
        if notice:
            self.stderr.write(notice)
        if options["json"]:
            self.print_json(report.as_json())
            return
        for key, value in report.as_json().items():
            self.stdout.write(f"{key}: {value}")
