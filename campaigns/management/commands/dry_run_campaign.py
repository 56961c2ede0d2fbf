"""Print what a launch would do."""

from typing import Any

from django.core.management.base import CommandParser

from campaigns.management.arguments import actor_of, add_campaign, campaign_of
from campaigns.services.campaigns.audience import dry_runs
from loancrm.kernel import clock
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Ask everybody's gates as a launch would now, and write nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        add_campaign(parser)
        parser.add_argument("--as", dest="username", help="who asks; else the operator")
        parser.add_argument("--list", action="store_true", help="every person, in order")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_of(options)
        found = dry_runs.dry_run_campaign(
            campaign=campaign, actor=actor_of(options, "dry_run_campaign"), now=clock.now()
        )
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
