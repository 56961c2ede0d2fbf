"""Count the customers whom a rule selects."""

import time
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandParser

from customers.domain.segments.parse import parse_text
from customers.domain.segments.problems import RuleRefused
from customers.selectors.segments import query, references
from loancrm.kernel import clock
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand
from loancrm.kernel.database.whole_files import whole_file

ID_FIELDS = ("id", "public_id", "external_id")


class Command(LoanCrmCommand):
    help = "Count the customers whom a rule (react-querybuilder JSON) selects now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rule", type=arguments.file, help="file with the rule's JSON")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--ids", type=arguments.new_file, help="write the customers' ids here, one a line"
        )
        parser.add_argument(
            "--id-field", choices=ID_FIELDS, default="id", help="which id --ids writes"
        )
        parser.add_argument("--sql", action="store_true", help="also print SQL and parameters")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = parse_text(options["rule"].read_text(encoding="utf-8-sig"))
        except RuleRefused as refusal:
            raise references.SegmentRuleInvalid(refusal.problems) from refusal
        started = time.perf_counter()
        rule, scope = references.load_rule(data, now=clock.now(), zone=clock.company_zone())
        customers = query.customers_matching(rule, scope)
        content: dict[str, Any] = {"count": customers.count()}
        content["seconds"] = round(time.perf_counter() - started, 4)
        if options["ids"]:
            ids = customers.order_by("pk").values_list(options["id_field"], flat=True)
            with (
                whole_file(options["ids"]) as unfinished,
                unfinished.open("w", encoding="utf-8") as lines,
            ):
                lines.writelines(f"{key}\n" for key in ids.iterator(chunk_size=5000))
        if options["sql"]:
            sql, parameters = customers.values("pk").query.sql_with_params()
            content["sql"], content["params"] = sql, _shown(parameters)
        if options["json"]:
            self.print_json(content)
            return
        for key, value in content.items():
            self.stdout.write(f"{key}: {value}")


def _shown(parameters: Sequence[Any]) -> list[Any]:
    return [
        value if isinstance(value, str | int | float | None) else str(value) for value in parameters
    ]
