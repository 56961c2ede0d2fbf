"""Small cases to the optimum, by branch and bound (HiGHS); of equal optima the one of lower ids."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.targeting.problem import (
    MICRO,
    NOBODY,
    Choice,
    ChoiceProblem,
    Floats,
    Ints,
    caps_used,
    profit_of,
)

_SAME = 1e-7


@dataclass(frozen=True, slots=True)
class ExactChoice:
    """The optimum, and the bound of the linear relaxation.

    Attributes:
        choice: None where it could not be proved.
    """

    choice: Choice | None
    relaxation: float


def optimum(problem: ChoiceProblem) -> ExactChoice:
    """Return the best choice of a small problem, proved, every cap kept exactly."""
    # Workers alone solve; a web process that shows results need not load it.
    from scipy.optimize import Bounds, LinearConstraint, linprog, milp  # noqa: PLC0415

    n, _m = problem.shape
    rows, options = np.nonzero(np.isfinite(problem.value) & (problem.value > 0))
    value = problem.value[rows, options]
    if not len(rows):
        return ExactChoice(np.full(n, NOBODY, dtype=np.int16), 0.0)
    left, right = _constraints(problem, rows, options)
    size, floors = len(rows), len(problem.ratios)
    cost = np.concatenate([-value, np.zeros(floors)])
    relaxed = linprog(cost, A_ub=left, b_ub=right, bounds=(0, 1))
    relaxation = -float(relaxed.fun) if relaxed.status == 0 else float(value.sum())
    kinds = np.concatenate([np.ones(size), np.zeros(floors)])
    limits = [LinearConstraint(left, -np.inf, right)]
    first = milp(cost, constraints=limits, integrality=kinds, bounds=Bounds(0, 1), options=_GAPLESS)
    if first.status != 0:
        return ExactChoice(None, relaxation)
    best = _read(problem, first.x[:size], rows, options)
    # Once more, for the lowest ids among choices of this value.
    order = np.concatenate([1.0 + np.arange(size), np.zeros(floors)])
    floor = profit_of(problem.value, best) - _SAME
    second = milp(
        order,
        constraints=[*limits, LinearConstraint(-cost[None, :], floor, np.inf)],
        integrality=kinds,
        bounds=Bounds(0, 1),
        options=_GAPLESS,
    )
    if second.status == 0:
        tied = _read(problem, second.x[:size], rows, options)
        if _holds(problem, tied) and profit_of(problem.value, tied) >= floor:
            return ExactChoice(tied, relaxation)
    return ExactChoice(best if _holds(problem, best) else None, relaxation)


_GAPLESS = {"mip_rel_gap": 0.0, "time_limit": 20.0}


def _holds(problem: ChoiceProblem, choice: Choice) -> bool:
    return all(cap.holds for cap in caps_used(problem, choice))


def _read(problem: ChoiceProblem, x: Floats, rows: Ints, options: Ints) -> Choice:
    choice = np.full(problem.shape[0], NOBODY, dtype=np.int16)
    is_in = x > 0.5
    choice[rows[is_in]] = options[is_in]
    return choice


class _CapLines:
    """The caps over the open pairs of person and option, then one common rate for each floor."""

    def __init__(self, size: int, floors: int) -> None:
        self.size, self.width = size, size + floors
        self.left: list[Floats] = []
        self.right: list[float] = []

    def add(
        self, weights: npt.ArrayLike, limit: float, *, at: int = 0, common: float = 0.0
    ) -> None:
        """Add: weights x choice + common x rate number `at` <= limit."""
        line = np.zeros(self.width)
        line[: self.size] = np.asarray(weights, dtype=float)
        if common:
            line[self.size + at] = common
        self.left.append(line)
        self.right.append(limit)


def _constraints(problem: ChoiceProblem, rows: Ints, options: Ints) -> tuple[Any, Floats]:
    """Return the caps over the open pairs of person and option, money in CNY."""
    from scipy.sparse import csr_array, vstack  # noqa: PLC0415

    lines = _CapLines(len(rows), len(problem.ratios))
    for amount in problem.amounts:
        lines.add(amount.use[rows, options] / MICRO, amount.cap / MICRO)
    for cap in problem.people:
        lines.add(np.isin(options, cap.options), cap.cap)
    for share in problem.shares:
        lines.add(share.is_member[rows] - float(share.share), 0.0)
    for at, floor in enumerate(problem.ratios):
        for group, members in enumerate(floor.sizes):
            is_in = (floor.codes[rows] == group).astype(float)
            lines.add(is_in, 0.0, at=at, common=-float(members))
            lines.add(-is_in, 0.0, at=at, common=float(floor.ratio) * members)
    # At most one option a person: her place in a list without gaps.
    used, place = np.unique(rows, return_inverse=True)
    pairs = (np.ones(lines.size), (place, np.arange(lines.size)))
    once = csr_array(pairs, shape=(len(used), lines.width))
    table = vstack([once, csr_array(np.array(lines.left))]) if lines.left else once
    return csr_array(table), np.concatenate([np.ones(len(used)), np.array(lines.right)])
