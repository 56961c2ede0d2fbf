"""List the refused rows of an import, correct them and run them again."""

from argparse import ArgumentParser
from typing import Any

from django.utils.translation import gettext as _

from customers.domain.values.quality import REASONS, Code
from customers.models import ImportBatch, RejectedRow
from customers.selectors.imports.quality import balance
from customers.services.imports import jobs
from customers.services.imports import repair as imports_repair
from customers.services.imports.repair import Repair
from customers.services.sources import mappings
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand, refuse


class Command(LoanCrmCommand):
    help = "Run the refused rows of an import again (see docs/importing.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("batch", type=arguments.whole(), help="number of the import")
        parser.add_argument("--list", action="store_true", help="only list the refused rows")
        parser.add_argument(
            "--line", type=arguments.whole(), action="append", help="only this line; repeatable"
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="COLUMN=VALUE",
            help="correct a cell of the one line given by --line; may be repeated",
        )
        parser.add_argument("--mapping", help="read the rows by this mapping from now on")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if not ImportBatch.objects.filter(pk=options["batch"]).exists():
            refuse(
                "import_unknown",
                _("There is no import %(batch)s.") % {"batch": options["batch"]},
            )
        if options["list"]:
            self._list(options["batch"])
            return
        name = options["mapping"]
        repair = Repair(
            options["batch"],
            lines=options["line"],
            corrections=_corrections(options),
            mapping=mappings.load_mapping(name) if name else None,
        )
        now, today = clock.now(), clock.today()
        report = imports_repair.run_again(
            actor=system_actor("command:repair_import"),
            repair=repair,
            now=now,
            today=today,
            in_background=False,
        )
        if report.accepted:
            jobs.run_import(batch_id=options["batch"], now=now, today=today, seconds=None)
        found = balance(ImportBatch.objects.get(pk=options["batch"]))
        content = {
            "tried": report.tried,
            "accepted": report.accepted,
            "still_rejected": report.still_rejected,
            "rows_in": found.rows_in,
            "rows_ok": found.rows_ok,
            "rows_fixed": found.rows_fixed,
            "rows_quarantined": found.rows_quarantined,
            "rows_open": found.rows_open,
        }
        if options["json"]:
            self.print_json(content)
            return
        for key, value in content.items():
            self.stdout.write(f"{key}: {value}")

    def _list(self, batch_id: int) -> None:
        rows = RejectedRow.objects.filter(batch_id=batch_id).order_by("line")
        for line, code, column in rows.values_list("line", "code", "column"):
            reason = REASONS[Code(code)]
            self.stdout.write(f"{line}\t{code}\t{column}\t{reason.zh}\t{reason.en}")


def _corrections(options: dict[str, Any]) -> dict[int, dict[str, str]]:
    pairs = [item.partition("=") for item in options["set"]]
    if not pairs:
        return {}
    lines = options["line"] or []
    if len(lines) != 1 or not all(sign for _column, sign, _value in pairs):
        refuse(
            "argument_wrong",
            _("Corrections are written as --line N --set COLUMN=VALUE, for one line at a time."),
        )
    return {lines[0]: {column: value for column, _sign, value in pairs}}
