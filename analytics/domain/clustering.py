"""Groups of similar customers: how many there are, whether they hold, and what sets them apart.

k-means on scaled features. k is the one of the best silhouette among those whose groups come back
in bootstrap samples (adjusted Rand index) and are not too small. Source: Hennig, Cluster-wise
assessment of cluster stability (2007), for the bootstrap; Rousseeuw (1987) for the silhouette.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable, Floats, Scaling, fit_scaling
from analytics.domain.profiles import ProfileDifference, differences
from analytics.domain.projection import Projection, fit_projection

Labels = npt.NDArray[np.int64]
MIN_SHARE = 0.02
MIN_STABILITY = 0.8
_BOOTSTRAPS = 10
_STARTS = 5
_FIT_ROWS = 20_000
_SILHOUETTE_ROWS = 2_000


class NoStableClustersError(ValueError):
    """No number of groups is stable and leaves every group large enough."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One group: its share of the customers it was found in, and its strongest differences."""

    number: int
    size: int
    share: float
    differences: tuple[ProfileDifference, ...]


@dataclass(frozen=True, slots=True)
class ClusterModel:
    """Everything needed to put a customer into a group again.

    Attributes:
        centres: Of the scaled columns, or of the components where there is a projection.
        projection: Which components the groups were found in; None for the columns themselves.
    """

    scaling: Scaling
    centres: tuple[tuple[float, ...], ...]
    silhouette: float
    stability: float
    clusters: tuple[Cluster, ...]
    projection: Projection | None = None

    def assign(self, table: FeatureTable) -> Labels:
        """Return the number of each customer's group, 1 for the largest: the nearest centre."""
        rows = _projected(self.scaling.apply(table), self.projection)
        return nearest(rows, np.array(self.centres)) + 1

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "scaling": self.scaling.to_json(),
            "projection": self.projection.to_json() if self.projection else None,
            "centres": [list(centre) for centre in self.centres],
            "silhouette": self.silhouette,
            "stability": self.stability,
            "clusters": [
                {
                    "number": cluster.number,
                    "size": cluster.size,
                    "share": cluster.share,
                    "differences": [
                        {"feature": d.feature, "z": d.z, "mean": d.mean, "overall": d.overall_mean}
                        for d in cluster.differences
                    ],
                }
                for cluster in self.clusters
            ],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "ClusterModel":
        """Return the model that wrote this."""
        return cls(
            scaling=Scaling.from_json(content["scaling"]),
            projection=Projection.from_json(found) if (found := content["projection"]) else None,
            centres=tuple(tuple(centre) for centre in content["centres"]),
            silhouette=content["silhouette"],
            stability=content["stability"],
            clusters=tuple(
                Cluster(
                    number=row["number"],
                    size=row["size"],
                    share=row["share"],
                    differences=tuple(
                        ProfileDifference(d["feature"], d["z"], d["mean"], d["overall"])
                        for d in row["differences"]
                    ),
                )
                for row in content["clusters"]
            ),
        )


@dataclass(frozen=True, slots=True)
class _Candidate:
    centres: Floats
    labels: Labels
    silhouette: float
    min_share: float


def discover(
    table: FeatureTable,
    *,
    seed: int,
    counts: Sequence[int] = range(2, 9),
    explained: float | None = None,
    on_progress: Callable[[int], object] = lambda _step: None,
) -> ClusterModel:
    """Find the groups; the same rows and seed always give the same groups in the same order.

    Args:
        table: One row a customer. Above 20,000 rows the centres come from a sample.
        seed: Of every draw.
        counts: Numbers of groups to try.
        explained: Share of the variance, in (0, 1], that principal components have to explain in
            which the groups are looked for; None looks at the columns themselves.
        on_progress: Called with 1 after each of them.

    Raises:
        NoUsableFeatureError: No feature differs.
        NoStableClustersError: No number of groups passes.
    """
    scaling = fit_scaling(table)
    scaled = scaling.apply(table)
    projection = None if explained is None else fit_projection(scaled, explained)
    rows = _projected(scaled, projection)
    sample = _sample(rows, _FIT_ROWS, np.random.default_rng(seed))
    candidates: list[_Candidate] = []
    # People who are the same in every column cannot be told apart by more groups.
    most = min(len(sample) // 2 - 1, len(np.unique(sample, axis=0)))
    for count in counts:
        if count <= most:
            candidates.append(_try(sample, count, seed))
        on_progress(1)
    best, stability = _first_stable(sample, candidates, seed)
    labels = nearest(rows, best.centres)
    sizes = np.bincount(labels, minlength=len(best.centres))
    order = sorted(range(len(sizes)), key=lambda at: (-sizes[at], tuple(best.centres[at])))
    centres = best.centres[order]
    return ClusterModel(
        scaling=scaling,
        centres=tuple(tuple(map(float, centre)) for centre in centres),
        silhouette=best.silhouette,
        stability=stability,
        clusters=_described(table, scaling.labels, scaled, nearest(rows, centres)),
        projection=projection,
    )


def nearest(rows: Floats, centres: Floats) -> Labels:
    """Return the position of the nearest centre of each row, the first one of equals."""
    # |a - b|² = |a|² - 2ab + |b|², and |a|² is the same for every centre.
    distances = (centres**2).sum(axis=1) - 2.0 * rows @ centres.T
    return np.asarray(distances.argmin(axis=1), dtype=np.int64)


def _try(sample: Floats, count: int, seed: int) -> _Candidate:
    # Loaded here: a web process that only reads results never pays for it.
    from sklearn.metrics import silhouette_score  # noqa: PLC0415

    centres = _centres(sample, count, seed, starts=_STARTS)
    labels = nearest(sample, centres)
    seen = np.random.default_rng([seed, count]).permutation(len(sample))[:_SILHOUETTE_ROWS]
    is_mixed = len(np.unique(labels[seen])) > 1
    return _Candidate(
        centres=centres,
        labels=labels,
        silhouette=float(silhouette_score(sample[seen], labels[seen])) if is_mixed else -1.0,
        min_share=float(np.bincount(labels, minlength=count).min() / len(labels)),
    )


def _first_stable(
    sample: Floats, candidates: Sequence[_Candidate], seed: int
) -> tuple[_Candidate, float]:
    """Return the best candidate that is stable, with its stability."""
    for candidate in sorted(candidates, key=lambda c: -c.silhouette):
        if candidate.min_share < MIN_SHARE:
            continue
        stability = _stability(sample, candidate, seed)
        if stability >= MIN_STABILITY:
            return candidate, stability
    raise NoStableClustersError


def _stability(sample: Floats, candidate: _Candidate, seed: int) -> float:
    from sklearn.metrics import adjusted_rand_score  # noqa: PLC0415 - as above

    rng = np.random.default_rng([seed, len(candidate.centres)])
    agreements = []
    for _turn in range(_BOOTSTRAPS):
        drawn = rng.integers(0, len(sample), len(sample))
        centres = _centres(sample[drawn], len(candidate.centres), seed, starts=2)
        agreements.append(adjusted_rand_score(candidate.labels, nearest(sample, centres)))
    return float(np.mean(agreements))


def _centres(rows: Floats, count: int, seed: int, *, starts: int) -> Floats:
    from sklearn.cluster import KMeans  # noqa: PLC0415 - as above

    model = KMeans(n_clusters=count, n_init=starts, random_state=seed).fit(rows)
    return np.asarray(model.cluster_centers_, dtype=np.float64)


def _sample(rows: Floats, limit: int, rng: np.random.Generator) -> Floats:
    if len(rows) <= limit:
        return rows
    return rows[np.sort(rng.choice(len(rows), limit, replace=False))]


def _projected(rows: Floats, projection: Projection | None) -> Floats:
    return rows if projection is None else projection.apply(rows)


def _described(
    table: FeatureTable, columns: Sequence[str], scaled: Floats, labels: Labels
) -> tuple[Cluster, ...]:
    found = []
    for number in range(int(labels.max()) + 1):
        chosen = labels == number
        apart = differences(table, columns, scaled, chosen)
        size = int(chosen.sum())
        found.append(Cluster(number + 1, size, size / len(labels), apart))
    return tuple(found)
