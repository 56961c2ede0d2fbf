"""How many contracts end in each period, read off contracts of which some still run.

Source: Kaplan, Meier 1958, JASA 53:457. Needs no numeric library: a page shows it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from analytics.domain.rates import Proportion, wilson


class RetentionCountsError(ValueError):
    """A contract ended before its first period, or there are too few periods."""


@dataclass(frozen=True, slots=True)
class HazardCell:
    """The contracts at risk in one period, and how many ended in it."""

    period: int
    at_risk: int
    ended: int
    hazard: Proportion


@dataclass(frozen=True, slots=True)
class HazardTable:
    """Hazards by period; survival is the product of what is left of one in each (Kaplan-Meier)."""

    cells: tuple[HazardCell, ...]

    def survival(self, period: int) -> float | None:
        """Return the share left after so many periods; None beyond what anybody was seen for."""
        if period > len(self.cells):
            return None
        found = 1.0
        for cell in self.cells[:period]:
            found *= 1 - cell.ended / cell.at_risk
        return found

    def known_until(self, least: int) -> int:
        """Return the last period of which at least so many contracts tell."""
        return sum(cell.at_risk >= least for cell in self.cells)


def contract_hazards(contracts: Iterable[tuple[int, bool, int]]) -> HazardTable:
    """Return the hazards of contracts of which some still run.

    Args:
        contracts: (periods seen, whether the contracts ended in the last of them, how many); what
            still runs was at risk in the periods it was seen for, and counts in none after.

    Raises:
        RetentionCountsError: A contract was seen for fewer than 0 periods, or ended in period 0.
    """
    ended: Counter[int] = Counter()
    seen: Counter[int] = Counter()
    for periods, is_ended, count in contracts:
        if periods < (1 if is_ended else 0):
            raise RetentionCountsError
        seen[periods] += count
        ended[periods] += count if is_ended else 0
    cells = []
    at_risk = seen.total() - seen[0]
    for period in range(1, max(seen, default=0) + 1):
        share = wilson(ended[period], at_risk)
        cells.append(HazardCell(period, at_risk, ended[period], share))
        at_risk -= seen[period]
    return HazardTable(tuple(cells))
