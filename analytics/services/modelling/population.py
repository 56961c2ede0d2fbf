"""Everybody whom a model scores, part by part, so that memory does not grow with their number."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable
from analytics.domain.modelling.stability import psi_of_counts
from analytics.domain.modelling.trained import ScoredRows
from analytics.domain.uplift.stored import StoredModel
from analytics.selectors.modelling import features
from analytics.selectors.modelling.columns import ModelColumn

_PEOPLE_AT_ONCE = 20_000


@dataclass
class BinCounts:
    """How many people were in each frozen bin of the score and of each feature."""

    points: npt.NDArray[np.float64] | None = None
    features: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    odd: Counter[str] = field(default_factory=Counter)
    people: int = 0

    def add(self, model: StoredModel, table: FeatureTable, scored: ScoredRows) -> None:
        """Count the people of one part."""
        self.people += len(scored.points)
        self.odd.update(scored.unknown_words)
        self.odd.update(scored.unreadable)
        if model.score_bins:
            edges = np.array(model.score_bins.edges)
            at = np.searchsorted(edges, scored.points, side="right")
            found = np.bincount(at, minlength=len(edges) + 1).astype(np.float64)
            self.points = found if self.points is None else self.points + found
        values = model.preparation.apply(table).values
        for place, feature in enumerate(model.bins):
            positions = feature.positions(values[:, place])
            found = np.bincount(positions, minlength=len(feature.bins)).astype(np.float64)
            self.features[feature.name] = self.features.get(feature.name, 0) + found

    def to_json(self) -> dict[str, Any]:
        """Return the counts."""
        return {
            "points": [] if self.points is None else self.points.tolist(),
            "features": {name: found.tolist() for name, found in self.features.items()},
        }

    def indices(
        self, reference: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Return how far score and features moved since the reference was counted."""
        points: dict[str, Any] = {}
        if self.points is not None and reference["points"]:
            points = psi_of_counts(np.array(reference["points"]), self.points).to_json()
        moved = {
            name: psi_of_counts(np.array(reference["features"][name]), found).to_json()
            for name, found in self.features.items()
        }
        return points, moved


def stream_scores(
    *,
    model: StoredModel,
    columns: Mapping[str, ModelColumn],
    people: Sequence[int],
    moment: datetime,
    takes_values_of_today: bool,
    counts: BinCounts,
) -> Iterator[tuple[FeatureTable, ScoredRows]]:
    """Yield the people part by part with their scores, and count their bins."""
    wanted = [columns[name] for name in model.features]
    for start in range(0, len(people), _PEOPLE_AT_ONCE):
        ids = np.array(people[start : start + _PEOPLE_AT_ONCE], dtype=np.int64)
        times = np.full(len(ids), features.microseconds(moment), dtype=np.int64)
        table = features.load_table(
            features.Rows(ids, times), wanted, takes_values_of_today=takes_values_of_today
        )
        scored = model.score(table, with_reasons=False)
        counts.add(model, table, scored)
        yield table, scored


def reference_of(
    *,
    model: StoredModel,
    columns: Mapping[str, ModelColumn],
    people: Sequence[int],
    moment: datetime,
    takes_values_of_today: bool,
) -> dict[str, Any]:
    """Return everybody's counts by bin on the day of the training.

    The people a model learned from are others than those it scores (borrowers of last year, and
    everybody today): held against them, a score would have drifted on its first day.
    """
    counts = BinCounts()
    for _part in stream_scores(
        model=model,
        columns=columns,
        people=people,
        moment=moment,
        takes_values_of_today=takes_values_of_today,
        counts=counts,
    ):
        pass
    return {**counts.to_json(), "people": counts.people}
