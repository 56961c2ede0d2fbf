"""Whether one model of uplift is clearly better than another on the same people of neither."""

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.champion import (
    NOT_COMPARABLE,
    ChampionChoice,
    ChampionReason,
    is_about_one,
    is_above_zero,
)
from analytics.domain.modelling.estimates import Estimate
from analytics.domain.modelling.stability import ACTED_ON_FROM
from analytics.domain.uplift.calibration import best_linear_predictor
from analytics.domain.uplift.ranking import RankedPeople, qini_gain, rank
from analytics.domain.uplift.trained import TrainedUplift
from analytics.domain.uplift.trial import Trial

_FEWEST_IN_A_CELL = 2
# Uplift is the difference of two rates: its slope is known less well than that of a probability.
_SLOPE = (0.8, 1.25)
_CELLS = 4


def choose_uplift_champion(
    trial: Trial, champion: TrainedUplift, challenger: TrainedUplift, *, seed: int
) -> ChampionChoice:
    """Return who is champion, by people whom neither learned from.

    The champion stays unless the whole interval of the gain in Qini area is above 0, the uplift
    that came is in proportion to the challenger's (a slope of .8 to 1.25, or not told apart from
    1), and its score did not move since its training.

    Args:
        trial: With the columns of both.
        seed: Of the resampling.
    """
    if np.bincount(trial.cells, minlength=_CELLS).min() < _FEWEST_IN_A_CELL:
        return NOT_COMPARABLE
    said = challenger.uplift(trial.table)
    found = qini_gain(_ranked(trial, said), _ranked(trial, champion.uplift(trial.table)), seed=seed)
    if found.value is None or found.low is None or found.high is None:
        return NOT_COMPARABLE
    gain = Estimate(found.value, found.low, found.high)
    kept = [] if is_above_zero(gain) else [ChampionReason.NOT_CLEARLY_BETTER]
    slope = best_linear_predictor(
        outcome=trial.outcome,
        treated=trial.treated,
        scores=said,
        untreated=challenger.untreated(trial.table),
    ).heterogeneity
    if slope is None or not is_about_one(Estimate(slope.value, slope.low, slope.high), _SLOPE):
        kept.append(ChampionReason.BADLY_CALIBRATED)
    if challenger.score_bins.index(said).value >= ACTED_ON_FROM:
        kept.append(ChampionReason.UNSTABLE)
    return ChampionChoice(gain, tuple(kept) or (ChampionReason.CLEARLY_BETTER,))


def _ranked(trial: Trial, said: npt.NDArray[np.float64]) -> RankedPeople:
    return rank(said, treated=trial.treated, outcome=trial.outcome, ids=trial.table.customer_ids)
