"""Take in the history of a campaign that ran elsewhere."""

import time
from typing import Any

from django.core.management.base import CommandParser

from campaigns.domain.partners.touches import TouchChannel
from campaigns.services.partners import touches
from campaigns.services.partners.past_campaigns import PastCampaign, PastGoal
from customers.domain.events.event import EventName
from customers.domain.reading.encodings import ENCODINGS
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments, progress
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Import the touches of a past campaign; each person gets one delivered message."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=arguments.file)
        parser.add_argument("--campaign", required=True, help="slug; created when missing")
        parser.add_argument(
            "--channel", required=True, choices=[channel.value for channel in TouchChannel]
        )
        parser.add_argument("--source", default="", help="whose external ids the file uses")
        parser.add_argument("--goal-event", help=f"default {EventName.APPLICATION_SUBMITTED}")
        parser.add_argument(
            "--window-days",
            type=arguments.whole(1, 3650),
            help="days after the first touch, default 7",
        )
        parser.add_argument(
            "--encoding", default="", choices=ENCODINGS, help="of a text file that does not tell it"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        goal = None
        if options["goal_event"] or options["window_days"]:
            goal = PastGoal(
                options["goal_event"] or EventName.APPLICATION_SUBMITTED,
                options["window_days"] or PastGoal().window_days,
            )
        with progress.bar(total=None, description="touches") as bar:
            result = touches.import_touches(
                actor=system_actor("command:import_touches"),
                path=options["file"],
                past=PastCampaign(options["campaign"], TouchChannel(options["channel"]), goal),
                now=clock.now(),
                source=options["source"],
                encoding=options["encoding"],
                on_progress=bar.update,
            )
        content = {
            "campaign": options["campaign"],
            "rows": result.rows,
            "exposed": result.exposed,
            "touches": result.touches,
            "rejected": result.rejected,
            "by_reason": result.by_reason,
            "rejected_lines": result.rejected_lines,
            "joined_lines": result.joined_lines,
            "other_rows": result.other_rows,
            "created": result.created,
            "updated": result.updated,
            "source": result.source,
            "seconds": round(time.monotonic() - started, 3),
        }
        if options["json"]:
            self.print_json(content)
            return
        for key, value in content.items():
            self.stdout.write(f"{key}: {value}")
