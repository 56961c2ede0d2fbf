"""Approve a campaign as it was seen, or show what there is to see."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.management.arguments import add_campaign, campaign_of, user_of
from campaigns.models import Campaign
from campaigns.selectors.campaigns import approved_state
from campaigns.services.campaigns import approval, corrections
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = (
        "Approve a submitted campaign; never as somebody who wrote or changed it, and only as it "
        "was seen: --show prints what is approved with its digest, which --seen gives back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_campaign(parser)
        parser.add_argument("--show", action="store_true", help="print it and approve nothing")
        parser.add_argument("--as", dest="username", help="who approves")
        parser.add_argument("--comment", default="")
        parser.add_argument(
            "--seen", default="", help="digest of what was seen; refused when it changed since"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_of(options)
        if options["show"]:
            self._show(campaign, is_json=options["json"])
            return
        if not options["seen"]:
            raise CommandError("seen_required: read it with --show first, then give --seen DIGEST")
        if not options["username"]:
            raise CommandError("approver_required: say with --as who approves")
        is_correction = campaign.status == CampaignStatus.PAUSED
        approve = corrections.approve_correction if is_correction else approval.approve_campaign
        approve(
            campaign=campaign,
            seen_digest=options["seen"],
            actor=user_actor(user_of(options["username"])),
            comment=options["comment"],
            now=clock.now(),
        )
        if options["json"]:
            self.print_json({"slug": campaign.slug, "status": campaign.status})
        else:
            self.stdout.write(f"{campaign.slug} {campaign.status}")

    def _show(self, campaign: Campaign, *, is_json: bool) -> None:
        # The digest first: what changes in between makes it too old, never the other way round.
        digest = approval.campaign_digest(campaign)
        shown = approved_state.read(campaign).shown
        if is_json:
            self.print_json(
                {
                    "slug": campaign.slug,
                    "status": campaign.status,
                    "digest": digest,
                    "approved": shown,
                }
            )
            return
        self.stdout.write(f"{campaign.slug} {campaign.status} {digest}")
        for part, value in shown.items():
            self.stdout.write(f"{part}: {value}")
