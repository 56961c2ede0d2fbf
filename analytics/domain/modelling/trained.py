"""A trained model: what scores people, what a page shows of it, and its plain JSON."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable
from analytics.domain.modelling.bands import BandResult, RiskBands
from analytics.domain.modelling.binning import BinnedFeature
from analytics.domain.modelling.boosting import TreeEnsemble
from analytics.domain.modelling.calibration import Calibrator
from analytics.domain.modelling.evaluation import Calibration, Separation
from analytics.domain.modelling.learners import ModelKind
from analytics.domain.modelling.preprocessing import Preparation, Prepared
from analytics.domain.modelling.scorecard import PointsScale, PointsScorecard, top_reasons
from analytics.domain.modelling.selection import SelectionEntry
from analytics.domain.modelling.stability import FrozenBins, StabilityIndex, psi_of_counts

Floats = npt.NDArray[np.float64]
FORMAT = "loancrm-model-1"


class ModelFormatError(ValueError):
    """A text is no model of ours."""


class ModelChangedError(ValueError):
    """A model is not what its digest says: it was swapped or edited and must not score anybody."""


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """What a model says of rows.

    Attributes:
        probability: Of the event; of a model of uplift by how much the treatment raises it, from -1
            to 1.
        points: Higher is better; not rounded. Of a model of uplift the uplift once more.
        band: Position in the names of the model's bands, from the best.
        reasons: Of each row up to four positions in the model's features, first where most points
            were lost; -1: no further one.
        unknown_words: Of columns that had any, rows with a word never learned.
        unreadable: Of columns that had any, rows with infinity, or text instead of a number.
    """

    probability: Floats
    points: Floats
    band: npt.NDArray[np.intp]
    reasons: npt.NDArray[np.int16]
    unknown_words: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelResult:
    """How a model did on the rows that nothing was learned from.

    Attributes:
        training: The same figures on the training part, of rows not learned from in their turn.
        roc: (share of non-events, share of events) above each cut.
        ks_curve: (probability, share of events, share of non-events) up to it.
        bands: What came of each band.
        groups: The figures group by group where groups were handed in; None where outcomes of a
            group do not differ.
    """

    separation: Separation
    training: Separation
    calibration: Calibration
    roc: tuple[tuple[float, ...], ...]
    ks_curve: tuple[tuple[float, ...], ...]
    bands: tuple[BandResult, ...]
    score_stability: StabilityIndex | None
    feature_stability: Mapping[str, StabilityIndex]
    groups: Mapping[str, Separation | None] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return all of it for a page or a file."""
        groups = self.groups or {}
        return {
            "test": self.separation.to_json(),
            "training": self.training.to_json(),
            "calibration": self.calibration.to_json(),
            "roc": [list(point) for point in self.roc],
            "ks_curve": [list(point) for point in self.ks_curve],
            "bands": [asdict(band) for band in self.bands],
            "score_stability": self.score_stability.to_json() if self.score_stability else None,
            "feature_stability": {n: i.to_json() for n, i in self.feature_stability.items()},
            "groups": {name: found.to_json() if found else None for name, found in groups.items()},
        }


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """One model; either `scorecard` or `ensemble` is there, as its kind says.

    Attributes:
        bins: Bins of its features: what a page shows of them, and what their drift is held against.
        score_bins: Points of the training part, against which the drift of the score is held.
        facts: Rows, events, seed and digest of the data it was trained on.
        selection: Of every column, why it is in or out.
        result: Its figures; None only before they were measured.
        measured: The same as it was stored, of a model that was read back.
    """

    kind: ModelKind
    preparation: Preparation
    calibrator: Calibrator
    scale: PointsScale
    bands: RiskBands
    bins: tuple[BinnedFeature, ...]
    scorecard: PointsScorecard | None = None
    ensemble: TreeEnsemble | None = None
    score_bins: FrozenBins | None = None
    target: str = ""
    positive: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    selection: tuple[SelectionEntry, ...] = ()
    result: ModelResult | None = None
    measured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def features(self) -> tuple[str, ...]:
        """Return the columns that a table to be scored needs."""
        return self.preparation.names

    def score(self, table: FeatureTable, *, with_reasons: bool = True) -> ScoredRows:
        """Return what the model says of each row; columns are found by name.

        Raises:
            ColumnsMissingError: The table lacks a feature.
        """
        prepared = self.preparation.apply(table)
        line, lost = self._line(prepared, with_reasons=with_reasons)
        # A curve is of the line as it is: the line of the calibrator was applied already.
        probability = self.calibrator.curve(line)
        return ScoredRows(
            probability=probability,
            points=self.scale.of_log_odds(line),
            band=self.bands.positions(probability),
            reasons=top_reasons(lost) if with_reasons else np.empty((len(line), 0), np.int16),
            unknown_words=prepared.unknown_words,
            unreadable=prepared.unreadable,
        )

    def feature_stability(self, table: FeatureTable) -> dict[str, StabilityIndex]:
        """Return how far the rows of each feature moved between its bins since the training."""
        return stability_of(self.bins, self.preparation.apply(table).values)

    def to_json(self) -> dict[str, Any]:
        """Return the model with its figures as plain JSON, without its digest."""
        return {
            "format": FORMAT,
            "kind": self.kind.value,
            "target": self.target,
            "positive": self.positive,
            "facts": dict(self.facts),
            "preparation": self.preparation.to_json(),
            "scorecard": self.scorecard.to_json() if self.scorecard else None,
            "ensemble": self.ensemble.to_json() if self.ensemble else None,
            "calibrator": self.calibrator.to_json(),
            "scale": asdict(self.scale),
            "bands": self.bands.to_json(),
            "bins": [feature.to_json() for feature in self.bins],
            "score_bins": asdict(self.score_bins) if self.score_bins else None,
            "selection": [entry.to_json() for entry in self.selection],
            "result": self.result.to_json() if self.result else dict(self.measured),
        }

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the model's JSON: the same data and seed give the same one."""
        return digest_of(self.to_json())

    def _line(self, prepared: Prepared, *, with_reasons: bool) -> tuple[Floats, Floats]:
        """Return log odds after the line, and the points lost at each feature."""
        values = prepared.values
        if self.scorecard:
            positions = self.scorecard.positions(values)
            line = self.calibrator.line(self.scorecard.raw_of(positions, len(values)))
            return line, self.scorecard.lost(positions) if with_reasons else np.empty((0, 0))
        if not self.ensemble:
            raise ModelFormatError
        if not with_reasons:
            return self.calibrator.line(self.ensemble.raw(values)), np.empty((0, 0))
        raw, parts = self.ensemble.explained(values)
        return self.calibrator.line(raw), parts * (self.calibrator.slope * self.scale.factor)


def stability_of(bins: Sequence[BinnedFeature], values: Floats) -> dict[str, StabilityIndex]:
    """Return how far prepared rows of each feature are from those that its bins were made of."""
    found = {}
    for at, feature in enumerate(bins):
        positions = feature.positions(values[:, at])
        actual = np.bincount(positions, minlength=len(feature.bins)).astype(np.float64)
        expected = np.array([each.rows for each in feature.bins], dtype=np.float64)
        found[feature.name] = psi_of_counts(expected, actual)
    return found


def dump_model(model: TrainedModel) -> str:
    """Return the text of an artefact: the model with its digest."""
    return text_of(model.to_json())


def text_of(content: Mapping[str, Any]) -> str:
    """Return the text of an artefact with this content: its digest is added."""
    return _canonical({**content, "digest": digest_of(content)})


def load_model(text: str) -> TrainedModel:
    """Return the model of an artefact; nothing in it is ever run.

    Raises:
        ModelFormatError: It is no artefact of ours.
        ModelChangedError: It is not what its digest says.
    """
    return model_of(content_of(text, FORMAT))


def content_of(text: str, *formats: str) -> dict[str, Any]:
    """Return what stands in an artefact of one of these formats, without its digest.

    Raises:
        ModelFormatError: It is no artefact of ours.
        ModelChangedError: It is not what its digest says.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ModelFormatError from error
    if not isinstance(content, dict) or content.get("format") not in formats:
        raise ModelFormatError
    if content.pop("digest", None) != digest_of(content):
        raise ModelChangedError
    return content


def model_of(content: Mapping[str, Any]) -> TrainedModel:
    """Return the model whose `to_json` this is; whoever stored it has checked its digest.

    Raises:
        ModelFormatError: Parts are missing or of another kind.
    """
    try:
        return _model_of(content)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelFormatError from error


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a model's JSON in its one canonical form."""
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _model_of(content: Mapping[str, Any]) -> TrainedModel:
    card, ensemble = content["scorecard"], content["ensemble"]
    frozen = content["score_bins"]
    selection: Sequence[Mapping[str, Any]] = content["selection"]
    return TrainedModel(
        kind=ModelKind(content["kind"]),
        preparation=Preparation.from_json(content["preparation"]),
        calibrator=Calibrator.from_json(content["calibrator"]),
        scale=PointsScale(**content["scale"]),
        bands=RiskBands.from_json(content["bands"]),
        bins=tuple(BinnedFeature.from_json(each) for each in content["bins"]),
        scorecard=PointsScorecard.from_json(card) if card else None,
        ensemble=TreeEnsemble.from_json(ensemble) if ensemble else None,
        score_bins=FrozenBins(tuple(frozen["edges"]), tuple(frozen["counts"])) if frozen else None,
        target=content["target"],
        positive=content["positive"],
        facts=content["facts"],
        selection=tuple(SelectionEntry.from_json(each) for each in selection),
        measured=content["result"],
    )


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
