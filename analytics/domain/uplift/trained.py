"""A trained model of uplift with all that its life needs: scoring, drift, reasons, plain JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable
from analytics.domain.modelling.bands import RiskBands
from analytics.domain.modelling.binning import BinnedFeature
from analytics.domain.modelling.preprocessing import Preparation
from analytics.domain.modelling.scorecard import top_reasons
from analytics.domain.modelling.selection import SelectionEntry
from analytics.domain.modelling.stability import FrozenBins, StabilityIndex
from analytics.domain.modelling.trained import ModelFormatError, ScoredRows, digest_of
from analytics.domain.rates import RateDifference
from analytics.domain.uplift.evaluation import UpliftEvaluation
from analytics.domain.uplift.learners import UpliftArtefactError, UpliftModel
from analytics.domain.uplift.ranking import AreaEstimate
from analytics.domain.uplift.surfaces import UpliftBase
from analytics.domain.uplift.vocabulary import Learner, RankingVerdict

Floats = npt.NDArray[np.float64]
FORMAT = "loancrm-uplift-1"


@dataclass(frozen=True, slots=True)
class UpliftLine:
    """Sets a learner's uplift right: `average + slope · (what it says − centre)`.

    Learners exaggerate what differs between people. The slope is by how much uplift really moved
    with what was said of people who were not learned from.
    """

    slope: float = 1.0
    centre: float = 0.0
    average: float = 0.0

    def apply(self, said: Floats) -> Floats:
        """Return the uplift, between -1 and 1."""
        return np.clip(self.average + self.slope * (said - self.centre), -1.0, 1.0)


@dataclass(frozen=True, slots=True)
class TriedLearner:
    """A learner that was tried on the training part, by people whom it did not learn from.

    Attributes:
        qini: Extra outcomes for 1,000 treated people beyond a random ranking, with its interval.
    """

    learner: Learner
    base: UpliftBase
    qini: AreaEstimate

    def to_json(self) -> dict[str, Any]:
        """Return all of it."""
        return {"learner": self.learner.value, "base": self.base.value, **asdict(self.qini)}


@dataclass(frozen=True, slots=True)
class UpliftGroup:
    """How one group of the measured people fares.

    Attributes:
        predicted: Mean uplift that was foretold.
        observed: Rate of its treated minus that of its others, with its interval.
        better_half: How many are in the better half of all measured people.
    """

    name: str
    people: int
    predicted: float
    observed: RateDifference
    better_half: int

    def to_json(self) -> dict[str, Any]:
        """Return all of it."""
        return {
            "name": self.name,
            "people": self.people,
            "predicted": self.predicted,
            **asdict(self.observed),
            "better_half": self.better_half,
        }


@dataclass(frozen=True, slots=True)
class UpliftResult:
    """How a model did on people whom nothing was learned from.

    Attributes:
        is_confirmed: The training part says so too, of people not learned from in their turn: the
            interval of the chosen learner's Qini area there is above zero.
    """

    evaluation: UpliftEvaluation
    is_confirmed: bool
    groups: tuple[UpliftGroup, ...]
    score_stability: StabilityIndex
    feature_stability: Mapping[str, StabilityIndex]

    @property
    def verdict(self) -> RankingVerdict:
        """Return whether people may be chosen by the model.

        Both parts have to say so: where nobody's uplift differs, one training in forty would pass
        by chance on the measured part alone, and whoever trains often enough gets one through.
        """
        return self.evaluation.verdict if self.is_confirmed else RankingVerdict.NO_USABLE_RANKING

    def to_json(self) -> dict[str, Any]:
        """Return all of it for a page or a file."""
        return {
            **self.evaluation.to_json(),
            "verdict": self.verdict.value,
            "is_confirmed": self.is_confirmed,
            "groups": [group.to_json() for group in self.groups],
            "score_stability": self.score_stability.to_json(),
            "feature_stability": {n: i.to_json() for n, i in self.feature_stability.items()},
        }


@dataclass(frozen=True, slots=True)
class TrainedUplift:
    """One model of uplift.

    Attributes:
        bins: Bins of its features, which their drift is held against.
        bands: Fifths of the training part's uplift.
        score_bins: Uplift of the training part, against which the drift of the score is held.
        facts: Rows, treated, events, seed and digest of the data it was trained on.
        selection: Of every column, why it is in or out.
        tried: The learners that were tried, the chosen one first.
        result: Its figures; None only before they were measured.
        measured: The same as it was stored, of a model that was read back.
    """

    model: UpliftModel
    line: UpliftLine
    preparation: Preparation
    bins: tuple[BinnedFeature, ...]
    bands: RiskBands
    score_bins: FrozenBins
    facts: Mapping[str, Any] = field(default_factory=dict)
    selection: tuple[SelectionEntry, ...] = ()
    tried: tuple[TriedLearner, ...] = ()
    result: UpliftResult | None = None
    measured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Learner:
        """Return how uplift was learned."""
        return self.model.learner

    @property
    def features(self) -> tuple[str, ...]:
        """Return the columns that a table to be scored needs."""
        return self.preparation.names

    def uplift(self, table: FeatureTable) -> Floats:
        """Return by how much the treatment raises each person's chance of the outcome."""
        return self.line.apply(self.model.uplift(table))

    def untreated(self, table: FeatureTable) -> Floats:
        """Return each person's chance of the outcome without the treatment."""
        return self.model.untreated(table)

    def score(self, table: FeatureTable, *, with_reasons: bool = True) -> ScoredRows:
        """Return what the model says of each row; columns are found by name.

        Raises:
            ColumnsMissingError: The table lacks a feature.
        """
        prepared = self.preparation.apply(table)
        uplift = self.uplift(table)
        reasons = np.empty((len(uplift), 0), np.int16)
        return ScoredRows(
            probability=uplift,
            points=uplift,
            band=self.bands.positions(uplift),
            reasons=top_reasons(self._lost(table)) if with_reasons else reasons,
            unknown_words=prepared.unknown_words,
            unreadable=prepared.unreadable,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the model with its figures as plain JSON, without its digest."""
        return {
            "format": FORMAT,
            "model": self.model.to_json(),
            "line": asdict(self.line),
            "facts": dict(self.facts),
            "preparation": self.preparation.to_json(),
            "bins": [feature.to_json() for feature in self.bins],
            "bands": self.bands.to_json(),
            "score_bins": asdict(self.score_bins),
            "selection": [entry.to_json() for entry in self.selection],
            "tried": [each.to_json() for each in self.tried],
            "result": self.result.to_json() if self.result else dict(self.measured),
        }

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the model's JSON: the same data and seed give the same one."""
        return digest_of(self.to_json())

    def _lost(self, table: FeatureTable) -> Floats:
        """Return by how much each feature (across) lowers the uplift of each row (down).

        Against the same person with the average of the feature. Effects of features that act
        together are counted at each of them.
        """
        rows = self.model.scaling.apply(table)
        whole = self.model.of_scaled(rows)
        names = np.array([column.name for column in self.model.scaling.columns])
        lost = []
        for name in self.features:
            usual = rows.copy()
            usual[:, names == name] = 0.0
            lost.append(self.line.slope * (self.model.of_scaled(usual) - whole))
        return np.column_stack(lost)


def uplift_of(content: Mapping[str, Any]) -> TrainedUplift:
    """Return the model whose `to_json` this is; whoever read it has checked its digest.

    Raises:
        ModelFormatError: Parts are missing or of another kind.
    """
    try:
        frozen, selection = content["score_bins"], content["selection"]
        tried: Sequence[Mapping[str, Any]] = content["tried"]
        return TrainedUplift(
            model=UpliftModel.from_json(content["model"]),
            line=UpliftLine(**content["line"]),
            preparation=Preparation.from_json(content["preparation"]),
            bins=tuple(BinnedFeature.from_json(each) for each in content["bins"]),
            bands=RiskBands.from_json(content["bands"]),
            score_bins=FrozenBins(tuple(frozen["edges"]), tuple(frozen["counts"])),
            facts=content["facts"],
            selection=tuple(SelectionEntry.from_json(each) for each in selection),
            tried=tuple(
                TriedLearner(
                    Learner(each["learner"]),
                    UpliftBase(each["base"]),
                    AreaEstimate(each["value"], each["low"], each["high"]),
                )
                for each in tried
            ),
            measured=content["result"],
        )
    except (UpliftArtefactError, KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelFormatError from error
