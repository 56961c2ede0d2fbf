"""What the gates need to know about the messages of a dispatch, by the rules of the moment."""

from datetime import datetime
from datetime import time as day_time

from django.conf import settings

from campaigns.domain.compliance import collection
from campaigns.domain.compliance.offers import ProductKind
from campaigns.domain.compliance.rules import RuleCheck, RuleSeverity, RulesInForce
from campaigns.domain.sending.eligibility import ADULT_AGE, MessagePlan
from campaigns.domain.sending.frequency import Cap
from campaigns.domain.sending.schedule import SendingWindow
from campaigns.domain.sending.service_messages import AT_ANY_HOUR, ServiceKind
from campaigns.models import Dispatch, FrequencyRule
from campaigns.selectors.content.rules import rules_at
from campaigns.selectors.sending import global_control
from customers.domain.consents.consent import Purpose
from loancrm.kernel import clock


def plan_of(dispatch: Dispatch, *, now: datetime) -> MessagePlan:
    """Return what the gates need to know about a dispatch's messages, by the rules of a moment."""
    is_marketing = dispatch.purpose == Purpose.MARKETING
    is_service = dispatch.purpose == Purpose.SERVICE
    opens, closes = (
        settings.LOANCRM_SERVICE_SENDING_WINDOW if is_service else settings.LOANCRM_SENDING_WINDOW
    )
    window = SendingWindow(day_time(opens), day_time(closes))
    rules = rules_at(now)
    is_collection = is_service and dispatch.service_kind == ServiceKind.COLLECTION
    if is_collection and rules.severity_of(RuleCheck.COLLECTION_HOURS):
        window = SendingWindow(collection.OPENS, collection.CLOSES)
    return MessagePlan(
        channel=dispatch.channel_kind,
        purpose=Purpose(dispatch.purpose),
        uses_personal_rules=dispatch.uses_personal_rules,
        window=window,
        caps=tuple(
            Cap(rule.channel, rule.window_hours, rule.max_count)
            for rule in FrequencyRule.objects.filter(is_active=True).order_by("pk")
        ),
        company_zone=clock.company_zone(),
        is_at_any_hour=is_service and dispatch.service_kind in AT_ANY_HOUR,
        minimum_age=_minimum_age(rules),
        bars_students=dispatch.product_kind == ProductKind.CREDIT_OFFER
        and rules.severity_of(RuleCheck.STUDENTS) is RuleSeverity.BLOCK,
        is_due_reminder=is_service and dispatch.service_kind == ServiceKind.DUE_REMINDER,
        is_collection=is_collection,
        max_tries=_max_tries(rules) if is_collection else None,
        refusals_since=dispatch.refusals_since,
        before_id=dispatch.before_id,
        goal_event=dispatch.goal_event,
        goal_since=dispatch.goal_since,
        control_choices=global_control.choices() if is_marketing else (),
    )


def _minimum_age(rules: RulesInForce) -> int:
    limits = (rule.limit for rule in rules.of(RuleCheck.MINIMUM_AGE))
    return max((int(limit) for limit in limits if limit is not None), default=ADULT_AGE)


def _max_tries(rules: RulesInForce) -> int | None:
    limits = (rule.limit for rule in rules.of(RuleCheck.COLLECTION_TRIES))
    return min((int(limit) for limit in limits if limit is not None), default=None)
