"""Prices of the caps: the Lagrangian dual of the choice, whose every value bounds the profit.

With a price on each cap the choice falls apart into people: each takes the option of the largest
value less the prices of what it uses, or none. The prices that make the bound lowest are looked
for by cutting planes inside a box that moves with the best point (Marsten, Hogan, Blankenship 1975,
"The boxstep method"). Prices are in CNY for a whole cap, so that they are of one size.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.domain.targeting.problem import ChoiceProblem, Floats

_BLOCK = 100_000
_ENOUGH = 0.1
_CUTS_KEPT = 150
_NARROWER = 0.8


@dataclass(frozen=True, slots=True)
class PricedPeople:
    """What everybody takes at some prices.

    Attributes:
        option: The best option of each person, whether worth it or not.
        reduced: Its value less the prices of what it uses; nobody takes what is not above zero.
    """

    option: npt.NDArray[np.int16]
    reduced: Floats


class Prices:
    """The places of all prices in one vector: amounts, people, shares, then ceilings and floors."""

    def __init__(self, problem: ChoiceProblem) -> None:
        """Lay out the prices of a problem's caps."""
        self.problem = problem
        self.amounts = len(problem.amounts)
        self.people = self.amounts + len(problem.people)
        self.shares = self.people + len(problem.shares)
        self.ratio_at: list[int] = []
        at = self.shares
        for floor in problem.ratios:
            self.ratio_at.append(at)
            at += 2 * len(floor.sizes)
        self.count = at

    def person_price(self, prices: Floats, rows: slice) -> Floats | None:
        """Return what choosing each person costs whatever the option; None where nothing does."""
        problem, found = self.problem, None
        for k, share in enumerate(problem.shares):
            price = prices[self.people + k] / max(len(problem.ids), 1)
            if price:
                part = price * (share.is_member[rows] - float(share.share))
                found = part if found is None else found + part
        for floor, at in zip(problem.ratios, self.ratio_at, strict=True):
            size = len(floor.sizes)
            ceilings, floors = prices[at : at + size], prices[at + size : at + 2 * size]
            if not (ceilings.any() or floors.any()):
                continue
            of_group = (ceilings - floors) / np.maximum(np.array(floor.sizes, dtype=float), 1e-9)
            part = np.append(of_group, 0.0)[floor.codes[rows]]
            found = part if found is None else found + part
        return found

    def reduced(self, prices: Floats, rows: slice) -> Floats:
        """Return the values of some people less the prices, people x options."""
        problem = self.problem
        value = problem.value[rows].copy()
        for k, amount in enumerate(problem.amounts):
            if prices[k]:
                value -= amount.use[rows] * (prices[k] / max(amount.cap, 1))
        for k, cap in enumerate(problem.people):
            price = prices[self.amounts + k]
            if price:
                value[:, list(cap.options)] -= price / max(cap.cap, 1)
        person = self.person_price(prices, rows)
        if person is not None:
            value -= person[:, None]
        return value

    def best(self, prices: Floats) -> PricedPeople:
        """Return what everybody takes at these prices; the first of equal options."""
        n, _m = self.problem.shape
        option, reduced = np.zeros(n, dtype=np.int16), np.zeros(n)
        for start in range(0, n, _BLOCK):
            rows = slice(start, min(n, start + _BLOCK))
            value = self.reduced(prices, rows)
            at = value.argmax(axis=1)
            option[rows] = at
            reduced[rows] = value[np.arange(len(at)), at]
        return PricedPeople(option, reduced)

    def use(self, taken: PricedPeople) -> Floats:
        """Return how much of each cap these people use, as a share of it."""
        problem = self.problem
        is_in = taken.reduced > 0
        rows = np.flatnonzero(is_in)
        options = taken.option[rows]
        found = np.zeros(self.count)
        for k, amount in enumerate(problem.amounts):
            found[k] = float(amount.use[rows, options].sum()) / max(amount.cap, 1)
        by_option = np.bincount(options, minlength=problem.shape[1])
        for k, cap in enumerate(problem.people):
            found[self.amounts + k] = by_option[list(cap.options)].sum() / max(cap.cap, 1)
        for k, share in enumerate(problem.shares):
            over = float(share.is_member[rows].sum()) - float(share.share) * len(rows)
            found[self.people + k] = over / max(len(problem.ids), 1)
        for floor, at in zip(problem.ratios, self.ratio_at, strict=True):
            size, codes = len(floor.sizes), floor.codes[rows]
            counts = np.bincount(codes[codes >= 0], minlength=size)
            rates = counts / np.maximum(np.array(floor.sizes, dtype=float), 1e-9)
            found[at : at + size] = rates
            found[at + size : at + 2 * size] = -rates
        return found

    def constant(self, prices: Floats) -> float:
        """Return the part of the bound that is of the caps alone."""
        total = float(prices[: self.people].sum())
        return total + sum(max(0.0, float(row @ prices)) for row in self.ratio_rows())

    def ratio_rows(self) -> list[Floats]:
        """Return, for each floor, the weights of its prices: the common rate is free in 0 to 1."""
        rows = []
        for floor, at in zip(self.problem.ratios, self.ratio_at, strict=True):
            size, row = len(floor.sizes), np.zeros(self.count)
            row[at : at + size] = 1.0
            row[at + size : at + 2 * size] = -float(floor.ratio)
            rows.append(row)
        return rows


@dataclass(frozen=True, slots=True)
class PricePoint:
    """Prices with the bound that they give, and how far it may still fall.

    Attributes:
        bound: No choice within the caps brings more.
        slack: By how much, at most, better prices lower the bound; inside the last box.
    """

    prices: Floats
    bound: float
    slack: float


def lower_bound(
    problem: ChoiceProblem,
    *,
    start: Floats | None = None,
    radius: float = 0.2,
    rounds: int = 150,
    tolerance: float = 1e-6,
    on_round: Callable[[], object] = lambda: None,
) -> PricePoint:
    """Return prices whose bound is as low as they make it.

    Args:
        start: Prices to begin at; none is zero.
        radius: Half the side of the first box, as a share of the profit without caps.
        rounds: Most evaluations.
        tolerance: Ends where the bound cannot fall by more than this share of itself.
    """
    layout = Prices(problem)
    centre = np.zeros(layout.count) if start is None else np.maximum(start, 0.0)
    value, slope = _people_part(layout, centre)
    bound = value + layout.constant(centre)
    if not layout.count or bound <= 0:
        return PricePoint(centre, bound, 0.0)
    free = value if start is None else _people_part(layout, np.zeros(layout.count))[0]
    side, cuts, slack = radius * free, [(centre, value, slope)], bound
    for _round in range(rounds):
        on_round()
        found = _master(layout, cuts, centre, side, free)
        if found is None:
            break
        trial, model = found
        slack = max(0.0, bound - model)
        is_at_wall = bool(np.any(np.abs(trial - centre) >= 0.999 * side))
        if slack <= tolerance * abs(bound):
            if not is_at_wall or side >= free:
                break
            # Flat here, but the box is what keeps it from falling.
            side *= 8.0
            continue
        value, slope = _people_part(layout, trial)
        cuts = [*cuts[-_CUTS_KEPT:], (trial, value, slope)]
        at_trial = value + layout.constant(trial)
        if bound - at_trial >= _ENOUGH * slack:
            centre, bound = trial, at_trial
            side *= 2.0 if is_at_wall else 1.0
        else:
            if at_trial < bound:
                centre, bound = trial, at_trial
            side *= _NARROWER
    return PricePoint(centre, bound, slack)


def _people_part(layout: Prices, prices: Floats) -> tuple[float, Floats]:
    taken = layout.best(prices)
    return float(np.maximum(taken.reduced, 0.0).sum()), -layout.use(taken)


def _master(
    layout: Prices,
    cuts: list[tuple[Floats, float, Floats]],
    centre: Floats,
    side: float,
    scale: float,
) -> tuple[Floats, float] | None:
    """Return the lowest point of all cuts in the box, and the model's bound there."""
    # Workers alone solve; a web process that shows results need not load it.
    from scipy.optimize import linprog  # noqa: PLC0415

    rows = layout.ratio_rows()
    k, w = layout.count, len(rows)
    # Prices, then one rest for each floor, then the people's part; all in shares of the scale.
    cost = np.concatenate([np.zeros(k), np.ones(w), [1.0]])
    cost[: layout.people] = 1.0
    left = np.zeros((len(cuts) + w, k + w + 1))
    right = np.zeros(len(cuts) + w)
    for i, (at, value, slope) in enumerate(cuts):
        left[i, :k], left[i, -1] = slope, -1.0
        right[i] = (float(slope @ at) - value) / scale
    for i, row in enumerate(rows):
        left[len(cuts) + i, :k], left[len(cuts) + i, k + i] = row, -1.0
    box = [(max(0.0, (c - side) / scale), (c + side) / scale) for c in centre]
    answer = linprog(cost, A_ub=left, b_ub=right, bounds=[*box, *[(0, None)] * w, (0, None)])
    if answer.status != 0:
        return None
    return np.maximum(answer.x[:k], 0.0) * scale, float(answer.fun) * scale
