"""Hold the audit trail against its hashes and against the anchors kept outside the database."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from loancrm.kernel import append_only, audit, clock
from loancrm.kernel.commands import LoanCrmCommand


class Command(LoanCrmCommand):
    help = (
        "Walk the audit trail, compare it with its anchors, and add an anchor where it is whole. "
        "Ends with status 1 when an entry was changed, removed or added from outside."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        found = audit.verify_and_anchor(now=clock.now())
        unguarded = append_only.missing()
        facts = {**asdict(found), "is_intact": found.is_intact, "unguarded_tables": unguarded}
        if options["json"]:
            self.print_json(facts)
        else:
            self.stdout.write(_("%(count)d entries fit.") % {"count": found.entries})
        if not found.is_intact:
            place = found.first_bad_id or found.broken_anchor or found.entries
            raise CommandError(
                f"audit_broken: {_('The audit trail does not fit from %(place)s on.')}"
                % {"place": place}
            )
