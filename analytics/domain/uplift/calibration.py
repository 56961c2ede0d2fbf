"""Whether predicted uplift is there: by groups of the ranking, and by a best linear predictor."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from analytics.domain.rates import RateDifference
from analytics.domain.uplift.ranking import RankedPeople, difference
from analytics.domain.uplift.trial import Flags

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class UpliftBand:
    """One group of the ranking, the highest scores first.

    Attributes:
        predicted: Mean score.
        observed: Rate of the treated minus rate of the others, with its interval.
    """

    people: int
    treated: int
    predicted: float
    observed: RateDifference

    @property
    def is_covered(self) -> bool | None:
        """Return whether the interval holds what was predicted; None without an interval."""
        if self.observed.low is None or self.observed.high is None:
            return None
        return self.observed.low <= self.predicted <= self.observed.high


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient with its interval."""

    value: float
    error: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class LinearPredictor:
    """The best linear predictor of uplift by a score.

    Attributes:
        average: The average uplift.
        heterogeneity: By how much uplift differs where the score does: 1 where the score is right,
            0 where it says nothing; None where the score is the same for all.
    """

    average: Coefficient
    heterogeneity: Coefficient | None


def bands(people: RankedPeople, scores: Floats, *, count: int = 10) -> tuple[UpliftBand, ...]:
    """Return groups of equal size along the ranking, fewer where there are fewer people.

    Args:
        scores: In the people's own order, not ranked.
    """
    found = []
    for rows in np.array_split(np.arange(len(people.order)), min(count, len(people.order))):
        treated, outcome = people.treated[rows], people.outcome[rows]
        found.append(
            UpliftBand(
                people=rows.size,
                treated=int(treated.sum()),
                predicted=float(scores[people.order[rows]].mean()),
                observed=difference(treated, outcome),
            )
        )
    return tuple(found)


def best_linear_predictor(
    *, outcome: Flags, treated: Flags, scores: Floats, untreated: Floats, confidence: float = 0.95
) -> LinearPredictor:
    """Return how uplift depends on a score learned from other people.

    Regresses the outcome on 1, the expected outcome without the treatment, (T − p) and
    (T − p)·(S − mean S), with p the share of the treated, by least squares with HC3 errors. As p is
    the same for all, the weights 1 / (p·(1 − p)) of the source change nothing.

    Args:
        scores: S, the predicted uplift.
        untreated: The expected outcome without the treatment.

    Source: Chernozhukov, Demirer, Duflo, Fernández-Val 2018, NBER 24678, section 3.1; HC3:
        MacKinnon, White 1985, Journal of Econometrics 29:305.
    """
    centred = treated - treated.mean()
    varied = scores - scores.mean()
    columns = [centred, np.ones(len(outcome))]
    if float(untreated.std()) > 1e-12:
        columns.append(untreated - untreated.mean())
    is_varied = float(varied.std()) > 1e-12
    if is_varied:
        columns.insert(1, centred * varied)
    design = np.column_stack(columns)
    # Scaled to mean square 1: scores are small, and their squares would drown in rounding.
    scale = np.sqrt((design**2).mean(axis=0))
    design = design / scale
    inverse = np.linalg.inv(design.T @ design)
    found = inverse @ (design.T @ outcome)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    residual = (outcome - design @ found) / np.maximum(1 - leverage, 1e-6)
    meat = (design * residual[:, None] ** 2).T @ design
    errors = np.sqrt(np.diag(inverse @ meat @ inverse)) / scale
    values = found / scale
    given = [
        _coefficient(float(v), float(e), confidence) for v, e in zip(values, errors, strict=True)
    ]
    return LinearPredictor(given[0], given[1] if is_varied else None)


def _coefficient(value: float, error: float, confidence: float) -> Coefficient:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    tail = 2 * NormalDist().cdf(-abs(value) / error) if error > 0 else float(value == 0)
    return Coefficient(value, error, value - z * error, value + z * error, tail)
