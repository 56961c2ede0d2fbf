"""What the default rate would be had the declined been lent to: a sensitivity, no headline.

Outcomes are known of the accepted only, who were chosen for being good. Two assumptions show how
far that may mislead. Augmentation: within a band of the score the declined default as the accepted
do, so each accepted stands for 1 ÷ acceptance rate of the band. Parcelling: within a band the
declined default at a multiple of the accepted's rate.

Source: Siddiqi, Credit Risk Scorecards, chapter 6; Crook and Banasik 2004 (neither adds knowledge
that the outcomes do not hold, which is why no headline rests on them).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.evaluation import ScoreCounts, area_of, largest_gap

FACTORS = (1.0, 1.5, 2.0, 3.0)
_BANDS = 10
Vector = npt.NDArray[np.float64]


class RejectMethod(StrEnum):
    """How the declined are taken into account."""

    ACCEPTED_ONLY = "accepted_only"
    AUGMENTATION = "augmentation"
    PARCELLING = "parcelling"


@dataclass(frozen=True, slots=True)
class SeparationFigure:
    """Default rate, and how well the score separates, under one assumption.

    Attributes:
        factor: Default rate of the declined ÷ that of the accepted of the same band.
        auc: Chance that a defaulter was given the higher risk; None where all or none default.
        ks: Largest distance between the distributions of both.
    """

    method: RejectMethod
    factor: float
    default_rate: float
    auc: float | None
    ks: float | None


@dataclass(frozen=True, slots=True)
class RejectSensitivity:
    """The accepted-only figure and what stands beside it wherever there are declined applications.

    Attributes:
        without_support_count: Declined whose band has no accepted; they take the rate of the
            nearest band that has, and no method knows better.
    """

    accepted_count: int
    declined_count: int
    headline: SeparationFigure
    alternatives: tuple[SeparationFigure, ...]
    without_support_count: int = 0

    def __post_init__(self) -> None:
        if self.declined_count and not self.alternatives:
            raise ValueError("accepted-only figures are not shown alone where some were declined")


def reject_sensitivity(
    *,
    accepted: Sequence[float],
    accepted_bad: Sequence[int],
    declined: Sequence[float],
    factors: Sequence[float] = FACTORS,
) -> RejectSensitivity:
    """Return the figures of the accepted, and what they become under each assumption.

    Args:
        accepted: Risk by the score of each accepted application, higher is worse.
        accepted_bad: 1 where the loan defaulted, else 0.
        declined: Risk of each declined application.
        factors: Multiples for parcelling.

    Raises:
        ValueError: Nobody was accepted, or outcomes and risks differ in number.
    """
    risk, bad = np.asarray(accepted, float), np.asarray(accepted_bad, float)
    refused = np.asarray(declined, float)
    if not len(risk) or len(risk) != len(bad):
        raise ValueError("there are accepted applications, and an outcome for each")
    headline = _figure(RejectMethod.ACCEPTED_ONLY, 1.0, risk, bad, 1 - bad)
    if not len(refused):
        return RejectSensitivity(len(risk), 0, headline, ())
    everybody = np.concatenate([risk, refused])
    edges = np.unique(np.quantile(everybody, np.linspace(0, 1, _BANDS + 1)[1:-1]))
    of_accepted, of_refused = np.searchsorted(edges, risk), np.searchsorted(edges, refused)
    size = len(edges) + 1
    counts = np.bincount(of_accepted, minlength=size)
    bads = np.bincount(of_accepted, weights=bad, minlength=size).astype(np.float64)
    lost = np.bincount(of_refused, minlength=size)
    weights = ((counts + lost) / np.maximum(counts, 1))[of_accepted]
    figures = [_figure(RejectMethod.AUGMENTATION, 1.0, risk, bad * weights, (1 - bad) * weights)]
    rates = _rates(counts, bads)
    for factor in factors:
        chance = np.clip(rates[of_refused] * factor, 0, 1)
        figures.append(
            _figure(
                RejectMethod.PARCELLING,
                factor,
                everybody,
                np.concatenate([bad, chance]),
                np.concatenate([1 - bad, 1 - chance]),
            )
        )
    return RejectSensitivity(
        len(risk), len(refused), headline, tuple(figures), int(lost[counts == 0].sum())
    )


def _rates(counts: npt.NDArray[np.int_], bads: Vector) -> Vector:
    """Return the default rate of each band; that of the nearest one where nobody was accepted."""
    known = np.flatnonzero(counts)
    nearest = known[np.abs(known[None, :] - np.arange(len(counts))[:, None]).argmin(axis=1)]
    rates: Vector = bads[nearest] / counts[nearest]
    return rates


def _figure(
    method: RejectMethod, factor: float, risk: Vector, bad: Vector, good: Vector
) -> SeparationFigure:
    rate = float(bad.sum() / (bad.sum() + good.sum()))
    if bad.sum() <= 0 or good.sum() <= 0:
        return SeparationFigure(method, factor, rate, None, None)
    scores, at = np.unique(risk, return_inverse=True)
    counted = ScoreCounts(
        scores,
        np.bincount(at, weights=bad).astype(np.float64),
        np.bincount(at, weights=good).astype(np.float64),
    )
    return SeparationFigure(method, factor, rate, area_of(counted), largest_gap(counted))
