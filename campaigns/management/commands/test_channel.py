"""Test a channel by sending to an address of one's own."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.models import Channel
from campaigns.services.channels import testing
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.base import LoanCrmCommand, refuse


class Command(LoanCrmCommand):
    help = (
        "Send a test message through a channel. Where its options say that the provider remembers "
        "keys, the message goes out twice with one key; only what this shows is believed. A test "
        "that went well lets a blocked channel go on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--to", required=True, help="a number or e-mail address of your own")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        channel = Channel.objects.filter(slug=options["slug"]).first()
        if channel is None:
            message = _("There is no channel %(slug)s.") % {"slug": options["slug"]}
            refuse("unknown_channel", message)
        found = testing.test_channel(
            channel=channel,
            to=options["to"],
            actor=system_actor("command:test_channel"),
            now=clock.now(),
        )
        if options["json"]:
            self.print_json({"finding": found.finding.value, "code": found.code})
        else:
            self.stdout.write(labels.CHANNEL_FINDINGS.label(found.finding))
