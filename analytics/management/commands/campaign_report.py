"""Print what a campaign reached and was worth."""

from argparse import ArgumentTypeError
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandParser

from analytics.domain.campaign_report import CampaignReport
from analytics.domain.figures import Figure, plain
from analytics.selectors.credit import values
from analytics.services import reports
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Report a campaign: reach, conversion, lift, cost, retention, defaults, return."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--as-of", type=_moment, help="ISO 8601 time, default now")
        parser.add_argument("--store", action="store_true", help="keep the figures")
        parser.add_argument("--margin-per-customer", type=_amount, help="CNY for each conversion")
        parser.add_argument("--loss-given-default", type=_amount)
        parser.add_argument("--performing-default-rate", type=_amount)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        assumptions = values.return_assumptions(
            margin_per_customer_amount=options["margin_per_customer"],
            loss_given_default=options["loss_given_default"],
            performing_default_rate=options["performing_default_rate"],
        )
        arguments = {
            "actor": system_actor("command:campaign_report"),
            "slug": options["slug"],
            "now": clock.now(),
            "as_of": options["as_of"],
            "assumptions": assumptions,
        }
        if options["store"]:
            report = reports.store_report(**arguments).report
        else:
            report = reports.report_campaign(**arguments)
        if options["json"]:
            self.print_json(report.to_json())
        else:
            self._print(report)

    def _print(self, report: CampaignReport) -> None:
        self.stdout.write(f"{report.head.slug} ({report.head.as_of.isoformat()})")
        for name, count in report.counts.to_json().items():
            self.stdout.write(f"{name:28}{count:>12}")
        for name, figure in report.figures.items():
            self.stdout.write(f"{name:28}{_line(figure)}")


def _line(figure: Figure) -> str:
    if figure.value is None:
        return f"{'-':>12}  {figure.note or ''}"
    text = str(plain(figure.value)) if isinstance(figure.value, Decimal) else f"{figure.value:.4f}"
    ends = f"  [{figure.low:.4f}, {figure.high:.4f}]" if figure.low is not None else ""
    parts = f"  {plain(figure.numerator)} / {plain(figure.denominator)}"
    return f"{text:>12}{ends}{parts}  {figure.note or ''}".rstrip()


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise ArgumentTypeError(f"not an ISO 8601 time: {text}") from err
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.company_zone())


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as err:
        raise ArgumentTypeError(f"not a number: {text}") from err
