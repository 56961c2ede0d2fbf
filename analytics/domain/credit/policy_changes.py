"""What one version of a policy says otherwise than another, term by term."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from analytics.domain.credit.policy import CreditPolicy, FactRule, PolicyFact, PriceBand

TermValue = Decimal | int | str


class PolicyTerm(StrEnum):
    """One thing that a policy says; the last four of each band."""

    SCORE_MODEL = "score_model"
    SCORE_AGE_DAYS = "score_age_days"
    HARD_RULE = "hard_rule"
    EXPLANATION = "explanation"
    CUT_OFF = "cut_off"
    REVIEW_FROM = "review_from"
    RATE_FLOOR = "rate_floor"
    RATE_CAP = "rate_cap"
    LEAST_AMOUNT = "least_amount"
    BAND = "band"
    MOST_RISK = "most_risk"
    ANNUAL_RATE = "annual_rate"
    LIMIT_AMOUNT = "limit_amount"
    INCOME_MULTIPLE = "income_multiple"


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One difference.

    Attributes:
        fact: Of a rule.
        band: Name of the band.
        before, after: None where the one version says nothing of it.
    """

    term: PolicyTerm
    before: TermValue | None
    after: TermValue | None
    fact: PolicyFact | None = None
    band: str = ""


_PLAIN = (
    PolicyTerm.SCORE_MODEL,
    PolicyTerm.SCORE_AGE_DAYS,
    PolicyTerm.CUT_OFF,
    PolicyTerm.REVIEW_FROM,
    PolicyTerm.RATE_FLOOR,
    PolicyTerm.RATE_CAP,
    PolicyTerm.LEAST_AMOUNT,
)
_OF_BANDS = (
    PolicyTerm.MOST_RISK,
    PolicyTerm.ANNUAL_RATE,
    PolicyTerm.LIMIT_AMOUNT,
    PolicyTerm.INCOME_MULTIPLE,
)


def policy_changes(old: CreditPolicy, new: CreditPolicy) -> tuple[PolicyChange, ...]:
    """Return everything that the new policy says otherwise; bands are the same by their names."""
    return (
        *_plain(old, new),
        *_rules(PolicyTerm.HARD_RULE, old.hard_rules, new.hard_rules),
        *_rules(PolicyTerm.EXPLANATION, old.explanations, new.explanations),
        *_bands(old.bands, new.bands),
    )


def _plain(old: CreditPolicy, new: CreditPolicy) -> Iterator[PolicyChange]:
    for term in _PLAIN:
        before, after = getattr(old, term.value), getattr(new, term.value)
        if before != after:
            yield PolicyChange(term, before, after)


def _rules(
    term: PolicyTerm, old: Sequence[FactRule], new: Sequence[FactRule]
) -> Iterator[PolicyChange]:
    before = {rule.fact: rule.value for rule in old}
    after = {rule.fact: rule.value for rule in new}
    for fact in PolicyFact:
        if before.get(fact) != after.get(fact):
            yield PolicyChange(term, before.get(fact), after.get(fact), fact=fact)


def _bands(old: Sequence[PriceBand], new: Sequence[PriceBand]) -> Iterator[PolicyChange]:
    before: Mapping[str, PriceBand] = {band.name: band for band in old}
    after = {band.name: band for band in new}
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            yield PolicyChange(PolicyTerm.BAND, name, None, band=name)
            continue
        if name not in before:
            yield PolicyChange(PolicyTerm.BAND, None, name, band=name)
        for term in _OF_BANDS:
            had = getattr(before[name], term.value) if name in before else None
            has = getattr(after[name], term.value)
            if had != has:
                yield PolicyChange(term, had, has, band=name)
