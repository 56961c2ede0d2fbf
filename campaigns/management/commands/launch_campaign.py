"""Launch a campaign."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.management.arguments import actor_of, add_campaign, campaign_of
from campaigns.models import Campaign
from campaigns.selectors.campaigns import status as campaign_status
from campaigns.services.campaigns import launch
from campaigns.services.campaigns.rehearsal import dry_runs
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.commands import arguments, progress
from loancrm.kernel.commands.base import LoanCrmCommand

POLL_SECONDS = 0.5
ENDED = {CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.PAUSED}


class Command(LoanCrmCommand):
    help = "Freeze the audience of an approved campaign and start sending."

    def add_arguments(self, parser: CommandParser) -> None:
        add_campaign(parser)
        parser.add_argument("--as", dest="username", help="who launches; else the operator")
        parser.add_argument(
            "--dry-run", action="store_true", help="ask everybody's gates as now, write nothing"
        )
        parser.add_argument(
            "--list", action="store_true", help="of a dry run: every person, in order"
        )
        parser.add_argument("--wait", action="store_true", help="until the campaign is over")
        parser.add_argument(
            "--timeout",
            type=arguments.number(0, 864_000),
            default=3600.0,
            help="seconds to wait at most",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_of(options)
        actor = actor_of(options, "launch_campaign")
        if options["dry_run"]:
            self._dry_run(campaign, actor, options)
            return
        launch.launch_campaign(campaign=campaign, actor=actor, now=clock.now())
        if options["wait"]:
            self._wait(campaign, options["timeout"])
        status = campaign_status.status_of(Campaign.objects.get(pk=campaign.pk))
        if options["json"]:
            self.print_json(status.to_json())
        else:
            self.stdout.write(f"{status.slug} {status.status}: {status.audience}")

    def _dry_run(self, campaign: Campaign, actor: Actor, options: dict[str, Any]) -> None:
        run = dry_runs.list_dry_run if options["list"] else dry_runs.dry_run_campaign
        found = run(campaign=campaign, actor=actor, now=clock.now())
        sums = found.to_json()
        if options["json"]:
            lines = [{**line._asdict(), "cost": str(line.cost)} for line in found.lines]
            self.print_json({**sums, **({"lines": lines} if options["list"] else {})})
            return
        for name, value in sums.items():
            self.stdout.write(f"{name:<12} {value}")
        if options["list"]:
            for line in found.lines:
                self.stdout.write("\t".join(map(str, line)))

    def _wait(self, campaign: Campaign, timeout: float) -> None:
        ends = time.monotonic() + timeout
        told = False
        with progress.bar(total=None, description=campaign.slug, unit="message") as bar:
            while True:
                campaign.refresh_from_db()
                status = campaign_status.status_of(campaign)
                bar.total = status.audience
                bar.n = status.audience - status.open_count
                bar.refresh()
                if campaign.status in ENDED:
                    return
                if status.is_held:
                    raise CommandError(f"dispatch_held: {status.hold_reason}")
                waits_until = campaign_status.waits_until(campaign, now=clock.now())
                if waits_until is not None and not told:
                    told = True
                    local = waits_until.astimezone(clock.company_zone())
                    self.stderr.write(
                        _("%(count)d messages wait until %(time)s (schedule or quiet hours).")
                        % {"count": status.open_count, "time": f"{local:%Y-%m-%d %H:%M}"}
                    )
                if time.monotonic() > ends:
                    raise CommandError("wait_timeout: is a worker running?")
                time.sleep(POLL_SECONDS)
