"""The rules of early warning as values, and which alerts stop marketing by them."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from analytics.domain.warning.rules import RuleTerms, Severity, WarningAction
from analytics.domain.warning.signals import Signal, SignalLimits
from analytics.models import RiskAlert, WarningRule


def active_rules(signals: frozenset[Signal]) -> Sequence[tuple[WarningRule, RuleTerms]]:
    """Return the rules that are on, of these signals, with their terms; one query."""
    rows = WarningRule.objects.filter(is_active=True, signal__in=signals)
    return [(row, terms_of(row)) for row in rows]


def terms_of(row: WarningRule) -> RuleTerms:
    """Return a stored rule as values."""
    return RuleTerms(
        name=row.name,
        signal=Signal(row.signal),
        limits=SignalLimits(
            days=row.days,
            window_days=row.window_days,
            count=row.count,
            level=Decimal(row.level),
            rise=Decimal(row.rise),
            rate=Decimal(row.rate),
            score_model=row.score_model,
        ),
        severity=Severity(row.severity),
        action=WarningAction(row.action),
        cool_down_days=row.cool_down_days,
        answer_hours=row.answer_hours,
    )


def stops_marketing(alert: RiskAlert) -> bool:
    """Return whether marketing to the person waits for the end of this alert."""
    terms = replace(terms_of(alert.rule), severity=Severity(alert.severity))
    return terms.stops_marketing
