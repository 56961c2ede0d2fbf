"""Ask for, approve and write an export of a segment's people, each in a person's own name."""

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from customers.domain.exports import ExportColumn
from customers.models import Segment, SegmentExport
from customers.services.segments import exports
from loancrm.kernel import clock
from loancrm.kernel.access import Actor, user_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand, refuse
from loancrm.kernel.database.whole_files import whole_file


class Command(LoanCrmCommand):
    help = (
        "Export a segment in three steps: --segment asks for it, --approve by another person "
        "agrees, --write makes the file for whoever asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as", dest="user", required=True, help="user name of who does this")
        step = parser.add_mutually_exclusive_group(required=True)
        step.add_argument("--segment", help="slug of the segment to ask for")
        step.add_argument("--approve", type=arguments.whole(), metavar="EXPORT")
        step.add_argument("--refuse", type=arguments.whole(), metavar="EXPORT")
        step.add_argument("--write", type=arguments.whole(), metavar="EXPORT")
        parser.add_argument(
            "--columns", default="public_id", help=f"comma-separated: {', '.join(ExportColumn)}"
        )
        parser.add_argument("--reason", default="", help="what the file is for, or a note")
        parser.add_argument("--unmasked", action="store_true", help="personal data in clear")
        parser.add_argument("--out", type=arguments.new_file, help="where --write puts the file")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            refuse("user_unknown", _("There is no such user."))
        try:
            export = self._step(user_actor(user), options)
        except SegmentExport.DoesNotExist as error:
            message = _("There is no such export.")
            raise CommandError(f"export_unknown: {message}") from error
        export.refresh_from_db()
        content = {
            "export": export.pk,
            "state": export.state,
            "expires_at": export.expires_at,
            "rows": export.row_count,
        }
        if options["json"]:
            self.print_json(content)
            return
        for key, value in content.items():
            self.stdout.write(f"{key}: {value}")

    def _step(self, actor: Actor, options: dict[str, Any]) -> SegmentExport:
        now = clock.now()
        if options["segment"]:
            segment = Segment.objects.filter(slug=options["segment"]).first()
            if segment is None:
                refuse("segment_unknown", _("There is no such segment."))
            return exports.request_export(
                actor=actor,
                segment=segment,
                columns=[name.strip() for name in options["columns"].split(",") if name.strip()],
                reason=options["reason"],
                is_unmasked=options["unmasked"],
                now=now,
            )
        if options["write"]:
            return self._write(actor, options["write"], options["out"])
        decide = exports.approve_export if options["approve"] else exports.refuse_export
        export_id = options["approve"] or options["refuse"]
        return decide(actor=actor, export_id=export_id, note=options["reason"], now=now)

    def _write(self, actor: Actor, export_id: int, target: Path | None) -> SegmentExport:
        if target is None:
            refuse("argument_wrong", _("--write needs --out."))
        file = exports.download_export(
            actor=actor, export_id=export_id, now=clock.now(), today=clock.today()
        )
        with whole_file(target) as unfinished, unfinished.open("wb") as lines:
            lines.writelines(file.parts)
        return SegmentExport.objects.get(pk=export_id)
