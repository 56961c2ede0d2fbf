"""The choice under caps: the table of small cases, and what holds at any size."""

import itertools
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.domain.targeting import rankings, solving
from analytics.domain.targeting.prices import Prices, lower_bound
from analytics.domain.targeting.problem import (
    MICRO,
    AmountCap,
    ChoiceProblem,
    PeopleCap,
    RatioFloor,
    ShareCap,
    caps_used,
    profit_of,
)
from analytics.domain.targeting.repair import repaired
from analytics.domain.targeting.solving import solve

VECTORS = Path(settings.BASE_DIR) / ".." / "shared" / "data" / "vectors_credit" / "vectors.json"
# (cost, value) of two options each; the optimum and the bound of the relaxation by budget.
OPTIONS = {
    "A": [(1, 4), (5, 9)],
    "B": [(1, 3), (5, 10)],
    "C": [(1, 1), (5, 8)],
    "D": [(1, 2), (5, 3)],
    "E": [(1, -2), (5, -1)],
}
TABLE = [(2, 7, 7), (6, 14, 14.25), (7, 16, 16), (10, 19, 20.8), (11, 22, 22.4), (20, 30, 30)]


def knapsack(budget):
    value = np.array([[worth for _cost, worth in row] for row in OPTIONS.values()], dtype=float)
    use = np.array([[cost for cost, _worth in row] for row in OPTIONS.values()]) * MICRO
    return ChoiceProblem(np.arange(5), value, (AmountCap("budget", use, budget * MICRO),))


@pytest.mark.parametrize(("budget", "optimum", "relaxation"), TABLE)
def test_h22_small_cases_to_the_optimum(budget, optimum, relaxation):
    found = solve(knapsack(budget))
    assert (found.profit, found.is_optimal, found.gap) == (optimum, True, 0)
    assert found.relaxation == pytest.approx(relaxation)
    assert found.choice[4] == -1
    assert all(cap.holds for cap in found.caps)


@pytest.mark.parametrize(("budget", "optimum", "relaxation"), TABLE)
def test_the_price_of_the_budget_gives_the_bound_of_the_relaxation(budget, optimum, relaxation):
    point = lower_bound(knapsack(budget), tolerance=1e-9)
    assert point.bound == pytest.approx(relaxation, abs=1e-6)


def test_the_table_is_the_one_of_the_shared_vectors():
    if not VECTORS.exists():
        pytest.skip("the shared vectors are not here")
    given_table = json.loads(VECTORS.read_text(encoding="utf-8"))["knapsack"]
    assert given_table["optimum"] == {str(b): optimum for b, optimum, _lp in TABLE}
    assert given_table["lp"] == {str(b): lp for b, _optimum, lp in TABLE}


def planted(count, *, seed=1, is_fair=False, is_coarse=False, options=6):
    """People with planted values; every cap binds somewhere."""
    rng = np.random.default_rng(seed)
    value = rng.gamma(1.2, 4.0, (count, options)) - 2.0
    cost = rng.uniform(0.01, 1.0, (count, options))
    loss = rng.gamma(1.0, 2.0, (count, options))
    group = (rng.random(count) < 0.4).astype(np.int16)
    value -= np.where(group == 1, 1.0, 0.0)[:, None]
    if is_coarse:
        value, cost = np.round(value), np.round(cost, 1)
    fair: dict[str, tuple[object, ...]] = {}
    if is_fair:
        sizes = tuple(int(n) for n in np.bincount(group, minlength=2))
        fair = {
            "ratios": (RatioFloor("ratio", group, sizes, Fraction(9, 10)),),
            "shares": (ShareCap("share", rng.random(count) < 0.3, Fraction(28, 100)),),
        }
    return ChoiceProblem(
        ids=np.arange(count),
        value=value,
        amounts=(
            AmountCap("budget", np.ceil(cost * MICRO).astype(np.int64), int(0.12 * count) * MICRO),
            AmountCap("loss", np.ceil(loss * MICRO).astype(np.int64), int(0.5 * count) * MICRO),
        ),
        people=(
            PeopleCap("all", tuple(range(options)), count // 2),
            PeopleCap("first", (0, 1), count // 10),
        ),
        **fair,
    )


@pytest.mark.parametrize("is_coarse", [False, True])
@pytest.mark.parametrize("is_fair", [False, True])
def test_h22_large_problems_hold_every_cap_within_a_thousandth_of_the_bound(is_fair, is_coarse):
    problem = planted(120_000, is_fair=is_fair, is_coarse=is_coarse)
    found = solve(problem)
    assert 0 <= found.gap <= 0.001
    assert all(cap.holds for cap in found.caps)
    assert np.array_equal(found.choice, solve(problem).choice)
    rows = np.flatnonzero(found.choice >= 0)
    assert (problem.value[rows, found.choice[rows]] > 0).all()


def test_the_bound_lies_above_the_proved_optimum_and_repair_below_it():
    for seed in range(5):
        problem = planted(200, seed=seed, is_fair=seed % 2 == 1)
        best = solve(problem)
        assert best.is_optimal
        point = lower_bound(problem)
        choice = repaired(Prices(problem), point.prices, Prices(problem).best(point.prices))
        assert all(cap.holds for cap in caps_used(problem, choice))
        assert profit_of(problem.value, choice) <= best.profit + 1e-6 <= point.bound + 2e-6
        assert profit_of(problem.value, choice) >= 0.9 * best.profit


@given(
    rows=st.lists(
        st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 9)), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    ),
    budget=st.integers(0, 12),
    most=st.integers(0, 5),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_it_is_what_trying_everything_finds_and_of_equal_choices_the_lower_ids(rows, budget, most):
    value = np.array([[worth for _cost, worth in row] for row in rows], dtype=float)
    use = np.array([[cost for cost, _worth in row] for row in rows], dtype=np.int64) * MICRO
    problem = ChoiceProblem(
        np.arange(len(rows)),
        value,
        (AmountCap("budget", use, budget * MICRO),),
        (PeopleCap("all", (0, 1), most),),
    )
    best = 0.0
    for choice in itertools.product((-1, 0, 1), repeat=len(rows)):
        taken = [(row, at) for row, at in zip(rows, choice, strict=True) if at >= 0]
        if len(taken) <= most and sum(row[at][0] for row, at in taken) <= budget:
            best = max(best, sum(row[at][1] for row, at in taken))
    found = solve(problem)
    assert found.profit == best
    assert all(cap.holds for cap in found.caps)


def test_of_equal_people_the_lower_ids_are_chosen_at_any_size(monkeypatch):
    value = np.ones((50, 1))
    problem = ChoiceProblem(np.arange(50), value, people=(PeopleCap("all", (0,), 7),))
    assert np.flatnonzero(solve(problem).choice >= 0).tolist() == list(range(7))
    monkeypatch.setattr(solving, "EXACT_PAIRS", 0)
    assert np.flatnonzero(solve(problem).choice >= 0).tolist() == list(range(7))


@pytest.mark.parametrize("kind", ["budget", "people", "share"])
def test_a_cap_of_nil_lets_nobody_through(kind):
    value, use = np.ones((60, 2)), np.full((60, 2), MICRO)
    caps = {
        "budget": {"amounts": (AmountCap("budget", use, 0),)},
        "people": {"people": (PeopleCap("all", (0, 1), 0),)},
        "share": {"shares": (ShareCap("share", np.ones(60, dtype=bool), Fraction(0)),)},
    }[kind]
    found = solve(ChoiceProblem(np.arange(60), value, **caps))
    assert (found.profit, int((found.choice >= 0).sum())) == (0, 0)


def test_nothing_worth_it_is_nobody_and_no_caps_is_everybody_worth_it():
    value = np.array([[-1.0, -2.0], [3.0, 1.0], [-np.inf, 2.0]])
    found = solve(ChoiceProblem(np.arange(3), value))
    assert (found.profit, found.choice.tolist()) == (5.0, [-1, 0, 1])
    assert solve(ChoiceProblem(np.arange(3), -np.abs(value))).profit == 0


def test_other_rankings_keep_the_same_caps_and_bring_less():
    problem = planted(20_000, is_fair=True)
    loss = problem.amounts[1].use / MICRO
    best = solve(problem).profit
    rng = np.random.default_rng(5)
    response, default = rng.random((20_000, 6)), rng.random(20_000)
    for order in (
        rankings.by_response(problem, response),
        rankings.by_risk(problem, default),
        rankings.by_chance(problem, seed=1),
    ):
        found = rankings.rank(rankings.Ranking.RANDOM, problem, order, loss=loss)
        assert all(cap.holds for cap in found.caps)
        assert found.people > 0
        assert found.profit < best


def test_a_stop_asked_for_on_the_way_is_heeded():
    class Stopped(Exception):
        pass

    def stop():
        raise Stopped

    with pytest.raises(Stopped):
        solve(planted(5_000), on_step=stop)
