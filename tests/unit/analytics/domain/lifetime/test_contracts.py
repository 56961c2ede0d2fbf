"""How long contracts last, and what they are worth."""

from itertools import pairwise

import numpy as np
import pytest

from analytics.domain.lifetime.contracts import (
    NobodyLeftError,
    contract_value,
    fit_sbg,
    sbg_log_likelihood,
)
from analytics.domain.lifetime.hazards import (
    RetentionCountsError,
    contract_hazards,
)


def cohort_hazards(left):
    """Of one cohort of which so many are left after 0, 1, 2 … periods."""
    ends = [(period, True, one - two) for period, (one, two) in enumerate(pairwise(left), 1)]
    return contract_hazards([*ends, (len(left) - 1, False, left[-1])])


def test_s52_sbg_of_the_high_end_customers_is_the_papers():
    # Fader, Hardie 2007: customers left at the end of years 0 to 7.
    left = [1000, 869, 743, 653, 593, 551, 517, 491]
    found = fit_sbg(cohort_hazards(left))
    assert (found.alpha, found.beta) == pytest.approx((0.668, 3.806), abs=5e-4)
    assert found.log_likelihood == pytest.approx(-1611.158, abs=5e-4)
    assert sbg_log_likelihood(
        cohort_hazards(left), alpha=found.alpha, beta=found.beta
    ) == pytest.approx(found.log_likelihood)
    later = [found.survival(year) for year in range(8, 13)]
    assert later == pytest.approx([0.4604, 0.4358, 0.4142, 0.3951, 0.3780], abs=5e-5)
    kept = [found.retention(year) for year in range(1, 5)]
    assert kept == pytest.approx([0.8507, 0.8780, 0.8968, 0.9106], abs=5e-5)
    summed = sum(found.survival(k) / found.survival(2) / 1.1 ** (k - 3) for k in range(3, 3000))
    assert found.residual_value(age=3, margin=2.0, discount=0.1) == pytest.approx(2 * summed / 1)


def test_nobody_leaving_tells_no_parameters():
    with pytest.raises(NobodyLeftError):
        fit_sbg(cohort_hazards([10, 10, 10]))


def test_contracts_that_are_alike_leave_at_one_rate():
    found = fit_sbg(cohort_hazards([1000, 800, 640, 512]))
    assert found.is_constant
    assert found.survival(10) == pytest.approx(0.8**10, rel=1e-3)
    # Nor does whoever leaves the more, the older the contract: the rate is the mean one.
    rising = fit_sbg(cohort_hazards([1000, 950, 800, 400]))
    assert rising.is_constant
    assert rising.retention(9) == pytest.approx(1 - 600 / 2750, rel=1e-3)
    assert not fit_sbg(cohort_hazards([1000, 869, 743, 653, 593, 551, 517, 491])).is_constant


def test_two_periods_are_the_least():
    with pytest.raises(RetentionCountsError):
        fit_sbg(cohort_hazards([10, 5]))


def test_hazards_count_only_who_was_at_risk():
    # Two end in period 1, one in 2; one still runs after 1, one after 3.
    table = contract_hazards([(1, True, 2), (2, True, 1), (1, False, 1), (3, False, 1)])
    assert [(c.at_risk, c.ended) for c in table.cells] == [(5, 2), (2, 1), (1, 0)]
    assert table.survival(2) == pytest.approx(0.6 * 0.5)
    assert table.survival(3) == pytest.approx(0.3)
    assert table.survival(4) is None
    with pytest.raises(RetentionCountsError):
        contract_hazards([(0, True, 1)])


def test_contracts_that_still_run_bend_no_parameter():
    """Planted: α 0.8, β 6; each contract is looked at after a number of periods of its own."""
    rng = np.random.default_rng(11)
    lasts = rng.geometric(rng.beta(0.8, 6, size=40_000))
    seen = rng.integers(1, 25, size=len(lasts))
    rows = [(int(min(a, b)), bool(a <= b), 1) for a, b in zip(lasts, seen, strict=True)]
    found = fit_sbg(contract_hazards(rows))
    assert found.alpha == pytest.approx(0.8, rel=0.06)
    assert found.beta == pytest.approx(6, rel=0.06)
    # Taking what still runs for what has ended bends it: nobody would seem to stay.
    bent = contract_hazards([(periods, True, 1) for periods, _is_ended, _count in rows])
    assert bent.survival(20) < 0.3 * found.survival(20)


@pytest.mark.parametrize("age", [0, 3, 7, 12])
def test_s53_a_value_is_the_sum_of_what_is_seen_and_what_is_expected(age):
    table = cohort_hazards([1000, 869, 743, 653, 593, 551, 517, 491])
    model = fit_sbg(table)

    def survival(period):
        if period <= 7:
            return table.survival(period)
        return table.survival(7) * model.survival(period) / model.survival(7)

    wanted = sum(5 * survival(t) / survival(age) / 1.1 ** (t - age) for t in range(age + 1, 4000))
    value = contract_value(table, model, age=age, margin=5.0, discount=0.1)
    assert value == pytest.approx(wanted, rel=1e-6)
    # Hazards of too few contracts are not believed.
    fitted = contract_value(table, model, age=age, margin=5.0, discount=0.1, least=2000)
    assert fitted == pytest.approx(
        model.residual_value(age=age + 1, margin=5.0, discount=0.1) / 1.1
    )
