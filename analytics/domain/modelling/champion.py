"""Whether a challenger is clearly better than the champion on the same rows of both tests."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.evaluation import Estimate, auc_difference, calibration
from analytics.domain.modelling.stability import ACTED_ON_FROM, FrozenBins

Floats = npt.NDArray[np.float64]
# Less than this in AUC is not worth a model that is harder to read.
_MIN_GAIN = 0.01
_SLOPE = (0.9, 1.1)


class ChampionReason(StrEnum):
    """What keeps a champion, or why it goes."""

    NOT_CLEARLY_BETTER = "not_clearly_better"
    BADLY_CALIBRATED = "badly_calibrated"
    UNSTABLE = "unstable"
    CLEARLY_BETTER = "clearly_better"
    NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True, slots=True)
class ChampionChoice:
    """The outcome of a comparison.

    Attributes:
        gain: AUC of the challenger less that of the champion, paired; of models of uplift the Qini
            area, in extra outcomes for 1,000 treated people. None where they cannot be compared.
        reasons: All that keeps the champion; `clearly_better` alone where it goes.
    """

    gain: Estimate | None
    reasons: tuple[ChampionReason, ...]

    @property
    def is_replaced(self) -> bool:
        """Return whether the challenger becomes champion."""
        return self.reasons == (ChampionReason.CLEARLY_BETTER,)

    def to_json(self) -> dict[str, Any]:
        """Return all of it."""
        return {
            "gain": self.gain.to_json() if self.gain else None,
            "reasons": [reason.value for reason in self.reasons],
            "is_replaced": self.is_replaced,
        }


# There are too few rows that neither learned from.
NOT_COMPARABLE = ChampionChoice(None, (ChampionReason.NOT_COMPARABLE,))


@dataclass(frozen=True, slots=True)
class Contender:
    """A model in a comparison: its probabilities and points of the same test rows.

    Attributes:
        bins: Points of its training part; None where they were not kept.
    """

    probability: Floats
    points: Floats
    bins: FrozenBins | None = None


def choose_champion(
    outcome: npt.NDArray[Any], champion: Contender, challenger: Contender
) -> ChampionChoice:
    """Return who is champion, by rows that neither learned from: best those after both trainings.

    The champion stays unless the whole interval of the gain in AUC is above 0 and the gain is at
    least .01, the challenger's probabilities hold (a slope of .9 to 1.1, or not told apart from 1,
    and no worse covered deciles), and its score did not move since its training.

    Raises:
        OneOutcomeError: There are no events or no non-events.
    """
    gain = auc_difference(outcome, challenger.probability, champion.probability)
    kept = []
    if not is_above_zero(gain) or gain.value < _MIN_GAIN:
        kept.append(ChampionReason.NOT_CLEARLY_BETTER)
    if not _holds(outcome, challenger.probability, champion.probability):
        kept.append(ChampionReason.BADLY_CALIBRATED)
    if challenger.bins and challenger.bins.index(challenger.points).value >= ACTED_ON_FROM:
        kept.append(ChampionReason.UNSTABLE)
    return ChampionChoice(gain, tuple(kept) or (ChampionReason.CLEARLY_BETTER,))


def is_above_zero(gain: Estimate) -> bool:
    """Return whether the whole interval of a gain is above 0."""
    return gain.low > 0


def is_about_one(slope: Estimate, bounds: tuple[float, float] = _SLOPE) -> bool:
    """Return whether a slope of predictions is near 1, or not told apart from it."""
    return bounds[0] <= slope.value <= bounds[1] or slope.low <= 1 <= slope.high


def _holds(outcome: npt.NDArray[Any], challenger: Floats, champion: Floats) -> bool:
    found, before = calibration(outcome, challenger), calibration(outcome, champion)
    if not is_about_one(found.slope):
        return False
    missed, missed_before = (
        sum(not each.is_covered for each in of.deciles) for of in (found, before)
    )
    return missed <= max(missed_before, 1)
