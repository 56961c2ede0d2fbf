"""Whether the worker or beat of this data folder works; for health checks of containers."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from loancrm.kernel.commands.base import LoanCrmCommand
from loancrm.kernel.running import heartbeats, readiness


class Command(LoanCrmCommand):
    uses_data = False
    requires_system_checks = ()
    help = "Say whether the worker or beat on this data folder lives and reaches what it needs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=("worker", "beat"))
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        ages = heartbeats.ages(options["kind"])
        late = [name for name, age in ages.items() if age > heartbeats.LONGEST_SECONDS]
        if not ages:
            raise CommandError(f"not_running: {_('There is no sign of life in the data folder.')}")
        if late:
            words = _("No sign of life for over a minute: %(names)s.") % {"names": ", ".join(late)}
            raise CommandError(f"not_running: {words}")
        for finding in readiness.connection_findings() + readiness.broker_findings():
            raise CommandError(str(finding))
        if options["json"]:
            self.print_json({name: round(age, 1) for name, age in ages.items()})
        else:
            self.stdout.write(", ".join(ages))
