"""Gradient-boosted trees as plain JSON, scored by numpy as scikit-learn scores them.

A tree is scored without walking it: each value becomes the number of its cell between the split
points of its feature, a table says for every cell which leaves are out of reach, and the first leaf
that no feature rules out is the row's. Source: Lucchese et al., QuickScorer (SIGIR 2015); the trees
are those of Ke et al., LightGBM (2017), in scikit-learn's HistGradientBoosting.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint64]
MAX_LEAVES = 64
# What a table and its rows take fits into the cache of a processor.
_ROWS_AT_ONCE = 8_192
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_SHIFT = np.uint64(58)


class TreeTooLargeError(ValueError):
    """A tree has more leaves than a mask has bits."""


@dataclass(frozen=True, slots=True)
class DecisionTree:
    """One tree; node 0 is its root, a node without children (-1) is a leaf.

    Attributes:
        feature: Position of the feature that a node splits by; -1 at a leaf.
        threshold: Numbers up to it go left.
        missing_left: Whether rows without the value go left; so do words never learned.
        value: What a leaf adds to the score; of an inner node, the mean of its rows.
        words_left: Of nodes that split by a category, the positions of the words that go left.
    """

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    missing_left: tuple[bool, ...]
    value: tuple[float, ...]
    words_left: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "feature": list(self.feature),
            # JSON has no infinity: where only a missing value goes right, every number goes left.
            "threshold": [cut if math.isfinite(cut) else None for cut in self.threshold],
            "left": list(self.left),
            "right": list(self.right),
            "missing_left": [int(goes) for goes in self.missing_left],
            "value": list(self.value),
            "words_left": {str(node): list(words) for node, words in self.words_left.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "DecisionTree":
        """Return the tree that wrote this."""
        return cls(
            feature=tuple(content["feature"]),
            threshold=tuple(
                math.inf if cut is None else float(cut) for cut in content["threshold"]
            ),
            left=tuple(content["left"]),
            right=tuple(content["right"]),
            missing_left=tuple(map(bool, content["missing_left"])),
            value=tuple(map(float, content["value"])),
            words_left={int(node): tuple(w) for node, w in content["words_left"].items()},
        )


@dataclass(frozen=True, slots=True)
class _MaskTable:
    """Of one tree and one feature it splits by: which leaves stay possible in each cell."""

    feature: int
    masks: Bits


@dataclass(frozen=True, slots=True)
class _TreeScorer:
    """One tree, ready to score; leaves are looked up by the hash of their bit."""

    tables: tuple[_MaskTable, ...]
    values: Floats
    effects: tuple[tuple[int, Floats], ...]

    def leaves(self, cells: Sequence[npt.NDArray[np.uint16]]) -> npt.NDArray[np.uint8]:
        mask = self.tables[0].masks[cells[self.tables[0].feature]]
        for table in self.tables[1:]:
            mask &= table.masks[cells[table.feature]]
        lowest = mask & (~mask + np.uint64(1))
        return np.asarray((lowest * _DE_BRUIJN) >> _SHIFT, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class TreeEnsemble:
    """A sum of trees over named features.

    Attributes:
        features: Names of the columns of `values`, in their order.
        word_counts: Of each feature, how many words it has; 0 for a number. The column of a
            category holds positions of words; any other number is an unknown word.
        baseline: What every row starts from.
    """

    features: tuple[str, ...]
    word_counts: tuple[int, ...]
    baseline: float
    trees: tuple[DecisionTree, ...]
    _edges: tuple[Floats, ...] = field(init=False, repr=False, compare=False)
    _scorers: tuple[_TreeScorer, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the tables that rows are scored with."""
        edges = tuple(self._edges_of(position) for position in range(len(self.features)))
        object.__setattr__(self, "_edges", edges)
        split = [tree for tree in self.trees if tree.left[0] >= 0]
        object.__setattr__(self, "_scorers", tuple(self._scorer(tree) for tree in split))

    def raw(self, values: Floats) -> Floats:
        """Return the score of each row: log odds of a classification, the value of a regression.

        Args:
            values: One row a case, one column a feature in the order of `features`; NaN is missing.
        """
        total = np.full(len(values), self._start())
        for rows in _slices(len(values)):
            cells = self._cells(values[rows])
            part = total[rows]
            for scorer in self._scorers:
                part += scorer.values[scorer.leaves(cells)]
        return total

    def contributions(self, values: Floats) -> Floats:
        """Return what each feature adds to the score of each row, by the paths through the trees.

        A split gives its feature the difference between the mean below and the mean at the node.
        Together with the mean of the trees' roots they add up to the score.

        Source: Saabas 2014, Interpreting random forests.
        """
        return self.explained(values)[1]

    def explained(self, values: Floats) -> tuple[Floats, Floats]:
        """Return `raw` and `contributions` of rows by one way through the trees."""
        total = np.full(len(values), self._start())
        found = np.zeros((len(values), len(self.features)), order="F")
        for rows in _slices(len(values)):
            cells = self._cells(values[rows])
            for scorer in self._scorers:
                leaves = scorer.leaves(cells)
                total[rows] += scorer.values[leaves]
                for feature, effect in scorer.effects:
                    found[rows, feature] += effect[leaves]
        return total, found

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "features": list(self.features),
            "word_counts": list(self.word_counts),
            "baseline": self.baseline,
            "trees": [tree.to_json() for tree in self.trees],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TreeEnsemble":
        """Return the ensemble that wrote this."""
        return cls(
            features=tuple(content["features"]),
            word_counts=tuple(content["word_counts"]),
            baseline=float(content["baseline"]),
            trees=tuple(DecisionTree.from_json(tree) for tree in content["trees"]),
        )

    def _start(self) -> float:
        return self.baseline + sum(tree.value[0] for tree in self.trees if tree.left[0] < 0)

    def _edges_of(self, position: int) -> Floats:
        found = {
            tree.threshold[node]
            for tree in self.trees
            for node, feature in enumerate(tree.feature)
            if feature == position and node not in tree.words_left
        }
        return np.array(sorted(found))

    def _cells(self, values: Floats) -> list[npt.NDArray[np.uint16]]:
        """Return of each feature the cell of each row; the last cell is that of missing values."""
        found = []
        for position, (edges, words) in enumerate(zip(self._edges, self.word_counts, strict=True)):
            column = values[:, position]
            if words:
                is_known = (column >= 0) & (column < words) & (column == np.floor(column))
                cell = np.where(is_known, column, words)
            else:
                cell = np.searchsorted(edges, column, side="left").astype(np.float64)
                cell[np.isnan(column)] = len(edges) + 1
            found.append(cell.astype(np.uint16))
        return found

    def _scorer(self, tree: DecisionTree) -> _TreeScorer:
        order, spans = _leaf_order(tree)
        if len(order) > MAX_LEAVES:
            raise TreeTooLargeError(len(order))
        inner = [node for node in range(len(tree.feature)) if tree.left[node] >= 0]
        used = sorted({tree.feature[node] for node in inner})
        tables = []
        for feature in used:
            masks = np.full(self._cell_count(feature), ~np.uint64(0))
            for node in inner:
                if tree.feature[node] == feature:
                    first, last = spans[tree.left[node]]
                    ruled_out = np.uint64(((1 << (last - first)) - 1) << first)
                    masks[self._goes_right(tree, node)] &= ~ruled_out
            tables.append(_MaskTable(feature, masks))
        effects = _path_effects(tree, order)
        return _TreeScorer(
            tables=tuple(tables),
            values=_hashed([tree.value[leaf] for leaf in order]),
            effects=tuple((feature, _hashed(effects[feature])) for feature in used),
        )

    def _cell_count(self, feature: int) -> int:
        words = self.word_counts[feature]
        return words + 1 if words else len(self._edges[feature]) + 2

    def _goes_right(self, tree: DecisionTree, node: int) -> npt.NDArray[np.bool_]:
        feature = tree.feature[node]
        goes = np.ones(self._cell_count(feature), dtype=bool)
        if node in tree.words_left:
            words_left = list(tree.words_left[node])
            goes[[word for word in words_left if word >= 0]] = False
        else:
            # A value in cell k is above the first k edges only.
            goes[: int(np.searchsorted(self._edges[feature], tree.threshold[node])) + 1] = False
        goes[-1] = not tree.missing_left[node]
        return goes


def _leaf_order(tree: DecisionTree) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """Return the leaves from left to right, and of every node which of them lie below it."""
    order: list[int] = []
    spans: dict[int, tuple[int, int]] = {}

    def visit(node: int) -> None:
        first = len(order)
        if tree.left[node] < 0:
            order.append(node)
        else:
            visit(tree.left[node])
            visit(tree.right[node])
        spans[node] = (first, len(order))

    visit(0)
    return order, spans


def _path_effects(tree: DecisionTree, order: Sequence[int]) -> dict[int, list[float]]:
    """Return of each feature what its splits change on the way to each leaf, in their order."""
    position = {leaf: at for at, leaf in enumerate(order)}
    effects: dict[int, list[float]] = {}

    def visit(node: int, path: Mapping[int, float]) -> None:
        if tree.left[node] < 0:
            for feature, effect in path.items():
                effects.setdefault(feature, [0.0] * len(order))[position[node]] = effect
            return
        feature = tree.feature[node]
        for child in (tree.left[node], tree.right[node]):
            change = tree.value[child] - tree.value[node]
            visit(child, {**path, feature: path.get(feature, 0.0) + change})

    visit(0, {})
    return effects


def _hashed(values: Sequence[float]) -> Floats:
    """Return values of leaves, each where the hash of its bit points."""
    bits = np.uint64(1) << np.arange(len(values), dtype=np.uint64)
    found = np.zeros(MAX_LEAVES)
    found[(bits * _DE_BRUIJN) >> _SHIFT] = values
    return found


def _slices(count: int) -> Iterator[slice]:
    for first in range(0, count, _ROWS_AT_ONCE):
        yield slice(first, first + _ROWS_AT_ONCE)
