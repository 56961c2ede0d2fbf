"""The swap set: who comes in, who goes out, and what that is worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.credit import swap_set
from analytics.domain.credit.swap_set import SwapApplicant, SwapGroup

PEOPLE = [
    SwapApplicant(0.05, 0.04, 1000, 100, is_bad=False),
    SwapApplicant(0.20, 0.05, 1000, 100),
    SwapApplicant(0.05, 0.30, 1000, 100, is_bad=True),
    SwapApplicant(0.30, 0.30, 1000, 100),
]


def swapped(people, new=0.1, loss=0.5):
    return swap_set.swap_set(people, old_cut_off=0.1, new_cut_off=new, loss_given_default=loss)


def test_four_groups_with_profit_and_loss_by_hand():
    found = swapped(PEOPLE)

    assert [(line.group, line.count) for line in found.lines] == [
        ("kept_in", 1),
        ("swapped_in", 1),
        ("swapped_out", 1),
        ("kept_out", 1),
    ]
    comes_in, goes_out = found.line(SwapGroup.SWAPPED_IN), found.line(SwapGroup.SWAPPED_OUT)
    # 100 × 0.95 − 0.05 × 0.5 × 1000 and 100 × 0.7 − 0.3 × 0.5 × 1000.
    assert (comes_in.profit_amount, comes_in.loss_amount) == pytest.approx((70, 25))
    assert (goes_out.profit_amount, goes_out.loss_amount) == pytest.approx((-80, 150))
    assert (found.profit_change, found.loss_change) == pytest.approx((150, -125))
    assert (goes_out.known_count, goes_out.bad_count) == (1, 1)
    assert (comes_in.known_count, comes_in.bad_count) == (0, 0)


chances = st.floats(0, 1)


@given(
    st.lists(st.builds(SwapApplicant, chances, chances, chances, chances), max_size=30),
    chances,
    chances,
)
def test_the_change_is_the_profit_after_less_the_profit_before(people, new, loss):
    found = swapped(people, new, loss)

    def profit(accepted):
        return sum(
            one.margin_amount * (1 - one.new_chance) - one.new_chance * loss * one.exposure_amount
            for one in accepted
        )

    before = profit([one for one in people if one.old_chance <= 0.1])
    after = profit([one for one in people if one.new_chance <= new])
    assert found.profit_change == pytest.approx(after - before, abs=1e-9)
    assert sum(line.count for line in found.lines) == len(people)


def test_the_same_rule_swaps_nobody():
    same = [SwapApplicant(chance, chance, 1, 1) for chance in (0.05, 0.1, 0.2)]
    found = swapped(same)

    assert [line.count for line in found.lines] == [2, 0, 0, 1]
    assert found.profit_change == 0
