"""Resume a campaign."""

from typing import Any

from django.core.management.base import CommandParser

from campaigns.management.arguments import actor_of, add_campaign, campaign_of
from campaigns.services.campaigns import ticking
from loancrm.kernel import clock
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Go on after a pause, or release what waits for a person."

    def add_arguments(self, parser: CommandParser) -> None:
        add_campaign(parser)
        parser.add_argument("--reason", default="", help="why it may go on after it paused itself")
        parser.add_argument("--as", dest="username", help="who does it; else the operator")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = ticking.resume_campaign(
            campaign=campaign_of(options),
            actor=actor_of(options, "resume_campaign"),
            now=clock.now(),
            reason=options["reason"],
        )
        if options["json"]:
            self.print_json({"slug": campaign.slug, "status": campaign.status})
        else:
            self.stdout.write(f"{campaign.slug} {campaign.status}")
