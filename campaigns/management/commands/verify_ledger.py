"""Hold the ledgers of all dispatches against their hashes and their anchors."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from campaigns.services.sending import ledger
from loancrm.kernel import clock
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = (
        "Find entries of the send ledgers that were changed or removed, at their ends too, and "
        "write anchors of those that are whole. Ends with status 1 when something is found."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        found = ledger.verify_and_anchor(now=clock.now())
        if options["json"]:
            self.print_json(
                {
                    "dispatches": found.dispatches,
                    "entries": found.entries,
                    "broken": {str(key): entry for key, entry in found.broken.items()},
                    "cut": list(found.cut),
                    "is_intact": found.is_intact,
                }
            )
        else:
            self.stdout.write(_("%(count)d entries fit.") % {"count": found.entries})
        if not found.is_intact:
            ids = ", ".join(map(str, sorted({*found.broken, *found.cut})))
            raise CommandError(
                f"ledger_broken: {_('The ledgers of these dispatches were changed: %(ids)s.')}"
                % {"ids": ids}
            )
