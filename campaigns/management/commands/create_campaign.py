"""Create a campaign from its description."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from campaigns.services import authoring
from loancrm.kernel import arguments, clock
from loancrm.kernel.access import system_actor, user_actor
from loancrm.kernel.commands import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Create a campaign from a JSON file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("spec", type=arguments.file, help="JSON file; see docs/campaigns.md")
        parser.add_argument("--as", dest="username", help="author; else the file's `author`")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source = json.loads(options["spec"].read_text(encoding="utf-8"))
        except OSError as error:
            raise CommandError(f"file_unreadable: {error.strerror}: {options['spec']}") from error
        except ValueError as error:
            raise CommandError(f"json_invalid: {error}") from error
        if not isinstance(source, dict):
            raise CommandError("json_invalid: an object is expected")
        actor = system_actor("command:create_campaign")
        if options["username"]:
            user = User.objects.filter(username=options["username"]).first()
            if user is None:
                raise CommandError(f"user_unknown: {options['username']}")
            actor = user_actor(user)
        campaign = authoring.create_campaign(source=source, actor=actor, now=clock.now())
        if options["json"]:
            self.print_json({"slug": campaign.slug, "id": campaign.pk, "status": campaign.status})
        else:
            self.stdout.write(campaign.slug)
