"""Write everything that is stored about one person into a JSON file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.services.privacy import own_data
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand, refuse
from loancrm.kernel.database.whole_files import whole_file


class Command(LoanCrmCommand):
    help = "Write everything stored about one person, whole, as JSON (see docs/privacy.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("customer", type=arguments.whole(), help="number of the customer")
        parser.add_argument(
            "file", type=arguments.new_file, help="where to write it; must not exist"
        )
        parser.add_argument("--reason", required=True, help="why; kept in the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"]
        if target.exists():
            refuse("file_exists", _("%(name)s exists already.") % {"name": target})
        try:
            content = own_data.export_own_data(
                actor=system_actor("command:export_own_data"),
                customer_id=options["customer"],
                reason=options["reason"],
                now=clock.now(),
            )
        except Customer.DoesNotExist as error:
            message = _("There is no customer %(number)s.") % {"number": options["customer"]}
            raise CommandError(f"customer_unknown: {message}") from error
        text = json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
        # Only the operator reads it: it holds a person's whole data.
        with whole_file(target, mode=0o600) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
        self.stdout.write(str(target))
