"""How many borrowers leave in each year of their relationship, and what who stays will bring."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analytics.domain.lifetime.contracts import (
    LEAST_AT_RISK,
    NobodyLeftError,
    contract_value,
    fit_sbg,
)
from analytics.domain.lifetime.hazards import RetentionCountsError, contract_hazards
from analytics.domain.rates import Proportion

MONTHS_A_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class RelationshipYear:
    """One year of relationships.

    Attributes:
        left: Who left in it, of those who were seen for the whole of it or left.
        survival: Share of all that is left at its end.
        value: To come from somebody at its beginning, in the unit of the margin; None where nothing
            tells it.
    """

    year: int
    left: Proportion
    survival: float
    value: float | None


def relationship_years(
    spans: Sequence[tuple[int, bool, int]], *, margin: float | None, discount: float
) -> list[RelationshipYear]:
    """Return the years that at least `LEAST_AT_RISK` borrowers tell.

    Values are by months: hazards as far as enough borrowers tell them, an sBG beyond.

    Args:
        spans: (months seen, whether it ended in the last of them, how many).
        margin: A month.
        discount: A year, above 0.
    """
    years = contract_hazards(
        ((months - 1) // MONTHS_A_YEAR + 1, True, count)
        if is_over
        else (months // MONTHS_A_YEAR, False, count)
        for months, is_over, count in spans
    )
    table = contract_hazards(spans)
    try:
        model = fit_sbg(table) if margin is not None else None
    except (NobodyLeftError, RetentionCountsError):
        model = None
    a_month = (1 + discount) ** (1 / MONTHS_A_YEAR) - 1
    found = []
    for cell in years.cells[: years.known_until(LEAST_AT_RISK)]:
        begun = (cell.period - 1) * MONTHS_A_YEAR
        value = None
        if model is not None and margin is not None:
            value = contract_value(table, model, age=begun, margin=margin, discount=a_month)
        found.append(
            RelationshipYear(cell.period, cell.hazard, years.survival(cell.period) or 0.0, value)
        )
    return found
