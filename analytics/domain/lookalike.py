"""People who resemble a seed group: a logistic score of seeds against everybody else.

Everybody else is unlabelled, not negative (positive-unlabelled learning): the score ranks, it is no
probability. What it is worth is measured on seeds that it never saw. Source: Elkan and Noto,
Learning Classifiers from Only Positive and Unlabeled Data (2008).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable, Floats, Scaling, fit_scaling, rows_of

MIN_SEEDS = 200
TOP_SHARE = 0.1
_HELD_OUT_SHARE = 0.3
_OTHERS = 50_000


class SeedTooSmallError(ValueError):
    """There are too few seeds to learn from and to measure with."""


@dataclass(frozen=True, slots=True)
class Lift:
    """How many held-out seeds are in the best tenth of those not learned from.

    Attributes:
        found: Held-out seeds in the best tenth.
        held_out: All held-out seeds.
        top_share: Share of the ranking that was looked at; what chance would find.
    """

    found: int
    held_out: int
    top_share: float

    @property
    def ratio(self) -> float:
        """Return by how much the ranking beats chance; 1 is chance."""
        return self.found / self.held_out / self.top_share


@dataclass(frozen=True, slots=True)
class LookalikeModel:
    """The score: weights of scaled features."""

    scaling: Scaling
    weights: tuple[float, ...]
    intercept: float
    lift: Lift

    def score(self, table: FeatureTable) -> Floats:
        """Return how much each customer resembles the seeds, between 0 and 1."""
        raw = self.scaling.apply(table) @ np.array(self.weights) + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(raw, -40.0, 40.0))))

    def drivers(self, count: int = 3) -> list[tuple[str, float]]:
        """Return the scaled columns of the largest weights."""
        named = zip(self.scaling.labels, self.weights, strict=True)
        return sorted(named, key=lambda pair: -abs(pair[1]))[:count]

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "scaling": self.scaling.to_json(),
            "weights": list(self.weights),
            "intercept": self.intercept,
            "found": self.lift.found,
            "held_out": self.lift.held_out,
            "top_share": self.lift.top_share,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "LookalikeModel":
        """Return the model that wrote this."""
        return cls(
            scaling=Scaling.from_json(content["scaling"]),
            weights=tuple(content["weights"]),
            intercept=content["intercept"],
            lift=Lift(content["found"], content["held_out"], content["top_share"]),
        )


def learn(table: FeatureTable, is_seed: npt.NDArray[np.bool_], *, seed: int) -> LookalikeModel:
    """Learn what sets the seeds apart, and measure it on three tenths of them held out.

    The columns are made comparable by the people learned from alone: nothing that is known of the
    held-out seeds moves a median, a mean, a deviation or the list of words.

    Args:
        table: Everybody, the seeds among them.
        is_seed: Which rows are seeds.
        seed: Of every draw; the same rows and seed give the same model.

    Raises:
        SeedTooSmallError: Fewer than 200 seeds, or nobody else.
        NoUsableFeatureError: No feature differs.
    """
    seeds, others = np.flatnonzero(is_seed), np.flatnonzero(~is_seed)
    if len(seeds) < MIN_SEEDS or not len(others):
        raise SeedTooSmallError(len(seeds))
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(seeds)
    held_out_count = round(_HELD_OUT_SHARE * len(seeds))
    held_out, learned = drawn[:held_out_count], drawn[held_out_count:]
    compared = rng.permutation(others)[:_OTHERS]
    scaling = fit_scaling(rows_of(table, np.concatenate([learned, compared])))
    rows = scaling.apply(table)
    weights, intercept = _fit(rows[learned], rows[compared])
    pool = rng.permutation(np.concatenate([held_out, others]))
    scores = rows[pool] @ np.array(weights)
    top_count = int(np.ceil(TOP_SHARE * len(pool)))
    # Equal scores stay in the drawn order, so that ties are broken by chance.
    top = pool[np.argsort(-scores, kind="stable")[:top_count]]
    found = int(np.isin(top, held_out).sum())
    lift = Lift(found, held_out_count, top_count / len(pool))
    return LookalikeModel(scaling, weights, intercept, lift)


def _fit(seeds: Floats, others: Floats) -> tuple[tuple[float, ...], float]:
    # Loaded here: a web process that only reads results never pays for it.
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    rows = np.vstack([seeds, others])
    labels = np.concatenate([np.ones(len(seeds)), np.zeros(len(others))])
    model = LogisticRegression(class_weight="balanced", max_iter=2000).fit(rows, labels)
    return tuple(map(float, model.coef_[0])), float(model.intercept_[0])
