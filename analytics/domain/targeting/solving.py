"""Choose whom to contact with what, so that the expected profit is as high as the caps allow."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from analytics.domain.targeting import exact
from analytics.domain.targeting.prices import Prices, lower_bound
from analytics.domain.targeting.problem import (
    NOBODY,
    CapUse,
    Choice,
    ChoiceProblem,
    Floats,
    caps_used,
    profit_of,
)
from analytics.domain.targeting.repair import repaired

EXACT_PAIRS = 3_000
SAMPLE = 50_000
GAP_WANTED = 0.0002
# Evaluations on everybody in each turn, until the gap is small enough.
_TURNS = (15, 40, 80)
_BOX, _WHOLE_BOX = 0.005, 0.2


@dataclass(frozen=True, slots=True)
class Solution:
    """Who gets what.

    Attributes:
        choice: The option of each person, -1 for nobody.
        profit: Expected, in CNY.
        bound: No choice within the caps brings more.
        relaxation: The bound of the linear relaxation, where options may be split.
        is_optimal: The choice is proved to be the best.
        caps: What it uses of each cap.
    """

    choice: Choice
    profit: float
    bound: float
    relaxation: float
    is_optimal: bool
    caps: tuple[CapUse, ...]

    @property
    def gap(self) -> float:
        """Return by what share of the bound the choice may fall short of the best."""
        return (self.bound - self.profit) / self.bound if self.bound > 0 else 0.0


def solve(problem: ChoiceProblem, *, on_step: Callable[[], object] = lambda: None) -> Solution:
    """Return a choice that keeps every cap, with a bound on what any other could bring.

    Small problems are solved to the optimum. Large ones by prices of the caps, found on a sample
    first and then on everybody, and a choice repaired from them; the same problem gives the same
    choice. Nobody is contacted at a loss.

    Args:
        on_step: Called now and then; may raise to stop.
    """
    problem = _sensible(problem)
    n, m = problem.shape
    if n * m <= EXACT_PAIRS:
        found = exact.optimum(problem)
        if found.choice is not None:
            profit = profit_of(problem.value, found.choice)
            return _solution(problem, found.choice, profit, found.relaxation, is_optimal=True)
    layout = Prices(problem)
    is_large = n > 2 * SAMPLE
    start = _sampled(problem, on_step) if is_large else None
    best, bound = None, np.inf
    for rounds in _TURNS if is_large else (150, 300):
        point = lower_bound(
            problem,
            start=start,
            radius=_BOX if start is not None else _WHOLE_BOX,
            rounds=rounds,
            tolerance=GAP_WANTED / 200,
            on_round=on_step,
        )
        start, bound = point.prices, min(bound, point.bound)
        choice = repaired(layout, start, layout.best(start))
        on_step()
        profit = profit_of(problem.value, choice)
        if best is None or profit > best[1]:
            best = (choice, profit)
        if bound - best[1] <= GAP_WANTED * abs(bound):
            break
    assert best is not None  # noqa: S101 - there is a first turn
    bound = max(float(bound), best[1])
    return _solution(problem, best[0], bound, bound, is_optimal=best[1] >= bound)


def _solution(
    problem: ChoiceProblem, choice: Choice, bound: float, relaxation: float, *, is_optimal: bool
) -> Solution:
    return Solution(
        choice=choice,
        profit=profit_of(problem.value, choice),
        bound=bound,
        relaxation=relaxation,
        is_optimal=is_optimal,
        caps=tuple(caps_used(problem, choice)),
    )


def _sensible(problem: ChoiceProblem) -> ChoiceProblem:
    """Return the problem without what nobody may take: at a loss, or of a cap that is nil."""
    is_barred = ~(problem.value > 0)
    for amount in problem.amounts:
        if amount.cap == 0:
            is_barred |= amount.use > 0
    for cap in problem.people:
        if cap.cap == 0:
            is_barred[:, list(cap.options)] = True
    for share in problem.shares:
        if share.share == Fraction(0):
            is_barred[share.is_member] = True
    return replace(problem, value=np.where(is_barred, -np.inf, problem.value))


def _sampled(problem: ChoiceProblem, on_step: Callable[[], object]) -> Floats:
    """Return prices learned from an even sample, as prices of the whole."""
    n = len(problem.ids)
    rows = np.random.default_rng(1).choice(n, SAMPLE, replace=False)
    rows.sort()
    found = lower_bound(problem.part(rows), tolerance=1e-6, rounds=250, on_round=on_step)
    return found.prices * (n / SAMPLE)


def nobody(problem: ChoiceProblem) -> Choice:
    """Return the choice of nobody."""
    return np.full(len(problem.ids), NOBODY, dtype=np.int16)
