"""Create or change a channel."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError, CommandParser

from campaigns.services.channels import registry
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Create or change a way to reach people, such as an SMTP relay or an SMS gateway."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--kind", required=True, choices=registry.KINDS)
        parser.add_argument(
            "--backend",
            required=True,
            help="smtp, email_service, http_sms, webhook, console or memory",
        )
        parser.add_argument("--options", default="{}", help="JSON object")
        parser.add_argument("--sender", default="", help="`Name <address>`, or the SMS signature")
        parser.add_argument("--secret-env", default="", help="variable that holds the secret")
        parser.add_argument("--cost-per-part", default="0")
        parser.add_argument("--rate-per-second", type=arguments.whole())
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backend_options = json.loads(options["options"])
            cost = Decimal(options["cost_per_part"])
        except (ValueError, InvalidOperation) as error:
            raise CommandError("arguments_invalid: --options or --cost-per-part") from error
        channel = registry.configure_channel(
            slug=options["slug"],
            kind=options["kind"],
            backend=options["backend"],
            options=backend_options,
            sender=options["sender"],
            secret_variable=options["secret_env"],
            cost_per_part=cost,
            rate_per_second=options["rate_per_second"],
            actor=system_actor("command:configure_channel"),
            now=clock.now(),
        )
        if options["json"]:
            self.print_json({"slug": channel.slug, "kind": channel.kind})
        else:
            self.stdout.write(channel.slug)
