"""The ends of alerts, their cases, and the marketing that stops while they are open."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from analytics.domain.warning.cases import OUTCOME_OF_END, AlertEnd, CaseState
from analytics.domain.warning.rules import RuleTerms
from analytics.models import RiskAlert, RiskCase, WarningRule
from analytics.selectors.warning.rule_terms import stops_marketing
from customers.models import Customer
from customers.services.consents.marketing_bars import write_at_risk
from loancrm.kernel.acting import Act

_BATCH = 500


def cooling_keys(
    alerts: Any,
    subject: str,
    *,
    rules: Mapping[int, tuple[WarningRule, RuleTerms]],
    now: datetime,
) -> set[tuple[int, Any]]:
    """Return (rule, subject) of the alerts that ended so lately that no new one may begin.

    What ended because its rule was off says nothing about the person and holds nothing back.

    Args:
        alerts: Those to look at.
        subject: Name of the column that says whom an alert is about.
    """
    longest = max((terms.cool_down_days for _row, terms in rules.values()), default=0)
    since = now - timedelta(days=longest)
    rows = alerts.filter(ended_at__gt=since).exclude(end_reason=AlertEnd.RULE_OFF)
    return {
        (rule_id, key)
        for rule_id, key, ended_at in rows.values_list("rule_id", subject, "ended_at")
        if rule_id in rules and now - ended_at < timedelta(days=rules[rule_id][1].cool_down_days)
    }


def write_cases(
    alerts: Any, *, rules: Mapping[int, tuple[WarningRule, RuleTerms]], now: datetime
) -> int:
    """Open the case of each of these new alerts; return how many.

    The rules are held to the end: whoever switches one off waits for its new alerts, or these have
    waited, find it off, and never began.
    """
    fresh = list(alerts)
    if not fresh:
        return 0
    held = WarningRule.objects.select_for_update(no_key=True).order_by("pk")
    held = held.filter(pk__in={alert.rule_id for alert in fresh})
    off = {row.pk for row in held if not row.is_active}
    RiskAlert.objects.filter(pk__in=[one.pk for one in fresh if one.rule_id in off]).delete()
    cases = [
        RiskCase(
            alert=alert,
            state=CaseState.OPEN,
            action=rules[alert.rule_id][1].action,
            owner_id=rules[alert.rule_id][0].owner_id,
            due_at=now + timedelta(hours=rules[alert.rule_id][1].answer_hours),
        )
        for alert in fresh
        if alert.rule_id in rules and alert.rule_id not in off
    ]
    RiskCase.objects.bulk_create(cases, ignore_conflicts=True)
    return len(cases)


def end_alerts(
    *, over: Sequence[RiskAlert], off: Sequence[RiskAlert], seen: Sequence[RiskAlert], now: datetime
) -> int:
    """End alerts, with the cases that nobody took, and note that others still hold.

    Args:
        over: Whose rule finds nothing any more.
        off: Whose rule is switched off.
        seen: What still holds.
    """
    RiskAlert.objects.filter(pk__in=[alert.pk for alert in seen]).update(seen_at=now)
    return _end(over, AlertEnd.GONE, now) + _end(off, AlertEnd.RULE_OFF, now)


def _end(alerts: Sequence[RiskAlert], reason: AlertEnd, now: datetime) -> int:
    ids = [alert.pk for alert in alerts]
    if not ids:
        return 0
    rows = RiskAlert.objects.filter(pk__in=ids, ended_at=None)
    count = rows.update(ended_at=now, end_reason=reason)
    RiskCase.objects.filter(alert_id__in=ids, state=CaseState.OPEN).update(
        state=CaseState.CLOSED, outcome=OUTCOME_OF_END[reason], closed_at=now
    )
    return int(count)


def write_bars(act: Act, *, people: Collection[int]) -> tuple[int, int]:
    """Bar from marketing whom a grave alert is about, and free the others of these people."""
    rows = RiskAlert.objects.filter(customer_id__in=people, ended_at=None).select_related("rule")
    grave = {
        alert.customer_id
        for alert in rows
        if alert.customer_id is not None and stops_marketing(alert)
    }
    return write_at_risk(act, barred=grave, freed=set(people) - grave)


def end_alerts_of_rule(act: Act, *, rule_id: int) -> int:
    """End every open alert of a rule that is off; return how many.

    Page by page in transactions of their own, so that nobody waits for thousands of people; each
    leaves an entry. Whoever dies on the way leaves the rest to the next sweep, which ends what
    belongs to a rule that is off.
    """
    total = 0
    while count := _end_page(act, rule_id):
        total += count
    return total


def _end_page(act: Act, rule_id: int) -> int:
    rows = RiskAlert.objects.filter(rule_id=rule_id, ended_at=None, rule__is_active=False)
    people = set(rows.order_by("pk").values_list("customer_id", flat=True)[:_BATCH])
    with act:
        # The people first, as whoever looks at them does.
        held = Customer.objects.filter(pk__in=people - {None}).order_by("pk")
        ids = list(held.select_for_update(no_key=True).values_list("pk", flat=True))
        alerts = [*rows.filter(customer_id__in=ids)]
        if None in people:
            alerts += rows.filter(customer=None)
        ended = end_alerts(over=(), off=alerts, seen=(), now=act.now)
        _barred, freed = write_bars(act, people=ids)
        if ended:
            act.record(
                "risk_alerts.rule_off",
                on=(RiskAlert, "people"),
                facts={"rule": rule_id, "ended": ended, "freed": freed},
            )
        else:
            act.unchanged()
    return ended
