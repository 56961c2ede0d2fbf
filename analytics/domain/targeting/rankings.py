"""What other ways of choosing bring under the same caps: the yardsticks of a targeting."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from analytics.domain.targeting.problem import (
    NOBODY,
    CapUse,
    Choice,
    ChoiceProblem,
    Floats,
    Ints,
    caps_used,
    profit_of,
)
from analytics.domain.targeting.repair import Ledger, fill_in_order, shrink

# Rows of the people in their order, and the option of each.
Order: TypeAlias = tuple[Ints, npt.NDArray[np.int16]]


class Ranking(StrEnum):
    """Ways of choosing."""

    PROFIT = "profit"
    RESPONSE = "response"
    RISK = "risk"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a way of choosing brings.

    Attributes:
        expected_loss: Of those contacted, in CNY.
    """

    ranking: Ranking
    profit: float
    people: int
    expected_loss: float
    caps: tuple[CapUse, ...]
    choice: Choice


def by_response(problem: ChoiceProblem, response: Floats) -> Order:
    """Return everybody, the likeliest response first, each with the option of the likeliest one.

    Args:
        response: Probability of a response, people x options.
    """
    may = np.where(np.isfinite(problem.value), response, -np.inf)
    options = may.argmax(axis=1).astype(np.int16)
    best = may.max(axis=1)
    rows = np.flatnonzero(np.isfinite(best))
    order = rows[np.argsort(-best[rows], kind="stable")]
    return order, options[order]


def by_risk(problem: ChoiceProblem, default: Floats) -> Order:
    """Return everybody, the lowest probability of default first; each gets the first option.

    People without a probability come last.
    """
    may = np.isfinite(problem.value)
    options = may.argmax(axis=1).astype(np.int16)
    rows = np.flatnonzero(may.any(axis=1))
    order = rows[np.argsort(np.nan_to_num(default[rows], nan=np.inf), kind="stable")]
    return order, options[order]


def by_chance(problem: ChoiceProblem, *, seed: int) -> Order:
    """Return everybody in random order, each with a random option of those open to them."""
    rng = np.random.default_rng(seed)
    may = np.isfinite(problem.value)
    options = np.where(may, rng.random(may.shape), -1.0).argmax(axis=1).astype(np.int16)
    order = np.flatnonzero(may.any(axis=1))
    rng.shuffle(order)
    return order, options[order]


def rank(
    ranking: Ranking,
    problem: ChoiceProblem,
    order: Order,
    *,
    loss: Floats,
) -> Ranked:
    """Contact people in an order as far as the caps allow, and tell what it brings.

    Args:
        problem: With the true expected profit of everybody who may be contacted at all: a ranking
            that does not look at it also contacts at a loss.
        loss: Expected loss in CNY, people x options.
    """
    rows, options = order
    ledger = Ledger(problem, np.full(len(problem.ids), NOBODY, dtype=np.int16))
    if problem.shares or problem.ratios:
        # Caps of fairness compare groups of those chosen: choose, take back, and fill up.
        plain = Ledger(replace(problem, shares=(), ratios=()), ledger.choice)
        fill_in_order(plain, rows, options)
        ledger.count()
        place = np.zeros(len(problem.ids))
        place[rows] = np.arange(len(rows), 0, -1)
        shrink(ledger, place)
        is_out = ledger.choice[rows] < 0
        rows, options = rows[is_out], options[is_out]
    fill_in_order(ledger, rows, options)
    return ranked(ranking, problem, ledger.choice, loss=loss)


def ranked(ranking: Ranking, problem: ChoiceProblem, choice: Choice, *, loss: Floats) -> Ranked:
    """Return what a choice brings."""
    at = np.flatnonzero(choice >= 0)
    return Ranked(
        ranking=ranking,
        profit=profit_of(problem.value, choice),
        people=len(at),
        expected_loss=float(loss[at, choice[at]].sum()),
        caps=tuple(caps_used(problem, choice)),
        choice=choice,
    )
