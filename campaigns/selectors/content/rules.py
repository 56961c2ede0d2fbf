"""The rules that bind this lender at a moment."""

from datetime import datetime

from django.conf import settings

from campaigns.domain.compliance import rulebook
from campaigns.domain.compliance.rules import LenderType, RulesInForce
from loancrm.kernel import clock


def rules_at(now: datetime) -> RulesInForce:
    """Return the rules of the day in the company's calendar, for this kind of lender."""
    day = now.astimezone(clock.company_zone()).date()
    return rulebook.rules_on(day, LenderType(settings.LOANCRM_LENDER_TYPE))
