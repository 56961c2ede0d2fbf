"""What a person may grant: a band's rate, up to its limit, and no other terms."""

from decimal import Decimal

import pytest

from analytics.domain.credit.granting import GrantedTerms, GrantInvalid, grant
from analytics.domain.credit.policy import ApplicantFacts, PolicyFact
from analytics.domain.credit.policy_text import parse_policy
from tests.golden.credit import POLICY

PARSED = parse_policy(POLICY)


def facts(income="4000", amount="20000"):
    return ApplicantFacts(
        risk=None,
        requested_amount=None if amount is None else Decimal(amount),
        values={} if income is None else {PolicyFact.MONTHLY_INCOME: Decimal(income)},
    )


@pytest.mark.parametrize(
    ("band", "limit", "given", "expected"),
    [
        ("A", None, facts(), ("A", "0.08", "20000")),
        ("A", None, facts(income="3000"), ("A", "0.08", "18000")),
        ("C", None, facts(), ("C", "0.18", "10000")),
        ("C", "2500.90", facts(), ("C", "0.18", "2500")),
        # Somebody has seen an income that is on no record.
        ("B", "15000", facts(income=None), ("B", "0.12", "15000")),
        ("B", "30000", facts(income=None, amount=None), ("B", "0.12", "30000")),
    ],
)
def test_terms_are_those_of_the_band(band, limit, given, expected):
    found = grant(PARSED, given, band=band, limit_amount=limit and Decimal(limit))
    assert found == GrantedTerms(expected[0], Decimal(expected[1]), Decimal(expected[2]))


@pytest.mark.parametrize(
    ("band", "limit", "given", "problem", "bound"),
    [
        ("", None, facts(), "band_unknown", None),
        ("Z", "5000", facts(), "band_unknown", None),
        ("C", "10001", facts(), "limit_too_high", 10_000),
        ("A", "20001", facts(), "limit_too_high", 20_000),
        ("B", None, facts(income=None), "limit_missing", None),
        ("B", "20001", facts(income=None), "limit_too_high", 20_000),
        ("A", "999", facts(), "limit_too_small", 1000),
        ("A", None, facts(income="100"), "limit_too_small", 1000),
    ],
)
def test_other_terms_are_refused_with_what_they_are_beyond(band, limit, given, problem, bound):
    with pytest.raises(GrantInvalid) as refusal:
        grant(PARSED, given, band=band, limit_amount=limit and Decimal(limit))
    assert (refusal.value.problem, refusal.value.bound) == (problem, bound)
