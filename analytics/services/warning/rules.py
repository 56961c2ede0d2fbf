"""The rules of early warning: those of the beginning, and what people make of them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from analytics.domain.warning.rules import DEFAULT_RULES
from analytics.models import WarningRule
from analytics.services.warning.alerts import end_alerts_of_rule
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

CHANGE = "analytics.change_warningrule"
_MOST = 3650


class WarningRuleRefused(LoanCrmError):
    """A number of a rule cannot be; `field` says which."""

    code = "warning_rule_refused"


def has_table() -> bool:
    """Return whether the rules' table is there: migrating backwards takes it away."""
    return WarningRule._meta.db_table in connection.introspection.table_names()  # noqa: SLF001


def ensure_rules() -> None:
    """Make the default rules that are not there; what people changed stays as it is."""
    WarningRule.objects.bulk_create(
        [
            WarningRule(
                name=terms.name,
                signal=terms.signal,
                severity=terms.severity,
                action=terms.action,
                days=terms.limits.days,
                window_days=terms.limits.window_days,
                count=terms.limits.count,
                level=terms.limits.level,
                rise=terms.limits.rise,
                rate=terms.limits.rate,
                cool_down_days=terms.cool_down_days,
                answer_hours=terms.answer_hours,
            )
            for terms in DEFAULT_RULES
        ],
        ignore_conflicts=True,
    )


def change_rule(
    *, actor: Actor, rule: WarningRule, changes: Mapping[str, Any], now: datetime
) -> WarningRule:
    """Change what a rule looks for or what is done; open alerts keep the severity they began with.

    The open alerts of a rule that is switched off end at once, with that reason; who is barred by
    no other alert may be marketed to again.

    Raises:
        PermissionRefused: The actor may not change rules.
        WarningRuleRefused: A number cannot be, such as a share above 1.
    """
    act = acting(actor, CHANGE, on=rule, now=now)
    for name in ("level", "rise", "rate"):
        value = Decimal(changes.get(name, getattr(rule, name)))
        if not 0 <= value <= 1:
            raise WarningRuleRefused(_("A share is between 0 and 1."), field=name)
    for name in ("days", "window_days", "count", "cool_down_days", "answer_hours"):
        if not 0 <= int(changes.get(name, getattr(rule, name))) <= _MOST:
            raise WarningRuleRefused(_("A number is between 0 and 3650."), field=name)
    with act:
        # Held whole: whoever writes an alert of the rule at this moment is waited for, and whoever
        # comes later finds the rule as it is now.
        row = WarningRule.objects.select_for_update().get(pk=rule.pk)
        before = {name: _word(getattr(row, name)) for name in changes}
        after = {name: _word(value) for name, value in changes.items()}
        if before == after:
            act.unchanged()
        else:
            WarningRule.objects.filter(pk=rule.pk).update(**changes)
            act.record("warning_rule.change", facts={"before": before, "after": after})
    rule.refresh_from_db()
    if not rule.is_active:
        end_alerts_of_rule(act, rule_id=rule.pk)
    return rule


def _word(value: Any) -> str:
    """Return a value as the trail tells it, whatever zeros its column adds."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
