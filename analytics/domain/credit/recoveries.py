"""Loss given default from what came in after defaults, the cases that are still open included.

Workout method: recoveries are discounted to the day of default. A case that is not resolved has
been seen for some months only, and is kept for those (censored); of the balance that was still
unrecovered at the beginning of a month, of all cases that were seen through it, the share that came
in during it is the month's recovery rate r_m. What is never recovered is

    LGD = Π_m (1 − r_m)

as survival is the product of 1 − hazard (Kaplan and Meier 1958), with balances in place of persons.
Throwing open cases away would leave the quick recoveries and look too good; counting them as ended
would look too bad.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from customers.domain.loans.instalments import months_between

HORIZON_MONTHS = 36
LEAST_CASES = 30
LEAST_MONTHS = 6
_DRAWS = 500
_MONTHS_A_YEAR = 12
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DefaultCase:
    """One loan from its default on.

    Attributes:
        exposure: Principal owed on the day of default, more than zero.
        annual_rate: Rate by which recoveries are discounted.
        recoveries: Day and amount of each; reversals are negative.
        resolved_date: The day it was settled or closed: nothing more is to come. None while open.
    """

    defaulted_date: date
    exposure: float
    annual_rate: float
    recoveries: Sequence[tuple[date, float]]
    resolved_date: date | None = None


@dataclass(frozen=True, slots=True)
class LossGivenDefault:
    """An estimate with its 95 % interval.

    Attributes:
        case_count: All cases; `open_count` of them are not resolved.
        months: Months since default that the estimate rests on; what comes in later is not in it.
        curve: Share not recovered by the end of each month.
    """

    value: float
    low: float
    high: float
    case_count: int
    open_count: int
    months: int
    curve: tuple[float, ...]


def loss_given_default(
    cases: Sequence[DefaultCase],
    *,
    as_of: date,
    horizon_months: int = HORIZON_MONTHS,
    least_cases: int = LEAST_CASES,
    seed: int = 0,
) -> LossGivenDefault | None:
    """Return the share of the exposure that is lost, or None where there are too few cases.

    A month counts while at least `least_cases` cases were seen through it; with fewer than
    `LEAST_MONTHS` such months there is no estimate. Interval: percentiles of 500 draws of whole
    cases with replacement.
    """
    if len(cases) < least_cases:
        return None
    exposures = np.array([case.exposure for case in cases])
    recovered = np.zeros((len(cases), horizon_months))
    seen = np.zeros((len(cases), horizon_months))
    for at, case in enumerate(cases):
        _note(case, as_of, recovered[at], seen[at])
    months = int((seen.sum(axis=0) >= least_cases).sum())
    if months < LEAST_MONTHS:
        return None
    recovered, seen = recovered[:, :months], seen[:, :months]
    once = np.ones((1, len(cases)))
    curve = _unrecovered(exposures, recovered, seen, once)[0]
    draws = np.random.default_rng(seed).multinomial(
        len(cases), np.full(len(cases), 1 / len(cases)), size=_DRAWS
    )
    ends = _unrecovered(exposures, recovered, seen, draws.astype(float))[:, -1]
    low, high = np.percentile(ends, [2.5, 97.5])
    return LossGivenDefault(
        value=float(curve[-1]),
        low=float(low),
        high=float(high),
        case_count=len(cases),
        open_count=sum(case.resolved_date is None for case in cases),
        months=months,
        curve=tuple(map(float, curve)),
    )


def _note(case: DefaultCase, as_of: date, recovered: Values, seen: Values) -> None:
    """Write one case into its rows: what came in by month since default, and the months seen."""
    horizon = len(recovered)
    whole = months_between(case.defaulted_date, as_of)
    is_resolved = case.resolved_date is not None and case.resolved_date <= as_of
    seen[: horizon if is_resolved else min(whole, horizon)] = 1
    for day, amount in case.recoveries:
        month = months_between(case.defaulted_date, day)
        if day >= case.defaulted_date and month < horizon and seen[month]:
            years = (day - case.defaulted_date).days / 365
            recovered[month] += amount / (1 + case.annual_rate) ** years


def _unrecovered(exposures: Values, recovered: Values, seen: Values, weights: Values) -> Values:
    """Return the share not recovered by the end of each month, a row for each row of weights."""
    before = exposures[:, None] - np.cumsum(recovered, axis=1) + recovered
    came_in = weights @ (recovered * seen)
    stood = weights @ (np.maximum(before, 0) * seen)
    rates = np.divide(came_in, stood, out=np.zeros_like(came_in), where=stood > 0)
    shares: Values = np.cumprod(1 - np.clip(rates, 0, 1), axis=1)
    return shares
