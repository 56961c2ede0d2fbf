"""Submit a draft for approval."""

from typing import Any

from django.core.management.base import CommandParser

from campaigns.management.arguments import actor_of, add_campaign, campaign_of
from campaigns.services.campaigns import approval, authoring
from loancrm.kernel import clock
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Submit a draft for approval; prints the digest of what is to be approved."

    def add_arguments(self, parser: CommandParser) -> None:
        add_campaign(parser)
        parser.add_argument("--as", dest="username", help="who submits; else the operator")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_of(options)
        actor = actor_of(options, "submit_campaign")
        authoring.submit_for_review(campaign=campaign, actor=actor, now=clock.now())
        digest = approval.campaign_digest(campaign)
        if options["json"]:
            self.print_json({"slug": campaign.slug, "status": campaign.status, "digest": digest})
        else:
            self.stdout.write(f"{campaign.slug} {campaign.status} {digest}")
