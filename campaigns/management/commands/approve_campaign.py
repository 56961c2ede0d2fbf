"""Approve a campaign."""

from typing import Any

from django.core.management.base import CommandParser

from campaigns.management.arguments import add_campaign, campaign_of, user_of
from campaigns.services import approval
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.commands import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Approve a campaign; never as its author."

    def add_arguments(self, parser: CommandParser) -> None:
        add_campaign(parser)
        parser.add_argument("--as", dest="username", required=True, help="who approves")
        parser.add_argument("--comment", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_of(options)
        approval.approve_campaign(
            campaign=campaign,
            actor=user_actor(user_of(options["username"])),
            comment=options["comment"],
            now=clock.now(),
        )
        if options["json"]:
            self.print_json({"slug": campaign.slug, "status": campaign.status})
        else:
            self.stdout.write(f"{campaign.slug} {campaign.status}")
