"""Create a campaign from its description."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from campaigns.services.campaigns import authoring
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor, user_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Create a campaign from a JSON file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("spec", type=arguments.file, help="JSON file; see docs/campaigns.md")
        parser.add_argument("--as", dest="username", help="author; else the file's `author`")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source = json.loads(options["spec"].read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            words = _("The file is not JSON from line %(line)s, column %(column)s on.")
            place = {"line": error.lineno, "column": error.colno}
            raise CommandError(f"json_invalid: {words % place}") from error
        if not isinstance(source, dict):
            raise CommandError(f"json_invalid: {_('The file must hold one JSON object.')}")
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
