"""How far chances of default may lie from their estimates, by as few loans as were seen.

Every row of the matrix of rolls is a sample of a multinomial distribution. Rows are drawn from its
posterior by Jeffreys' prior, a Dirichlet distribution with half a loan added to each way out of the
bucket, multiplied as the estimate is, and the middle 95 % of what comes out is the interval.

Source: Jeffreys 1946; Brown, Cai and DasGupta 2001 (of two ways out it is the Jeffreys interval of
a proportion, whose coverage is near the nominal one); Lando and Skødeberg 2002 on matrices.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.credit.month_ends import END_STATES, BookState
from analytics.domain.credit.rolling import RollCell

_WAYS = (BookState.M0, BookState.M1, BookState.M2, BookState.M3)
_BAD = (BookState.M3_PLUS, BookState.CHARGED_OFF)
_HALF = 0.5
_DRAWS = 2000
_SEED = 20
_MIDDLE = (2.5, 97.5)
Interval = tuple[float, float]


def default_ranges(
    cells: Mapping[tuple[BookState, BookState], RollCell],
    *,
    months: int,
    standing: Mapping[BookState, int],
) -> tuple[dict[BookState, Interval], Interval | None]:
    """Return the 95 % interval of each bucket's chance, and of the loans that stand in them.

    Args:
        cells: As `rolling.default_within` reads them.
        standing: Loans in each bucket, by which chances are averaged; without any there is no
            second interval.
    """
    rng = np.random.default_rng(_SEED)
    ends = (*_WAYS, *_BAD, BookState.SETTLED)
    assert set(ends) == set(END_STATES)  # noqa: S101 - a new state needs a place here
    draws = np.stack(
        [
            rng.dirichlet([cells[way, end].loan_count + _HALF for end in ends], size=_DRAWS)
            for way in _WAYS
        ],
        axis=1,
    )
    count = len(_WAYS)
    stays = draws[:, :, :count]
    lost = draws[:, :, count : count + len(_BAD)].sum(axis=2)
    chances = np.zeros((_DRAWS, count))
    for _month in range(months):
        chances = lost + np.einsum("nij,nj->ni", stays, chances)
    found = {way: _middle(chances[:, at]) for at, way in enumerate(_WAYS)}
    weights = np.array([standing.get(way, 0) for way in _WAYS], dtype=float)
    if not weights.sum():
        return found, None
    return found, _middle(chances @ (weights / weights.sum()))


def _middle(values: npt.NDArray[Any]) -> Interval:
    low, high = np.percentile(values, _MIDDLE)
    return float(low), float(high)
