"""Print how content people say they are: CSAT and NPS with intervals, of their last answers."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from analytics.domain.lifetime.satisfaction import csat, nps
from analytics.labels import lifetime as labels
from analytics.selectors.lifetime.survey_answers import answers
from customers.domain.events.survey import SurveyKind
from loancrm.kernel import clock
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "CSAT (4 and 5 of 1 to 5) and NPS (9 and 10 less 0 to 6), with 95 % intervals."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=arguments.whole(1, 3660), default=90)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        until = clock.now()
        since = until - timedelta(days=options["days"])
        satisfied = csat(answers(SurveyKind.CSAT, since=since, until=until))
        promoted = nps(answers(SurveyKind.NPS, since=since, until=until))
        if options["json"]:
            figures = {"csat": asdict(satisfied), "nps": asdict(promoted)}
            self.print_json({"since": since, "until": until, **figures})
            return
        rows = (
            (SurveyKind.CSAT, satisfied.trials, satisfied.rate, satisfied.low, satisfied.high),
            (SurveyKind.NPS, promoted.answers, promoted.value, promoted.low, promoted.high),
        )
        for kind, count, *figures_ in rows:
            texts = ["–" if figure is None else f"{figure:.3f}" for figure in figures_]
            label = labels.SURVEY_KINDS.label(kind)
            self.stdout.write(f"{label}: {texts[0]} [{texts[1]}, {texts[2]}] ({count})")
