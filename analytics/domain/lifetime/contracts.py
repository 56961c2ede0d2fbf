"""How long contracts last beyond what was seen, and what they are worth: shifted beta-geometric.

Source of the sBG: Fader, Hardie 2007, How to Project Customer Retention, Journal of Interactive
Marketing 21:76. At the end of every period a customer stays with a probability that is one minus a
Beta(α, β) draw of their own.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from analytics.domain.lifetime.hazards import HazardTable, RetentionCountsError

Point: TypeAlias = tuple[float, float]
_LOWEST, _HIGHEST = -10.0, 12.0
# Hazards of fewer contracts are chance: from there on the fitted retention is believed instead.
LEAST_AT_RISK = 20
_STARTS = ((0.0, 0.0), (-0.7, 1.4), (1.6, 3.0))
_NEGLIGIBLE = 1e-9
# So near a bound, the fit ended there.
_MARGIN = 0.01


class NobodyLeftError(ValueError):
    """Nobody left, or those who do not leave at once never will: there is no rate of leaving."""


@dataclass(frozen=True, slots=True)
class ShiftedBetaGeometric:
    """A fitted retention; periods are those of the counts."""

    alpha: float
    beta: float
    log_likelihood: float

    @property
    def is_constant(self) -> bool:
        """Return whether contracts are alike, or leave the more the older they are.

        Then the fit ends where the parameters are largest: everybody leaves at one constant rate.
        """
        return max(self.alpha, self.beta) >= math.exp(_HIGHEST - _MARGIN)

    def survival(self, period: int) -> float:
        """Return the share of customers left after so many periods."""
        return math.prod(self.retention(each) for each in range(1, period + 1))

    def retention(self, period: int) -> float:
        """Return the share of those left after `period` − 1 periods who are left after `period`."""
        return (self.beta + period - 1) / (self.alpha + self.beta + period - 1)

    def residual_value(self, *, age: int, margin: float, discount: float) -> float:
        """Return the value of a customer who has stayed `age` periods and is about to renew.

        Args:
            margin: Of one period, from the next one on.
            discount: Of one period, above 0.

        Source: Fader, Hardie 2010, Customer-Base Valuation in a Contractual Setting, equation 6,
        summed until what follows is less than a billionth.
        """
        value, alive, factor, period = 0.0, 1.0, 1.0, age
        while True:
            alive *= self.retention(period)
            value += margin * alive * factor
            # All that follows is at most this, were nobody to leave any more.
            if alive * factor <= _NEGLIGIBLE * discount * max(value / margin if margin else 1, 1):
                return value
            factor /= 1 + discount
            period += 1


def sbg_log_likelihood(table: HazardTable, *, alpha: float, beta: float) -> float:
    """Return the log-likelihood of contracts, of which those that still run are known to last.

    Of a period's contracts α / (α + β + t − 1) end: the product over the periods of a contract is
    P(T = t), or S(t) while it runs, of the paper.
    """
    found = 0.0
    for cell in table.cells:
        stay = beta + cell.period - 1
        whole = math.log(alpha + stay)
        found += cell.ended * (math.log(alpha) - whole)
        found += (cell.at_risk - cell.ended) * (math.log(stay) - whole)
    return found


def fit_sbg(table: HazardTable) -> ShiftedBetaGeometric:
    """Return the retention of the greatest likelihood.

    Raises:
        RetentionCountsError: There are fewer than two periods.
        NobodyLeftError: Nobody left, or those who do not leave at once never will.
    """
    if len(table.cells) < 2:
        raise RetentionCountsError
    if not any(cell.ended for cell in table.cells):
        raise NobodyLeftError
    contracts = table.cells[0].at_risk

    def loss(logs: Point) -> float:
        if not all(_LOWEST <= each <= _HIGHEST for each in logs):
            return math.inf
        alpha, beta = map(math.exp, logs)
        return -sbg_log_likelihood(table, alpha=alpha, beta=beta) / contracts

    best = min((_lowest(loss, start) for start in _STARTS), key=loss)
    if any(each - _LOWEST < _MARGIN for each in best):
        raise NobodyLeftError
    alpha, beta = map(math.exp, best)
    return ShiftedBetaGeometric(alpha, beta, -loss(best) * contracts)


def _lowest(loss: Callable[[Point], float], start: Point, *, most: int = 2_000) -> Point:
    """Return where a function of two numbers is lowest, from a start on.

    Source: Nelder, Mead 1965, The Computer Journal 7:308, with its usual coefficients. Two numbers
    need no library, and so a page can fit them.
    """
    x, y = start
    corners = sorted(((x, y), (x + 0.5, y), (x, y + 0.5)), key=loss)
    for _step in range(most):
        good, other, bad = corners
        if max(abs(a - b) for each in (other, bad) for a, b in zip(good, each, strict=True)) < 1e-9:
            break
        middle = ((good[0] + other[0]) / 2, (good[1] + other[1]) / 2)

        def along(share: float, middle: Point = middle, bad: Point = bad) -> Point:
            return (
                middle[0] + share * (middle[0] - bad[0]),
                middle[1] + share * (middle[1] - bad[1]),
            )

        tried = along(1.0)
        if loss(tried) < loss(good):
            tried = min(tried, along(2.0), key=loss)
        elif loss(tried) >= loss(other):
            tried = min(along(0.5), along(-0.5), key=loss)
        if loss(tried) < loss(bad):
            corners = sorted((good, other, tried), key=loss)
        else:
            nearer = [((good[0] + c[0]) / 2, (good[1] + c[1]) / 2) for c in (other, bad)]
            corners = sorted((good, *nearer), key=loss)
    return corners[0]


def contract_value(
    table: HazardTable,
    model: ShiftedBetaGeometric,
    *,
    age: int,
    margin: float,
    discount: float,
    least: int = LEAST_AT_RISK,
) -> float:
    """Return what a contract that has run for `age` periods is worth, without what it has earned.

        V(a) = m · Σ_{t=a+1..L} S(t) / S(a) / (1 + d)^(t − a)
               + S(L) / S(a) · R(L + 1) / (1 + d)^(L + 1 − a)

    with survival off the hazards up to L, the last period of which `least` contracts tell, and
    beyond it the residual value R of the fitted retention.

    Args:
        margin: Of one period, earned at its end by who stays.
        discount: Of one period, above 0.
    """
    known = table.known_until(least)
    alive, value, factor = 1.0, 0.0, 1.0
    for cell in table.cells[age:known]:
        alive *= 1 - cell.ended / cell.at_risk
        factor /= 1 + discount
        value += margin * alive * factor
    beyond = model.residual_value(age=max(age, known) + 1, margin=margin, discount=discount)
    return value + alive * factor / (1 + discount) * beyond
