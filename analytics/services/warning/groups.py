"""Look at partners and segments: limits of first-payment default, of arrears, and drift."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import numpy as np

from analytics.domain.modelling.stability import psi_of_counts
from analytics.domain.warning.limits import is_above_limit
from analytics.domain.warning.rules import RuleTerms
from analytics.domain.warning.signals import GROUP_SIGNALS, Signal, SignalFinding
from analytics.models import RiskAlert, WarningRule
from analytics.selectors.warning import group_facts
from analytics.selectors.warning.rule_terms import active_rules
from analytics.services.warning.alerts import cooling_keys, end_alerts, write_cases
from analytics.services.warning.watching import ADD, Watched
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database import leases

_LEASE_SECONDS = 300.0
_PLACES = 4


def watch_groups(*, actor: Actor, holder: str, now: datetime) -> Watched:
    """Let alerts about partners and segments begin and end by what is found today.

    One worker at a time; a fixed number of queries a rule, whatever the number of groups.

    Raises:
        PermissionRefused: The actor may not raise alerts.
    """
    act = acting(actor, ADD, now=now)
    name = "early warning groups"
    if not leases.claim(name=name, holder=holder, seconds=_LEASE_SECONDS):
        return Watched()
    try:
        with act:
            rules = {row.pk: (row, terms) for row, terms in active_rules(GROUP_SIGNALS)}
            today = now.astimezone(clock.company_zone()).date()
            found = {
                (row.pk, group): finding
                for row, terms in rules.values()
                for group, finding in _evaluate(terms, today, now).items()
            }
            result = _write(rules, found, now)
            if result.opened or result.ended:
                facts = {"opened": result.opened, "ended": result.ended}
                act.record("risk_alerts.watch", on=(RiskAlert, "groups"), facts=facts)
            else:
                act.unchanged()
    finally:
        leases.release(name=name, holder=holder)
    return result


def _evaluate(terms: RuleTerms, today: date, now: datetime) -> Mapping[str, SignalFinding]:
    limits = terms.limits
    if terms.signal is Signal.PARTNER_FIRST_DEFAULT:
        counted = group_facts.first_payment_defaults(
            on=today, days=limits.days, window_days=limits.window_days
        )
        return _above(counted, float(limits.rate), terms)
    if terms.signal is Signal.SEGMENT_ARREARS:
        book, counted = group_facts.arrears_by_segment(days=limits.days)
        enough = {key: loans for key, loans in counted.items() if loans.total >= limits.count}
        return _above(enough, book.bad / book.total if book.total else 0.0, terms)
    return _drifted(terms, now)


def _above(
    counted: Mapping[str, group_facts.BadLoans], expected_rate: float, terms: RuleTerms
) -> Mapping[str, SignalFinding]:
    """Return the groups whose bad loans chance explains more rarely than the rule's level."""
    # Where nothing, or everything, is bad everywhere, there is nothing to be worse than.
    if not 0 < expected_rate < 1:
        return {}
    return {
        group: SignalFinding(
            {"bad": loans.bad, "total": loans.total, "expected": str(round(expected_rate, _PLACES))}
        )
        for group, loans in counted.items()
        if is_above_limit(
            loans.bad, loans.total, expected_rate=expected_rate, alpha=float(terms.limits.level)
        )
    }


def _drifted(terms: RuleTerms, now: datetime) -> Mapping[str, SignalFinding]:
    """Return the segments whose members' bands are others than when the window began."""
    before = group_facts.band_counts(at=now - timedelta(days=terms.limits.window_days))
    found: dict[str, SignalFinding] = {}
    for (segment, model), bands in sorted(group_facts.band_counts(at=now).items()):
        then = before.get((segment, model), {})
        if min(sum(then.values()), sum(bands.values())) < max(terms.limits.count, 1):
            continue
        names = sorted({*then, *bands})
        index = psi_of_counts(
            np.array([then.get(name, 0) for name in names], dtype=float),
            np.array([bands.get(name, 0) for name in names], dtype=float),
        )
        # Of small groups chance alone moves the index far.
        if index.value > max(float(terms.limits.level), index.by_chance):
            found[segment] = SignalFinding({"model": model, "psi": str(round(index.value, 4))})
    return found


def _write(
    rules: Mapping[int, tuple[WarningRule, RuleTerms]],
    found: Mapping[tuple[int, str], SignalFinding],
    now: datetime,
) -> Watched:
    alerts = RiskAlert.objects.filter(customer=None)
    last = alerts.filter(ended_at=None).select_related("rule")
    open_now = {(alert.rule_id, alert.group): alert for alert in last}
    known = open_now.keys() | cooling_keys(alerts, "group", rules=rules, now=now)
    new = [key for key in sorted(found) if key not in known]
    RiskAlert.objects.bulk_create(
        [
            RiskAlert(
                rule_id=rule_id,
                group=group,
                severity=rules[rule_id][1].severity,
                facts=dict(found[rule_id, group].facts),
                opened_at=now,
                seen_at=now,
            )
            for rule_id, group in new
        ],
        ignore_conflicts=True,
    )
    opened = write_cases(alerts.filter(ended_at=None, case=None), rules=rules, now=now)
    over = [alert for key, alert in open_now.items() if key not in found and key[0] in rules]
    off = [alert for alert in open_now.values() if not alert.rule.is_active]
    seen = [alert for key, alert in open_now.items() if key in found]
    return Watched(
        people=len({group for _rule, group in found}),
        opened=opened,
        ended=end_alerts(over=over, off=off, seen=seen, now=now),
    )
