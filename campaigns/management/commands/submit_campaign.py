"""Submit a draft, or the correction of a paused campaign, for approval."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.given.reader import Reader
from campaigns.management.arguments import actor_of, add_campaign, campaign_of
from campaigns.models import Campaign
from campaigns.services.campaigns import approval, authoring, corrections
from campaigns.services.campaigns.problems import refused
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = (
        "Submit a draft, or the correction of a paused campaign, for approval; prints the digest"
        " of what is to be approved."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_campaign(parser)
        parser.add_argument(
            "--correction",
            type=arguments.file,
            help="JSON with any of steps, end_at and budget_amount, for a paused campaign",
        )
        parser.add_argument("--reason", default="", help="of a correction: what is wrong")
        parser.add_argument(
            "--discard", action="store_true", help="have everything as before the correction"
        )
        parser.add_argument("--as", dest="username", help="who submits; else the operator")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_of(options)
        actor, now = actor_of(options, "submit_campaign"), clock.now()
        if options["discard"]:
            corrections.discard_correction(campaign=campaign, actor=actor, now=now)
        elif options["correction"] is not None:
            wanted = self._wanted(options["correction"])
            self._correct(campaign, wanted, options["reason"], actor, now)
        elif campaign.status == CampaignStatus.PAUSED:
            corrections.submit_correction(campaign=campaign, actor=actor, now=now)
        else:
            authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
        digest = approval.campaign_digest(campaign)
        if options["json"]:
            self.print_json({"slug": campaign.slug, "status": campaign.status, "digest": digest})
        else:
            self.stdout.write(f"{campaign.slug} {campaign.status} {digest}")

    @transaction.atomic
    def _correct(
        self, campaign: Campaign, wanted: dict[str, Any], reason: str, actor: Actor, now: datetime
    ) -> None:
        corrections.start_correction(campaign=campaign, reason=reason, actor=actor, now=now)
        if steps := wanted.pop("steps", None):
            authoring.revise_messages(campaign=campaign, messages=steps, actor=actor, now=now)
        if wanted:
            authoring.update_campaign(campaign=campaign, changes=wanted, actor=actor, now=now)
        corrections.submit_correction(campaign=campaign, actor=actor, now=now)

    def _wanted(self, path: Path) -> dict[str, Any]:
        try:
            source = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"file_unreadable: {path}") from error
        if not isinstance(source, dict):
            raise CommandError(f"file_unreadable: {path}")
        read = Reader()
        wanted = dict(source)
        if "end_at" in source:
            wanted["end_at"] = read.moment(source, "end_at", "end_at")
        if "budget_amount" in source:
            wanted["budget_amount"] = read.number(source, "budget_amount", "budget_amount", None)
        if read.problems:
            raise refused(tuple(read.problems))
        return wanted
