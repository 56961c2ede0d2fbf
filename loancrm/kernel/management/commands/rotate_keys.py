"""Seal all personal data anew with the first key of LOANCRM_KEYS, while the product runs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments, progress
from loancrm.kernel.commands.base import LoanCrmCommand
from loancrm.kernel.security import crypto, rotation


class Command(LoanCrmCommand):
    help = "Seal every sealed column with the active key, check all of it, and name spare keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--batch",
            type=arguments.whole(1, 100_000),
            default=rotation.BATCH_ROWS,
            help="rows at once",
        )
        parser.add_argument("--verify", action="store_true", help="only check, change nothing")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        actor = system_actor("command:rotate_keys")
        changed: dict[str, int] = {}
        with progress.bar(total=None, description="rotate_keys") as bar:

            def advance(_column: str, rows: int) -> None:
                bar.update(rows)

            if not options["verify"]:
                changed = rotation.rotate(
                    actor=actor, now=clock.now(), batch_rows=options["batch"], on_batch=advance
                )
            counts = rotation.verify(batch_rows=options["batch"], on_batch=advance)
        retired: list[str] = []
        if not options["verify"]:
            retired = rotation.retire_unused_keys(actor=actor, counts=counts, now=clock.now())
        self._report(changed, counts, retired, as_json=options["json"])

    def _report(
        self,
        changed: dict[str, int],
        counts: list[rotation.ColumnCount],
        retired: list[str],
        *,
        as_json: bool,
    ) -> None:
        active = crypto.vault().active_key_id
        old = sum(n for count in counts for key_id, n in count.by_key.items() if key_id != active)
        refused = sum(count.refused for count in counts)
        content = {
            "active_key": active,
            "sealed_anew": sum(changed.values()),
            "old_key_values": old,
            "refused_values": refused,
            "keys_no_longer_needed": retired,
            "columns": {
                count.name: {"rows": count.rows, "by_key": count.by_key, "refused": count.refused}
                for count in counts
            },
        }
        if as_json:
            self.print_json(content)
        else:
            for count in counts:
                self.stdout.write(f"{count.name}: {count.rows} {count.by_key}")
            self.stdout.write(
                f"sealed anew {sum(changed.values())}, old key {old}, refused {refused}, "
                f"no longer needed: {', '.join(retired) or '-'}"
            )
        if refused:
            raise CommandError(
                f"values_refused: {refused} sealed values do not open; the log names their rows"
            )
