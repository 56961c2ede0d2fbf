"""Print where a campaign stands."""

from typing import Any

from django.core.management.base import CommandParser

from campaigns.management.arguments import add_campaign, campaign_of
from campaigns.selectors.campaigns import status as campaign_status
from campaigns.services.campaigns import approval
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Count a campaign's messages by state; the counts add up to its audience."

    def add_arguments(self, parser: CommandParser) -> None:
        add_campaign(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_of(options)
        status = campaign_status.status_of(campaign)
        digest = approval.campaign_digest(campaign)
        if options["json"]:
            self.print_json({**status.to_json(), "digest": digest})
            return
        self.stdout.write(f"{status.slug} {status.status}: {status.audience}  {digest}")
        for state, count in status.states.items():
            self.stdout.write(f"  {state:<10} {count}")
        for reason, count in status.reasons.items():
            self.stdout.write(f"    {reason:<20} {count}")
