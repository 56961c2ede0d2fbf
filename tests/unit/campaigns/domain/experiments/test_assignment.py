from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from campaigns.domain.experiments import assignment
from campaigns.domain.experiments.assignment import Arm

SALT = UUID(int=42)


def test_the_bucket_is_md5_of_salt_purpose_and_customer():
    # printf '%s' '0000000000000000000000000000002a:holdout:7' | md5sum
    assert assignment.bucket(SALT, "holdout", 7) == "87d8bdd9"


def test_variants_are_assigned_in_proportion_to_their_weights():
    arms = [Arm("A", 50), Arm("B", 30), Arm("C", 20)]
    counts = {"A": 0, "B": 0, "C": 0}
    for customer_id in range(20_000):
        counts[assignment.assign(SALT, customer_id, arms)] += 1
    _statistic, p_value = stats.chisquare(list(counts.values()), [10_000, 6_000, 4_000])
    assert p_value > 0.001


def test_holdout_and_variant_are_independent():
    arms = [Arm("A", 1), Arm("B", 1)]
    table = [[0, 0], [0, 0]]
    for customer_id in range(10_000):
        held = assignment.is_held_out(SALT, customer_id, Decimal("0.3"))
        table[held][assignment.assign(SALT, customer_id, arms) == "A"] += 1
    assert stats.chi2_contingency(table).pvalue > 0.001


@given(st.integers(1, 10**12), st.decimals(0, 1, places=3), st.decimals(0, 1, places=3))
def test_a_larger_holdout_contains_the_smaller_one(customer_id, one, other):
    small, large = sorted((one, other))
    if assignment.is_held_out(SALT, customer_id, small):
        assert assignment.is_held_out(SALT, customer_id, large)


@pytest.mark.parametrize(("share", "expected"), [(0, False), (1, True)])
def test_nobody_and_everybody(share, expected):
    assert all(assignment.is_held_out(SALT, n, Decimal(share)) is expected for n in range(200))


def test_an_arm_without_weight_gets_nobody():
    arms = [Arm("A", 0), Arm("B", 1)]
    assert {assignment.assign(SALT, n, arms) for n in range(500)} == {"B"}


def test_arms_without_any_weight_are_refused():
    with pytest.raises(ValueError, match="positive weight"):
        assignment.upper_bounds([Arm("A", 0)])
