"""Let sending go on after a restore, a copy or a long standstill."""

from argparse import ArgumentParser
from typing import Any

from campaigns.management.arguments import user_of
from campaigns.services.channels import sending_confirmation
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.auditing import deployment
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Say that sending goes on after a restore, a move, a copy or a long standstill."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as", dest="username", required=True, help="who confirms")
        parser.add_argument(
            "--copy",
            action="store_true",
            help="this database is a copy, such as a staging system; its original lives on",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        waiting = sending_confirmation.confirm_sending(
            is_copy=options["copy"],
            actor=user_actor(user_of(options["username"])),
            now=clock.now(),
        )
        epoch = deployment.current().epoch
        if options["json"]:
            self.print_json({"epoch": epoch, "waiting_dispatches": waiting})
        else:
            self.stdout.write(f"epoch {epoch}, dispatches to release or cancel: {waiting}")
