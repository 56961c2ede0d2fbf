"""Limits of partners and groups, against published numbers and a simulation."""

import json
import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from analytics.domain.warning import limits
from analytics.domain.warning.limits import is_above_limit, upper_tail

VECTORS = Path(__file__).parents[6] / "shared" / "data" / "vectors_credit" / "vectors.json"


def test_h12_fourteen_of_two_hundred_at_three_per_cent():
    if not VECTORS.exists():
        pytest.skip("the shared vectors are not here")
    given_ = json.loads(VECTORS.read_text())["fpd_alarm"]
    found = upper_tail(given_["x"], given_["n"], expected_rate=given_["p0"])
    assert found == pytest.approx(given_["p"], abs=1e-9)
    assert is_above_limit(given_["x"], given_["n"], expected_rate=given_["p0"], alpha=0.005)
    assert not is_above_limit(given_["x"] - 1, given_["n"], expected_rate=given_["p0"], alpha=0.005)


@given(total=st.integers(0, 3000), share=st.floats(0, 1), rate=st.floats(0.001, 0.999))
def test_the_tail_is_that_of_the_binomial_distribution(total, share, rate):
    bad = round(share * total)
    expected = binom.sf(bad - 1, total, rate)
    assert upper_tail(bad, total, expected_rate=rate) == pytest.approx(
        expected, rel=1e-7, abs=1e-12
    )


@pytest.mark.parametrize("bad", [0, 100, 29_000, 30_000, 30_500, 31_500, 40_000, 999_999])
def test_a_whole_book_is_judged_at_once_and_exactly(bad, monkeypatch):
    """A million loans: the sum goes over some thousands of counts, not over all of them."""
    terms = []
    monkeypatch.setattr(limits, "exp", lambda power: terms.append(power) or math.exp(power))
    expected = binom.sf(bad - 1, 1_000_000, 0.03)
    found = upper_tail(bad, 1_000_000, expected_rate=0.03)
    assert len(terms) < 20_000
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("args", [(-1, 5, 0.1), (6, 5, 0.1), (1, 5, 0.0), (1, 5, 1.0)])
def test_counts_that_cannot_be_are_refused(args):
    with pytest.raises(ValueError, match="within"):
        upper_tail(args[0], args[1], expected_rate=args[2])


def test_h12_planted_deterioration_is_raised_within_a_period_and_false_alarms_are_rare():
    """A hundred groups of 200 loans at 3 %; ten of them go to 10 %; two years of months."""
    rng = random.Random(20260301)
    false_alarms = 0
    for _month in range(24):
        for _group in range(100):
            bad = sum(rng.random() < 0.03 for _ in range(200))
            false_alarms += is_above_limit(bad, 200, expected_rate=0.03, alpha=0.005)
    assert false_alarms / 24 <= 1
    planted = [sum(rng.random() < 0.10 for _ in range(200)) for _ in range(200)]
    raised = sum(is_above_limit(bad, 200, expected_rate=0.03, alpha=0.005) for bad in planted)
    assert raised / len(planted) >= 0.9
