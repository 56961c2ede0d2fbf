"""Credit policies: every decline has a reason, terms are monotone, nothing protected gets in."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.credit import policy
from analytics.domain.credit.policy import ApplicantFacts, DecisionOutcome, PolicyFact
from analytics.domain.credit.policy_text import PolicyInvalid, PolicyProblem, parse_policy
from customers.domain.score_standing import ScoreFault
from tests.golden.credit import POLICY

PARSED = parse_policy(POLICY)
SOUND = {
    "age_years": 30,
    "monthly_income": 10_000,
    "payment_to_income": "0.2",
    "current_dpd_days": 0,
    "worst_dpd_days": 5,
    "charged_off_count": 0,
    "open_loan_count": 1,
    "recent_application_count": 1,
}


def facts(risk="0.02", amount="20000", *, age=1, fault=None, **values):
    known = {**SOUND, **values}
    return ApplicantFacts(
        risk=None if risk is None else Decimal(risk),
        requested_amount=None if amount is None else Decimal(amount),
        values={
            PolicyFact(name): Decimal(value) for name, value in known.items() if value is not None
        },
        score_age=None if age is None else timedelta(days=age),
        score_fault=fault,
    )


@pytest.mark.parametrize(
    ("given_facts", "outcome", "reasons"),
    [
        (facts(), "approved", ()),
        (facts(age_years=17), "declined", ("not_of_age",)),
        (facts(age_years=18), "approved", ()),
        (facts(current_dpd_days=1), "declined", ("past_due_now",)),
        (
            facts(current_dpd_days=9, charged_off_count=1, monthly_income=100),
            "declined",
            ("income_too_low", "past_due_now", "charged_off_before"),
        ),
        (facts(current_dpd_days=9, monthly_income=None), "declined", ("past_due_now",)),
        (facts(monthly_income=None), "review", ("fact_missing",)),
        (facts(risk=None), "review", ("risk_not_known",)),
        (facts(age=30), "approved", ()),
        (facts(age=30.1), "review", ("score_too_old",)),
        (facts(age=None), "review", ("score_too_old",)),
        (facts(age=99, current_dpd_days=1), "declined", ("past_due_now",)),
        (facts(age=99, risk="0.5"), "review", ("score_too_old",)),
        (facts(fault=ScoreFault.HALTED), "review", ("score_halted",)),
        (facts(fault=ScoreFault.RETIRED), "review", ("score_retired",)),
        (facts(fault=ScoreFault.SHADOW), "review", ("score_shadow",)),
        (facts(fault=ScoreFault.STALE), "review", ("score_stale",)),
        (facts(fault=ScoreFault.RISK_ONLY), "approved", ()),
        (facts(risk="0.09"), "review", ("risk_near_cut_off",)),
        (facts(risk="0.10"), "review", ("risk_near_cut_off",)),
        (facts(risk="0.11"), "review", ("risk_without_reason",)),
        (facts(risk="0.11", worst_dpd_days=61), "declined", ("past_due_before",)),
        (facts(amount="500"), "declined", ("limit_too_small",)),
    ],
)
def test_decisions_by_rule(given_facts, outcome, reasons):
    decided = policy.decide(PARSED, given_facts)

    assert (decided.outcome, decided.reasons) == (outcome, reasons)


@pytest.mark.parametrize(
    ("risk", "amount", "band", "rate", "limit"),
    [
        ("0", None, "A", "0.08", "50000"),
        ("0.02", None, "A", "0.08", "50000"),
        ("0.03", None, "B", "0.12", "30000"),
        ("0.03", "12345.67", "B", "0.12", "12345"),
        ("0.07", None, "C", "0.18", "10000"),
    ],
)
def test_terms_by_band(risk, amount, band, rate, limit):
    decided = policy.decide(PARSED, facts(risk=risk, amount=amount))

    assert (decided.band, decided.annual_rate, decided.limit_amount) == (
        band,
        Decimal(rate),
        Decimal(limit),
    )


values = st.decimals(0, 100_000, places=2)
anybody = st.builds(
    ApplicantFacts,
    risk=st.none() | st.decimals(0, 1, places=4),
    requested_amount=st.none() | values,
    values=st.dictionaries(st.sampled_from(PolicyFact), values),
    score_age=st.none() | st.timedeltas(timedelta(0), timedelta(days=60)),
)


def test_nobody_is_granted_a_loan_of_nothing():
    any_amount = parse_policy(changed(least_amount=0))
    decision = policy.decide(any_amount, facts(amount="0.4"))
    assert (decision.outcome, decision.reasons) == ("declined", ("limit_too_small",))


@given(anybody)
def test_whatever_is_not_approved_has_a_reason_and_the_same_facts_give_the_same(applicant):
    decided = policy.decide(PARSED, applicant)

    assert decided.outcome is DecisionOutcome.APPROVED or decided.reasons
    assert policy.decide(PARSED, applicant) == decided
    if decided.annual_rate is not None:
        assert PARSED.rate_floor <= decided.annual_rate <= PARSED.rate_cap


@given(st.decimals(0, "0.1", places=4), st.decimals(0, "0.1", places=4))
def test_a_lower_risk_never_pays_more_or_gets_less(one, other):
    low, high = sorted((one, other))
    better = policy.decide(PARSED, facts(risk=low, amount=None))
    worse = policy.decide(PARSED, facts(risk=high, amount=None))

    assert better.annual_rate <= worse.annual_rate
    assert better.limit_amount >= worse.limit_amount


def changed(**keys):
    return {**POLICY, **keys}


def with_band(at, **keys):
    bands = [dict(band) for band in POLICY["bands"]]
    bands[at] |= keys
    return changed(bands=bands)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "not_a_policy"),
        ({}, "not_a_policy"),
        (changed(gender="x"), "not_a_policy"),
        (changed(hard_rules={"gender": 1}), "fact_unknown"),
        (changed(explanations={"ethnicity": 1}), "fact_unknown"),
        (changed(hard_rules={"age_years": 25}), "age_misused"),
        (changed(hard_rules=[]), "value_wrong"),
        (changed(cut_off="x"), "value_wrong"),
        (changed(cut_off=True), "value_wrong"),
        (changed(cut_off="NaN"), "value_wrong"),
        (changed(review_from="0.2"), "value_wrong"),
        (changed(score_model=""), "value_wrong"),
        # What decisions could not hold, or a database would not give back as it was.
        (changed(score_model="m" * 61), "value_wrong"),
        (changed(score_model="a\x00b"), "value_wrong"),
        (changed(least_amount=10**5000), "value_wrong"),
        (changed(least_amount=-0.0), "value_wrong"),
        (changed(rate_cap=100), "value_wrong"),
        (with_band(0, name="n" * 21), "value_wrong"),
        (with_band(0, name="\ud800"), "value_wrong"),
        (with_band(0, name=" A"), "value_wrong"),
        (with_band(0, annual_rate="0.0800001"), "value_wrong"),
        (changed(bands=[]), "bands_missing"),
        (changed(cut_off="0.2"), "cut_off_not_covered"),
        (with_band(0, annual_rate="0.01"), "rate_outside"),
        (with_band(2, annual_rate="0.25"), "rate_outside"),
        (with_band(1, annual_rate="0.07"), "rate_not_rising"),
        (with_band(1, limit_amount=60_000), "limit_not_falling"),
        (with_band(1, income_multiple=9), "limit_not_falling"),
        (with_band(1, most_risk="0.02"), "bands_not_rising"),
        (with_band(1, name="A"), "bands_not_rising"),
        (with_band(1, colour="red"), "value_wrong"),
    ],
)
def test_what_cannot_stand_is_refused(content, problem):
    with pytest.raises(PolicyInvalid) as refusal:
        parse_policy(content)

    assert refusal.value.problem is PolicyProblem(problem)
