"""Apply bounce messages that came back by mail."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from campaigns.domain.receipts import bounces
from campaigns.models import Channel
from campaigns.services.receipts import reports
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand, refuse


class Command(LoanCrmCommand):
    help = (
        "Read delivery status reports (RFC 3464) from mail files or folders of them, such as a "
        "Maildir that the mail server of the return path fills. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", help="slug of the e-mail channel that sent the messages")
        parser.add_argument("paths", nargs="+", type=arguments.there)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        channel = Channel.objects.filter(slug=options["channel"]).first()
        if channel is None:
            message = _("There is no channel %(slug)s.") % {"slug": options["channel"]}
            refuse("unknown_channel", message)
        now = clock.now()
        files = [file for path in options["paths"] for file in _files(path)]
        events = [
            event
            for file in files
            for event in bounces.read_bounce(file.read_bytes(), received_at=now)
        ]
        counts = reports.apply_events(
            actor=system_actor("command:read_bounces"), channel=channel, events=events, now=now
        )
        figures = {
            "files": len(files),
            "events": len(events),
            "applied": counts.applied,
            "repeated": counts.repeated,
            "unknown": counts.unknown,
        }
        if options["json"]:
            self.print_json(figures)
        else:
            self.stdout.write(json.dumps(figures))


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
