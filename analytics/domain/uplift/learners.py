"""Learners of uplift: how much more likely the outcome is with the treatment than without it.

Sources: T- and X-learner: Künzel, Sekhon, Bickel, Yu 2019, PNAS 116:4156. Class transformation:
Jaśkowski, Jaroszewicz 2012, ICML workshop on clinical data; with unequal groups everybody is
weighted by one over the chance of their own group (Athey, Imbens 2015).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from analytics.domain.features import FeatureTable, Floats, Scaling, fit_scaling
from analytics.domain.uplift.surfaces import (
    Surface,
    UpliftBase,
    fit_chance,
    fit_linear,
    surface_from_json,
)
from analytics.domain.uplift.trial import Trial
from analytics.domain.uplift.vocabulary import Learner

FORMAT = "uplift-1"


class UpliftArtefactError(ValueError):
    """A stored model is not what was written."""


@dataclass(frozen=True, slots=True)
class UpliftModel:
    """A learned uplift; scored by numpy alone.

    Attributes:
        treated_share: Of the people it was learned from.
        baseline: The outcome without the treatment.
        surfaces: T: the outcome with the treatment. X: uplift learned from the treated, and from
            the others. Class transformation: chance that the person did as the group would suggest.
    """

    learner: Learner
    base: UpliftBase
    scaling: Scaling
    treated_share: float
    baseline: Surface
    surfaces: tuple[Surface, ...]

    def uplift(self, table: FeatureTable) -> Floats:
        """Return by how much the treatment raises each person's chance of the outcome."""
        return self.of_scaled(self.scaling.apply(table))

    def of_scaled(self, rows: Floats) -> Floats:
        """Return the uplift of rows of scaled columns."""
        first = self.surfaces[0].value(rows)
        match self.learner:
            case Learner.T:
                return first - self.baseline.value(rows)
            case Learner.X:
                other = self.surfaces[1].value(rows)
                return (1 - self.treated_share) * first + self.treated_share * other
            case Learner.CLASS_TRANSFORMATION:
                return 2 * first - 1

    def untreated(self, table: FeatureTable) -> Floats:
        """Return each person's chance of the outcome without the treatment."""
        return self.baseline.value(self.scaling.apply(table))

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "format": FORMAT,
            "learner": self.learner.value,
            "base": self.base.value,
            "treated_share": self.treated_share,
            "scaling": self.scaling.to_json(),
            "baseline": self.baseline.to_json(),
            "surfaces": [surface.to_json() for surface in self.surfaces],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "UpliftModel":
        """Return the model that wrote this.

        Raises:
            UpliftArtefactError: It is none.
        """
        if content.get("format") != FORMAT:
            raise UpliftArtefactError
        try:
            return cls(
                learner=Learner(content["learner"]),
                base=UpliftBase(content["base"]),
                scaling=Scaling.from_json(content["scaling"]),
                treated_share=float(content["treated_share"]),
                baseline=surface_from_json(content["baseline"]),
                surfaces=tuple(map(surface_from_json, content["surfaces"])),
            )
        except (KeyError, TypeError, ValueError) as err:
            raise UpliftArtefactError from err

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the model's JSON; the same trial and learner give the same."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def learn(
    trial: Trial,
    learner: Learner,
    *,
    base: UpliftBase = UpliftBase.LOGISTIC,
    seed: int = 0,
) -> UpliftModel:
    """Return the uplift learned from a trial; columns are scaled by its people alone.

    Args:
        base: What chances are learned with; the second stage of X is linear in any case.
        seed: Of the trees; the same trial and seed give the same model.

    Raises:
        NoUsableFeatureError: No column differs.
    """
    scaling = fit_scaling(trial.table)
    rows, outcome = scaling.apply(trial.table), trial.outcome.astype(np.float64)
    treated, share = trial.treated, trial.treated_share
    chance = partial(fit_chance, base=base, seed=seed)
    baseline = chance(rows[~treated], outcome[~treated])
    if learner is Learner.CLASS_TRANSFORMATION:
        agrees = (trial.outcome == treated).astype(np.float64)
        # Mean 1, so that the penalty weighs what it weighs elsewhere.
        weights = np.where(treated, 0.5 / share, 0.5 / (1 - share))
        surfaces: tuple[Surface, ...] = (chance(rows, agrees, weights=weights),)
        return UpliftModel(learner, base, scaling, share, baseline, surfaces)
    with_treatment = chance(rows[treated], outcome[treated])
    surfaces = (with_treatment,)
    if learner is Learner.X:
        gained = outcome[treated] - baseline.value(rows[treated])
        missed = with_treatment.value(rows[~treated]) - outcome[~treated]
        surfaces = (fit_linear(rows[treated], gained), fit_linear(rows[~treated], missed))
    return UpliftModel(learner, base, scaling, share, baseline, surfaces)
