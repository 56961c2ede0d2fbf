"""A credit policy in words and with units: its terms, and what changes in them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from analytics.dashboards.credit.book_charts import percent
from analytics.domain.credit.policy import BOUND_OF, CreditPolicy, FactRule, PolicyFact
from analytics.domain.credit.policy_changes import PolicyChange, PolicyTerm, TermValue
from analytics.labels.credit import BOUNDS, FACTS, POLICY_TERMS
from customers.labels import score_model


def terms(policy: CreditPolicy) -> dict[str, Any]:
    """Return what a policy says."""
    lows = ["0.00%", *(percent(float(band.most_risk)) for band in policy.bands)]
    return {
        "floor": percent(float(policy.rate_floor)),
        "cap": percent(float(policy.rate_cap)),
        "cut_off": percent(float(policy.cut_off)),
        "review_from": percent(float(policy.review_from)),
        "least": f"¥{policy.least_amount:,.2f}",
        "score": score_model(policy.score_model),
        "score_age": policy.score_age_days,
        "rules": [rule(each) for each in policy.hard_rules],
        "explanations": [rule(each) for each in policy.explanations],
        "bands": [
            {
                "name": band.name,
                "risk": f"{low} – {percent(float(band.most_risk))}",
                "rate": percent(float(band.annual_rate)),
                "limit": f"¥{band.limit_amount:,.2f}",
                "multiple": "–" if band.income_multiple is None else f"{band.income_multiple:f}",
            }
            for low, band in zip(lows, policy.bands, strict=False)
        ],
    }


def rule(given: FactRule) -> tuple[str, str]:
    """Return a fact, and what is asked of it."""
    return FACTS.label(given.fact), bounded(given.fact, given.value)


def bounded(name: PolicyFact, value: Any) -> str:
    """Return on which side of which value a fact has to be."""
    return f"{BOUNDS.label(BOUND_OF[name])} {fact(name, value)}"


def fact(name: PolicyFact, value: Any) -> str:
    """Return the value of a fact as people write it; a dash where nobody knows it."""
    if value in (None, ""):
        return "–"
    if name is PolicyFact.PAYMENT_TO_INCOME:
        return percent(float(value))
    if name is PolicyFact.MONTHLY_INCOME:
        return f"¥{Decimal(str(value)):,.2f}"
    return f"{Decimal(str(value)):,f}"


def change(given: PolicyChange) -> str:
    """Return what a version says otherwise, in a sentence."""
    words = {
        "what": _what(given),
        "before": _value(given, given.before),
        "after": _value(given, given.after),
    }
    if given.before is None:
        return _("%(what)s: new, %(after)s") % words
    if given.after is None:
        return _("%(what)s: no longer; it was %(before)s") % words
    return _("%(what)s: from %(before)s to %(after)s") % words


def _what(given: PolicyChange) -> str:
    term = POLICY_TERMS.label(given.term)
    if given.fact is not None:
        return f"{term} · {FACTS.label(given.fact)}"
    if given.band and given.term is not PolicyTerm.BAND:
        return _("Band %(name)s · %(term)s") % {"name": given.band, "term": term}
    return term


def _value(given: PolicyChange, value: TermValue | None) -> str:
    if value is None:
        return "–"
    if given.fact is not None:
        return bounded(given.fact, value)
    return _UNITS.get(given.term, str)(value)


def _days(value: Any) -> str:
    return _("%(count)s days") % {"count": value}


def _share(value: Any) -> str:
    return percent(float(value))


def _money(value: Any) -> str:
    return f"¥{value:,.2f}"


def _months(value: Any) -> str:
    return _("%(count)s months of income") % {"count": f"{value:f}"}


_UNITS: Mapping[PolicyTerm, Callable[[Any], str]] = {
    PolicyTerm.SCORE_MODEL: score_model,
    PolicyTerm.SCORE_AGE_DAYS: _days,
    PolicyTerm.CUT_OFF: _share,
    PolicyTerm.REVIEW_FROM: _share,
    PolicyTerm.RATE_FLOOR: _share,
    PolicyTerm.RATE_CAP: _share,
    PolicyTerm.LEAST_AMOUNT: _money,
    PolicyTerm.MOST_RISK: _share,
    PolicyTerm.ANNUAL_RATE: _share,
    PolicyTerm.LIMIT_AMOUNT: _money,
    PolicyTerm.INCOME_MULTIPLE: _months,
}
