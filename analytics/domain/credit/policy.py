"""The credit policy: hard rules, cut-off, limit and price, and a reason for whatever is refused.

A policy is a versioned text (`policy_text`) that is parsed once; the same policy and the same facts
always give the same decision. It knows the facts below and no others, so no protected attribute can
enter; age serves only to ask whether somebody is of age.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from customers.domain.score_standing import ScoreFault

_YUAN = Decimal(1)


class PolicyFact(StrEnum):
    """What a policy may ask about an applicant."""

    AGE_YEARS = "age_years"
    MONTHLY_INCOME = "monthly_income"
    PAYMENT_TO_INCOME = "payment_to_income"
    CURRENT_DPD_DAYS = "current_dpd_days"
    WORST_DPD_DAYS = "worst_dpd_days"
    CHARGED_OFF_COUNT = "charged_off_count"
    OPEN_LOAN_COUNT = "open_loan_count"
    RECENT_APPLICATION_COUNT = "recent_application_count"


class RuleBound(StrEnum):
    """On which side of a value a fact speaks against the applicant."""

    BELOW = "below"
    ABOVE = "above"


class DecisionOutcome(StrEnum):
    """What a policy decides."""

    APPROVED = "approved"
    DECLINED = "declined"
    REVIEW = "review"


class DecisionReason(StrEnum):
    """Why; each names what it is about, for none says only that a score is low."""

    NOT_OF_AGE = "not_of_age"
    INCOME_TOO_LOW = "income_too_low"
    PAYMENTS_TOO_HIGH = "payments_too_high"
    PAST_DUE_NOW = "past_due_now"
    PAST_DUE_BEFORE = "past_due_before"
    CHARGED_OFF_BEFORE = "charged_off_before"
    TOO_MANY_LOANS = "too_many_loans"
    TOO_MANY_APPLICATIONS = "too_many_applications"
    FACT_MISSING = "fact_missing"
    RISK_NOT_KNOWN = "risk_not_known"
    SCORE_TOO_OLD = "score_too_old"
    SCORE_HALTED = "score_halted"
    SCORE_RETIRED = "score_retired"
    SCORE_SHADOW = "score_shadow"
    SCORE_STALE = "score_stale"
    RISK_WITHOUT_REASON = "risk_without_reason"
    RISK_NEAR_CUT_OFF = "risk_near_cut_off"
    LIMIT_TOO_SMALL = "limit_too_small"


REASON_OF: Mapping[PolicyFact, DecisionReason] = {
    PolicyFact.AGE_YEARS: DecisionReason.NOT_OF_AGE,
    PolicyFact.MONTHLY_INCOME: DecisionReason.INCOME_TOO_LOW,
    PolicyFact.PAYMENT_TO_INCOME: DecisionReason.PAYMENTS_TOO_HIGH,
    PolicyFact.CURRENT_DPD_DAYS: DecisionReason.PAST_DUE_NOW,
    PolicyFact.WORST_DPD_DAYS: DecisionReason.PAST_DUE_BEFORE,
    PolicyFact.CHARGED_OFF_COUNT: DecisionReason.CHARGED_OFF_BEFORE,
    PolicyFact.OPEN_LOAN_COUNT: DecisionReason.TOO_MANY_LOANS,
    PolicyFact.RECENT_APPLICATION_COUNT: DecisionReason.TOO_MANY_APPLICATIONS,
}
# A score that may choose nobody for marketing may still be asked about credit.
REASON_OF_FAULT: Mapping[ScoreFault, DecisionReason] = {
    ScoreFault.HALTED: DecisionReason.SCORE_HALTED,
    ScoreFault.RETIRED: DecisionReason.SCORE_RETIRED,
    ScoreFault.SHADOW: DecisionReason.SCORE_SHADOW,
    ScoreFault.STALE: DecisionReason.SCORE_STALE,
}
# The side on which a fact is a reason at all: too little income, too much of everything else.
BOUND_OF: Mapping[PolicyFact, RuleBound] = {
    fact: RuleBound.BELOW
    if fact in {PolicyFact.AGE_YEARS, PolicyFact.MONTHLY_INCOME}
    else RuleBound.ABOVE
    for fact in PolicyFact
}


@dataclass(frozen=True, slots=True)
class FactRule:
    """A fact beyond this value speaks against the applicant; the side is that of `BOUND_OF`."""

    fact: PolicyFact
    value: Decimal

    def is_hit(self, given: Decimal) -> bool:
        """Return whether a value lies beyond; the value itself does not."""
        if BOUND_OF[self.fact] is RuleBound.BELOW:
            return given < self.value
        return given > self.value


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Terms for risks above the band before, up to and with `most_risk`.

    Attributes:
        annual_rate: Yearly rate as a fraction.
        limit_amount: The most that is lent, in CNY.
        income_multiple: At most so many months of income; None without that limit.
    """

    name: str
    most_risk: Decimal
    annual_rate: Decimal
    limit_amount: Decimal
    income_multiple: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CreditPolicy:
    """A checked policy.

    Attributes:
        score_model: Name of the score that gives the chance of default, 0 to 1.
        score_age_days: A score that is older is not relied on: a person decides.
        hard_rules: Any hit declines.
        explanations: Facts that explain a risk above the cut-off; without any a person decides.
        cut_off: Risks above it are declined.
        review_from: Risks above it, up to the cut-off, are decided by a person.
        least_amount: A limit below it is no loan.
    """

    score_model: str
    score_age_days: int
    hard_rules: tuple[FactRule, ...]
    explanations: tuple[FactRule, ...]
    cut_off: Decimal
    review_from: Decimal
    rate_floor: Decimal
    rate_cap: Decimal
    least_amount: Decimal
    bands: tuple[PriceBand, ...]

    def band_of(self, risk: Decimal) -> PriceBand | None:
        """Return the band of a risk; None above the cut-off."""
        return next((band for band in self.bands if risk <= band.most_risk), None)


@dataclass(frozen=True, slots=True)
class ApplicantFacts:
    """What is known about one application.

    Attributes:
        risk: Chance of default; None where there is no score.
        requested_amount: None where the application names none.
        values: What is not known is absent.
        score_age: How long ago the risk was scored; None where nobody knows.
        score_fault: Why the score's owner does not vouch for it now.
    """

    risk: Decimal | None
    requested_amount: Decimal | None
    values: Mapping[PolicyFact, Decimal]
    score_age: timedelta | None = None
    score_fault: ScoreFault | None = None


@dataclass(frozen=True, slots=True)
class PolicyDecision:
    """What is decided, and why: at least one reason unless it is an approval.

    Attributes:
        reasons: In order of weight: hard rules as the policy lists them, then explanations.
        missing: Facts that the policy asks for and nobody knows.
    """

    outcome: DecisionOutcome
    reasons: tuple[DecisionReason, ...] = ()
    band: str = ""
    annual_rate: Decimal | None = None
    limit_amount: Decimal | None = None
    missing: tuple[PolicyFact, ...] = ()

    def __post_init__(self) -> None:
        if self.outcome is not DecisionOutcome.APPROVED and not self.reasons:
            raise ValueError("whatever is not approved has a reason")


def decide(policy: CreditPolicy, facts: ApplicantFacts) -> PolicyDecision:
    """Return the decision of a policy about one application.

    A hard rule that is hit declines, whatever is missing elsewhere. What is missing, a risk that
    nobody knows or vouches for any more, a risk without an explanation and one close to the cut-off
    go to a person.
    """
    hits = _hit(policy.hard_rules, facts)
    if hits:
        return PolicyDecision(DecisionOutcome.DECLINED, hits)
    missing = tuple(
        dict.fromkeys(rule.fact for rule in policy.hard_rules if rule.fact not in facts.values)
    )
    if missing:
        return _review(DecisionReason.FACT_MISSING, missing=missing)
    if facts.risk is None:
        return _review(DecisionReason.RISK_NOT_KNOWN)
    if (doubt := _doubt(policy, facts)) is not None:
        return _review(doubt)
    band = policy.band_of(facts.risk)
    return _above_cut_off(policy, facts) if band is None else _terms(policy, facts, band)


def _doubt(policy: CreditPolicy, facts: ApplicantFacts) -> DecisionReason | None:
    """Return why the score is not to be relied on."""
    if facts.score_fault is not None and facts.score_fault in REASON_OF_FAULT:
        return REASON_OF_FAULT[facts.score_fault]
    if facts.score_age is None or facts.score_age > timedelta(days=policy.score_age_days):
        return DecisionReason.SCORE_TOO_OLD
    return None


def _above_cut_off(policy: CreditPolicy, facts: ApplicantFacts) -> PolicyDecision:
    reasons = _hit(policy.explanations, facts)
    if reasons:
        return PolicyDecision(DecisionOutcome.DECLINED, reasons)
    return _review(DecisionReason.RISK_WITHOUT_REASON)


def _terms(policy: CreditPolicy, facts: ApplicantFacts, band: PriceBand) -> PolicyDecision:
    limit = most_limit(band, facts)
    if limit is None:
        return _review(DecisionReason.FACT_MISSING, missing=(PolicyFact.MONTHLY_INCOME,))
    if limit < max(policy.least_amount, _YUAN):
        return PolicyDecision(DecisionOutcome.DECLINED, (DecisionReason.LIMIT_TOO_SMALL,))
    is_near = facts.risk is None or facts.risk > policy.review_from
    return PolicyDecision(
        DecisionOutcome.REVIEW if is_near else DecisionOutcome.APPROVED,
        (DecisionReason.RISK_NEAR_CUT_OFF,) if is_near else (),
        band=band.name,
        annual_rate=band.annual_rate,
        limit_amount=limit,
    )


def _hit(rules: Sequence[FactRule], facts: ApplicantFacts) -> tuple[DecisionReason, ...]:
    return tuple(
        dict.fromkeys(
            REASON_OF[rule.fact]
            for rule in rules
            if rule.fact in facts.values and rule.is_hit(facts.values[rule.fact])
        )
    )


def _review(reason: DecisionReason, *, missing: tuple[PolicyFact, ...] = ()) -> PolicyDecision:
    return PolicyDecision(DecisionOutcome.REVIEW, (reason,), missing=missing)


def most_limit(band: PriceBand, facts: ApplicantFacts) -> Decimal | None:
    """Return the most a band lends, in whole yuan; None where an income is needed and not known."""
    limits = [band.limit_amount]
    if band.income_multiple is not None:
        income = facts.values.get(PolicyFact.MONTHLY_INCOME)
        if income is None:
            return None
        limits.append(income * band.income_multiple)
    if facts.requested_amount is not None:
        limits.append(facts.requested_amount)
    return min(limits).quantize(_YUAN, ROUND_DOWN)
