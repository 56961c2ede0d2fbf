"""The rules of the law as the program keeps them: which is in force on a day, and its source."""

from datetime import date
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from campaigns.domain.compliance.rulebook import RULES
from campaigns.domain.compliance.rules import ComplianceRule, LenderType
from campaigns.labels import compliance as labels
from loancrm import admin_pages
from loancrm.kernel import clock
from loancrm.kernel.words.phrases import reads_chinese


@require_GET
def rules(request: HttpRequest) -> HttpResponse:
    """Show every rule for this kind of lender, and whether it is in force on the day asked for."""
    admin_pages.require(request, "campaigns.view_campaign")
    lender = LenderType(settings.LOANCRM_LENDER_TYPE)
    today = clock.now().astimezone(clock.company_zone()).date()
    day = _day(request.GET.get("day", "")) or today
    rows = [_row(rule, day, lender) for rule in RULES if not rule.lenders or lender in rule.lenders]
    return admin_pages.page(
        request,
        "campaigns/rules.html",
        title=_("Rules in force"),
        day=day,
        lender=labels.LENDER_TYPES.label(lender),
        rows=sorted(rows, key=lambda row: not row["is_in_force"]),
    )


def _day(told: str) -> date | None:
    try:
        return date.fromisoformat(told)
    except ValueError:
        return None


def _row(rule: ComplianceRule, day: date, lender: LenderType) -> dict[str, Any]:
    return {
        "text": rule.text(is_chinese=reads_chinese()),
        "source": rule.source,
        "url": rule.url,
        "since": rule.since,
        "until": rule.until,
        "severity": labels.RULE_SEVERITIES.label(rule.severity),
        "is_in_force": rule.is_in_force(day, lender),
    }
