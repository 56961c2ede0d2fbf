"""Tell who was a stored member of a segment at a past moment."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from customers.models import Segment
from customers.selectors.segments import history
from customers.services.segments import exports
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand, refuse
from loancrm.kernel.database.whole_files import whole_file


class Command(LoanCrmCommand):
    help = (
        "Count the stored members that a segment had at a moment, or write their ids in a "
        "person's name."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the segment's slug")
        parser.add_argument("--at", type=arguments.moment, help="when; now without it")
        parser.add_argument(
            "--ids", type=arguments.new_file, help="write the customers' ids here, one a line"
        )
        parser.add_argument("--as", dest="user", help="user name of who wants the ids")
        parser.add_argument("--reason", default="", help="what the ids are needed for")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        segment = Segment.objects.filter(slug=options["slug"]).first()
        if segment is None:
            text = _("There is no segment of the slug “%(slug)s”.") % {"slug": options["slug"]}
            refuse("segment_unknown", text)
        at = options["at"] or clock.now()
        count = history.members_at(segment=segment, at=at).count()
        content = {"segment": segment.slug, "at": at.isoformat(), "count": count}
        if options["ids"]:
            self._write_ids(segment, at, options)
        if options["json"]:
            self.print_json(content)
            return
        for key, value in content.items():
            self.stdout.write(f"{key}: {value}")

    def _write_ids(self, segment: Segment, at: datetime, options: dict[str, Any]) -> None:
        if not options["user"]:
            refuse("argument_wrong", _("--ids needs --as and --reason."))
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            refuse("user_unknown", _("There is no such user."))
        ids = exports.export_member_ids(
            actor=user_actor(user),
            segment=segment,
            at=at,
            reason=options["reason"],
            now=clock.now(),
        )
        with (
            whole_file(options["ids"]) as unfinished,
            unfinished.open("w", encoding="utf-8") as lines,
        ):
            lines.writelines(f"{pk}\n" for pk in ids)
