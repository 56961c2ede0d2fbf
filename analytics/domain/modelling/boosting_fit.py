"""Learn gradient-boosted trees with scikit-learn and hand them on as plain trees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.boosting import DecisionTree, Floats, TreeEnsemble

# scikit-learn sorts a feature into at most 255 bins, one of them for missing values.
MAX_WORDS = 254
_FEW_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class BoostingParameters:
    """How trees are grown."""

    rounds: int = 150
    learning_rate: float = 0.06
    max_leaves: int = 15
    min_leaf_rows: int = 20
    l2: float = 1.0
    feature_share: float = 0.5


# Small trees and a heavy penalty for weak signals, larger trees for strong ones that interact.
CAUTIOUS = BoostingParameters(
    rounds=150, learning_rate=0.05, max_leaves=6, min_leaf_rows=30, l2=5.0
)
GROWTHS = (CAUTIOUS, BoostingParameters())


def fit_ensemble(
    values: Floats,
    outcome: npt.NDArray[Any],
    *,
    columns: Mapping[str, int],
    parameters: BoostingParameters,
    seed: int,
    monotone: Mapping[str, int] | None = None,
    weight: Floats | None = None,
) -> TreeEnsemble:
    """Learn the log odds of an outcome of 0 and 1.

    Args:
        values: One row a case, one column a feature; NaN is missing. The column of a category holds
            positions of its words, at most 254.
        columns: Of each feature by name, in order, how many words it has; 0 for a number.
        monotone: Of features by name: 1 where a higher number must not lower the score, -1 where it
            must not raise it. Categories have none.
        weight: Of each row; all the same when None.
    """
    # Loaded here: a web process that only scores never pays for it.
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.utils.parallel import _get_threadpool_controller  # noqa: PLC0415

    features, word_counts = tuple(columns), tuple(columns.values())
    # scikit-learn puts categories first; they are handed over so, and trees keep the positions.
    order = sorted(range(len(features)), key=lambda at: (not word_counts[at], at))
    categories = [at for at in order if word_counts[at]]
    matrix, words = _encoded(values, order, len(categories))
    learner = HistGradientBoostingClassifier(
        learning_rate=parameters.learning_rate,
        max_iter=parameters.rounds,
        max_leaf_nodes=parameters.max_leaves,
        min_samples_leaf=parameters.min_leaf_rows,
        l2_regularization=parameters.l2,
        max_features=parameters.feature_share,
        categorical_features=list(range(len(categories))) or None,
        monotonic_cst=[(monotone or {}).get(features[at], 0) for at in order],
        early_stopping=False,
        random_state=seed,
    )
    # Partial sums of two threads are the same in either order, of more they are not; and where
    # rows are few, threads wait for each other longer than they work.
    threads = 1 if len(values) < _FEW_ROWS else 2
    with _get_threadpool_controller().limit(limits=threads, user_api="openmp"):
        learner.fit(matrix, outcome, sample_weight=weight)
    never = [
        sorted(set(range(word_counts[at])) - set(map(int, found)))
        for at, found in zip(categories, words, strict=True)
    ]
    trees = [_tree(found[0], order, words, never) for found in learner._predictors]  # noqa: SLF001 - no other way to the trees
    return TreeEnsemble(
        features=features,
        word_counts=word_counts,
        baseline=float(learner._baseline_prediction.ravel()[0]),  # noqa: SLF001 - as above
        trees=tuple(trees),
    )


def _encoded(
    values: Floats, order: Sequence[int], category_count: int
) -> tuple[Floats, list[npt.NDArray[np.int64]]]:
    """Return the columns in an order, categories as positions in the words that occur here."""
    matrix = values[:, list(order)].astype(np.float64)
    words = []
    for at in range(category_count):
        column = matrix[:, at]
        is_known = ~np.isnan(column)
        found, positions = np.unique(column[is_known], return_inverse=True)
        column[is_known] = positions
        words.append(found.astype(np.int64))
    return matrix, words


def _tree(
    predictor: Any,
    order: Sequence[int],
    words: Sequence[npt.NDArray[np.int64]],
    never: Sequence[Sequence[int]],
) -> DecisionTree:
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    features = [
        -1 if leaf else order[at] for leaf, at in zip(is_leaf, nodes["feature_idx"], strict=True)
    ]
    left = np.where(is_leaf, -1, nodes["left"].astype(np.int64))
    right = np.where(is_leaf, -1, nodes["right"].astype(np.int64))
    words_left = {}
    for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~is_leaf):
        bits = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]]
        at = int(nodes["feature_idx"][node])
        goes = [int(word) for bit, word in enumerate(words[at]) if _has(bits, bit)]
        # A word that none of these rows has is as good as missing.
        goes += never[at] if nodes["missing_go_to_left"][node] else []
        words_left[int(node)] = tuple(goes)
    return DecisionTree(
        feature=tuple(map(int, features)),
        threshold=tuple(
            float(cut) if not leaf else 0.0
            for cut, leaf in zip(nodes["num_threshold"], is_leaf, strict=True)
        ),
        left=tuple(map(int, left)),
        right=tuple(map(int, right)),
        missing_left=tuple(bool(goes) for goes in nodes["missing_go_to_left"]),
        value=_means(nodes["value"], nodes["count"], left, right),
        words_left=words_left,
    )


def _means(values: Floats, counts: npt.NDArray[Any], left: Any, right: Any) -> tuple[float, ...]:
    """Return the leaves' values, and of inner nodes the mean of the leaves below, by their rows.

    scikit-learn keeps inner values before shrinkage; children come after their parents.
    """
    found = [float(value) for value in values]
    for node in range(len(found) - 1, -1, -1):
        if left[node] >= 0:
            below = (int(left[node]), int(right[node]))
            rows = [float(counts[child]) for child in below]
            found[node] = sum(r * found[c] for r, c in zip(rows, below, strict=True)) / sum(rows)
    return tuple(found)


def _has(bits: npt.NDArray[np.uint32], position: int) -> bool:
    return bool((int(bits[position // 32]) >> (position % 32)) & 1)
