"""Hold the audit trail against its hashes and against the anchors kept outside the database."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.auditing import append_only, audit
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = (
        "Walk the audit trail, compare it with its anchors, and add an anchor where it is whole. "
        "Ends with status 1 when an entry was changed, removed or added from outside."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--accept",
            metavar="WHY",
            help="say that a restore took entries away; the check goes on from what is there now",
        )
        parser.add_argument("--as", dest="username", help="who accepts")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        if options["accept"] is not None:
            audit.accept_restore(
                actor=user_actor(_user_of(options["username"])),
                reason=options["accept"],
                now=clock.now(),
            )
        found = audit.verify_and_anchor(now=clock.now())
        unguarded = append_only.missing()
        facts = {**asdict(found), "is_intact": found.is_intact, "unguarded_tables": unguarded}
        if options["json"]:
            self.print_json(facts)
        else:
            self.stdout.write(_("%(count)d entries fit.") % {"count": found.entries})
        if not found.is_intact:
            place = found.first_bad_id or found.broken_anchor or found.entries
            raise CommandError(
                f"audit_broken: {_('The audit trail does not fit from %(place)s on.')}"
                % {"place": place}
            )


def _user_of(username: str | None) -> User:
    user = User.objects.filter(username=username).first() if username else None
    if user is None:
        raise CommandError(f"user_unknown: {username or '--as'}")
    return user
