"""Alerts as a part of a customer's timeline: when each began and ended, for whoever sees risk."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from analytics.labels.warning import ALERT_ENDS, SEVERITIES, finding, rule_name
from analytics.models import RiskAlert
from customers.domain.timeline import TimelineFilter, TimelineItem, TimelineKind, TimelinePosition
from customers.selectors.profile.timeline_sources import TimelineSource

_PERMISSION = "analytics.view_riskcase"


def alerts_of(customer_id: int) -> QuerySet[RiskAlert]:
    """Return the alerts about a customer with their rules."""
    return RiskAlert.objects.filter(customer_id=customer_id).select_related("rule")


def _rows(customer_id: int, wanted: TimelineFilter, zone: tzinfo) -> QuerySet[Any, Any]:
    return alerts_of(customer_id)


def _entry(*, is_end: bool) -> Callable[[RiskAlert, TimelinePosition], TimelineItem]:
    def entry(row: RiskAlert, position: TimelinePosition) -> TimelineItem:
        return TimelineItem(
            position,
            TimelineKind.ALERT,
            "alert_ended" if is_end else "alert_opened",
            _("Alert ended") if is_end else _("Alert opened"),
            subject=rule_name(row.rule.signal),
            facts={"severity": row.severity, "rule": row.rule.name},
            notes=((ALERT_ENDS.label(row.end_reason),) if row.end_reason else ())
            if is_end
            else (SEVERITIES.label(row.severity), finding(row.rule.signal, row.facts)),
        )

    return entry


def _source(rank: int, moment: str, *, is_end: bool) -> TimelineSource:
    entry = _entry(is_end=is_end)
    return TimelineSource(rank, TimelineKind.ALERT, _rows, moment, entry, permission=_PERMISSION)


SOURCES = (
    _source(110, "ended_at", is_end=True),
    _source(111, "opened_at", is_end=False),
)
