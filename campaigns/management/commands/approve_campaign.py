"""Approve a campaign."""

from typing import Any

from django.core.management.base import CommandParser

from campaigns.management.arguments import add_campaign, campaign_of, user_of
from campaigns.services import approval
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.commands import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Approve a submitted campaign; never as somebody who wrote or changed it."

    def add_arguments(self, parser: CommandParser) -> None:
        add_campaign(parser)
        parser.add_argument("--as", dest="username", required=True, help="who approves")
        parser.add_argument("--comment", default="")
        parser.add_argument(
            "--seen",
            default="",
            help="digest that submit_campaign printed; refused when the campaign changed since",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_of(options)
        approval.approve_campaign(
            campaign=campaign,
            seen_digest=options["seen"] or approval.campaign_digest(campaign),
            actor=user_actor(user_of(options["username"])),
            comment=options["comment"],
            now=clock.now(),
        )
        if options["json"]:
            self.print_json({"slug": campaign.slug, "status": campaign.status})
        else:
            self.stdout.write(f"{campaign.slug} {campaign.status}")
