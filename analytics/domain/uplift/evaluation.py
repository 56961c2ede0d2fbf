"""What an uplift model is worth on people whom it has not seen, and what may be said of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable
from analytics.domain.rates import RateDifference
from analytics.domain.uplift.calibration import (
    LinearPredictor,
    UpliftBand,
    bands,
    best_linear_predictor,
)
from analytics.domain.uplift.ranking import (
    CurvePoint,
    RankingWorth,
    curve_points,
    difference,
    rank,
    uplift_at,
    uplift_at_by_group,
    worth,
)
from analytics.domain.uplift.trial import Flags, Trial
from analytics.domain.uplift.vocabulary import RankingVerdict

SHARES = (0.1, 0.2, 0.3, 0.5)


class UpliftPredictor(Protocol):
    """What tells uplift: a learner's model, or one with all that scoring needs."""

    def uplift(self, table: FeatureTable) -> npt.NDArray[np.float64]:
        """Return by how much the treatment raises each person's chance of the outcome."""
        ...

    def untreated(self, table: FeatureTable) -> npt.NDArray[np.float64]:
        """Return each person's chance of the outcome without the treatment."""
        ...


@dataclass(frozen=True, slots=True)
class SleepingDogs:
    """People whose estimated uplift is negative: writing to them is expected to do harm.

    Attributes:
        share: Of all people.
        observed: Their rate with treatment minus that without, with its interval.
    """

    people: int
    share: float
    observed: RateDifference


@dataclass(frozen=True, slots=True)
class UpliftEvaluation:
    """The worth of a model, measured on `people` whom it has not seen.

    Attributes:
        events: How many did what was hoped for.
        at: By share of all people, the uplift among the best.
        at_by_group: By share, that of the best of the treated against the best of the others, each
            ranked among themselves: near `at` where chance made the groups.
    """

    people: int
    treated: int
    events: int
    average: RateDifference
    worth: RankingWorth
    at: Mapping[float, RateDifference]
    at_by_group: Mapping[float, float | None]
    bands: tuple[UpliftBand, ...]
    predictor: LinearPredictor
    dogs: SleepingDogs
    curve: tuple[CurvePoint, ...]

    @property
    def verdict(self) -> RankingVerdict:
        """Return whether people may be chosen by this ranking."""
        low = self.worth.qini.low
        is_usable = low is not None and low > 0
        return RankingVerdict.USABLE if is_usable else RankingVerdict.NO_USABLE_RANKING

    def to_json(self) -> dict[str, Any]:
        """Return all of it for a page or a file; shares and rates are of 1."""
        return {
            "verdict": self.verdict.value,
            "people": self.people,
            "treated": self.treated,
            "events": self.events,
            "average": asdict(self.average),
            "worth": asdict(self.worth),
            "at": [
                {"share": share, **asdict(found), "by_group": self.at_by_group[share]}
                for share, found in self.at.items()
            ],
            "bands": [
                {
                    "people": band.people,
                    "treated": band.treated,
                    "predicted": band.predicted,
                    **asdict(band.observed),
                    "is_covered": band.is_covered,
                }
                for band in self.bands
            ],
            "predictor": asdict(self.predictor),
            "dogs": {
                "people": self.dogs.people,
                "share": self.dogs.share,
                **asdict(self.dogs.observed),
            },
            "curve": [[point.people, point.qini, point.uplift] for point in self.curve],
        }


def sleeping_dogs(scores: npt.NDArray[np.float64]) -> Flags:
    """Return who is expected to do what is hoped for less often when treated."""
    return np.asarray(scores < 0)


def evaluate(
    model: UpliftPredictor, trial: Trial, *, seed: int, draws: int = 1000
) -> UpliftEvaluation:
    """Measure a model on people whom it has not seen.

    Args:
        seed: Of the resampling.
        draws: How often people are resampled for the intervals.
    """
    scores = model.uplift(trial.table)
    people = rank(
        scores, treated=trial.treated, outcome=trial.outcome, ids=trial.table.customer_ids
    )
    dogs = sleeping_dogs(scores)
    return UpliftEvaluation(
        people=len(scores),
        treated=int(trial.treated.sum()),
        events=int(trial.outcome.sum()),
        average=difference(trial.treated, trial.outcome),
        worth=worth(people, seed=seed, draws=draws),
        at={share: uplift_at(people, share) for share in SHARES},
        at_by_group={share: uplift_at_by_group(people, share) for share in SHARES},
        bands=bands(people, scores),
        predictor=best_linear_predictor(
            outcome=trial.outcome,
            treated=trial.treated,
            scores=scores,
            untreated=model.untreated(trial.table),
        ),
        dogs=SleepingDogs(
            people=int(dogs.sum()),
            share=float(dogs.mean()),
            observed=difference(trial.treated[dogs], trial.outcome[dogs]),
        ),
        curve=curve_points(people),
    )
