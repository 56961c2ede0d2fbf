"""Choose whom to contact with which offer, for the highest expected profit under the caps."""

import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from analytics.models import TargetingRun
from analytics.services.targeting import runs
from analytics.services.targeting.checking import TargetingFailed
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand, refuse
from loancrm.kernel.models import WorkState


class Command(LoanCrmCommand):
    help = "Choose people by expected profit as a JSON file describes; write them as segments."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("spec", type=arguments.there, help="JSON file, see docs/targeting.md")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        actor, now = system_actor("command:target_campaign"), clock.now()
        run = runs.start_run(actor=actor, data=_read(options["spec"]), now=now, is_background=False)
        runs.run(work_id=run.work_id, now=now, actor=actor)
        run = TargetingRun.objects.select_related("work").get(pk=run.pk)
        if run.work.state != WorkState.DONE:
            raise TargetingFailed(str(run.work.last_error))
        content = {"run": run.pk, **run.result, "seconds": round(time.monotonic() - started, 3)}
        if options["json"]:
            self.print_json(content)
            return
        for one in content["segments"]:
            self.stdout.write(f"{one['slug']:48}{one['size']:>10}  {one['name']}")
        for key in ("people", "profit", "bound", "gap", "seconds"):
            self.stdout.write(f"{key}: {content[key]}")


def _read(path: Path) -> Any:
    try:
        # Editors of Windows begin a file with a mark that is none of its text.
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError:
        refuse("file_unreadable", _("The file “%(path)s” cannot be read.") % {"path": path})
    except (ValueError, RecursionError):
        refuse("file_invalid", _("The file “%(path)s” is no JSON.") % {"path": path})
