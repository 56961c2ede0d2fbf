"""Bins of one feature: quantiles merged until the event rate is monotone, words by event rate.

Missing values, special codes and words never learned have bins of their own. A column holds
numbers, or positions of words for a category; NaN is missing. Source: Siddiqi 2006, Credit Risk
Scorecards, 6; the pooling of adjacent violators is that of Ayer et al. 1955.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.information import evidence

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


class BinKind(StrEnum):
    """What a bin holds."""

    RANGE = "range"
    WORDS = "words"
    SPECIAL = "special"
    MISSING = "missing"
    UNSEEN = "unseen"


class RateTrend(StrEnum):
    """How the event rate moves as a number grows; of a category it has none."""

    ASCENDING = "ascending"
    DESCENDING = "descending"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BinningRules:
    """How small and how many bins may be.

    Attributes:
        pre_bins: Quantiles that merging begins with.
        max_bins: Most bins of ranges or words.
        min_share: Least share of the rows in a bin of ranges or words.
        min_rows: A bin of missing, special or rare values with fewer rows says nothing: its weight
            is 0.
        trend: The only allowed direction; the better one when None.
    """

    pre_bins: int = 50
    max_bins: int = 8
    min_share: float = 0.05
    min_rows: int = 30
    trend: RateTrend | None = None


@dataclass(frozen=True, slots=True)
class FeatureBin:
    """One bin.

    Attributes:
        low: Of a range, the least value in it; None: no bound.
        high: Of a range, the least value above it; None: no bound.
        words: Positions of the words in it.
        code: Of a special value, the value.
        woe: Weight of evidence, ln(share of non-events ÷ share of events).
        is_adjusted: Events or non-events were none and 0.5 was added to both.
        is_thin: Too few rows to say anything: the weight is 0.
    """

    kind: BinKind
    rows: int
    events: int
    woe: float
    information: float
    low: float | None = None
    high: float | None = None
    words: tuple[int, ...] = ()
    code: float | None = None
    is_adjusted: bool = False
    is_thin: bool = False

    @property
    def event_rate(self) -> float | None:
        """Return the share of events; None without rows."""
        return self.events / self.rows if self.rows else None


@dataclass(frozen=True, slots=True)
class BinnedFeature:
    """A feature and its bins, in the order of their positions.

    Attributes:
        edges: Between the ranges of a number, ascending; a value at an edge is in the range above.
        codes: Special values of a number, each with its bin after the ranges.
        groups: Of a category, the bin of each of its words; empty for a number.
    """

    name: str
    bins: tuple[FeatureBin, ...]
    edges: tuple[float, ...] = ()
    codes: tuple[float, ...] = ()
    groups: tuple[int, ...] = ()
    trend: RateTrend = RateTrend.NONE

    @property
    def is_category(self) -> bool:
        """Return whether the column holds positions of words."""
        return bool(self.bins) and self.bins[-1].kind is BinKind.UNSEEN

    @property
    def information(self) -> float:
        """Return the information value of all bins."""
        return float(sum(each.information for each in self.bins))

    @property
    def woe(self) -> Floats:
        """Return the weight of evidence of each bin."""
        return np.array([each.woe for each in self.bins])

    def positions(self, column: Floats) -> Positions:
        """Return the bin of each value; whatever the value is, it has one."""
        if self.is_category:
            return _word_positions(column, self.groups, len(self.bins))
        return _range_positions(column, self.edges, self.codes)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "name": self.name,
            "edges": list(self.edges),
            "codes": list(self.codes),
            "groups": list(self.groups),
            "trend": self.trend.value,
            "bins": [{**asdict(each), "words": list(each.words)} for each in self.bins],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "BinnedFeature":
        """Return the feature that wrote this."""
        return cls(
            name=content["name"],
            edges=tuple(content["edges"]),
            codes=tuple(content["codes"]),
            groups=tuple(content["groups"]),
            trend=RateTrend(content["trend"]),
            bins=tuple(
                FeatureBin(**{**each, "kind": BinKind(each["kind"]), "words": tuple(each["words"])})
                for each in content["bins"]
            ),
        )


def bin_number(
    name: str,
    column: Floats,
    outcome: npt.NDArray[Any],
    *,
    codes: Sequence[float] = (),
    rules: BinningRules = BinningRules(),
) -> BinnedFeature:
    """Return a number's bins: of both directions the one that says more, at most `max_bins`."""
    is_plain = ~np.isnan(column) & ~np.isin(column, codes)
    values, events = column[is_plain], np.asarray(outcome, dtype=np.float64)[is_plain]
    edges = _quantile_edges(values, rules.pre_bins)
    rows_in, events_in = _counts(
        np.searchsorted(edges, values, side="right"), events, len(edges) + 1
    )
    trends = (rules.trend,) if rules.trend else (RateTrend.ASCENDING, RateTrend.DESCENDING)
    all_rows, all_events = len(column), float(np.sum(outcome))
    best: tuple[float, RateTrend, list[int]] | None = None
    for trend in trends:
        merged = _merge(rows_in, events_in, trend, rules, all_rows)
        said = _said(rows_in, events_in, merged, all_rows - all_events, all_events)
        if best is None or said > best[0]:
            best = (said, trend, merged)
    _value, trend, ends = best or (0.0, RateTrend.NONE, [len(rows_in)])
    chosen = [float(edges[end - 1]) for end in ends[:-1]]
    found = bin_by_edges(name, column, outcome, edges=chosen, codes=codes, rules=rules)
    return replace(found, trend=trend if chosen else RateTrend.NONE)


def bin_by_edges(
    name: str,
    column: Floats,
    outcome: npt.NDArray[Any],
    *,
    edges: Sequence[float],
    codes: Sequence[float] = (),
    rules: BinningRules = BinningRules(),
) -> BinnedFeature:
    """Return the bins of a number between edges that are given."""
    shapes: list[dict[str, Any]] = [
        {"kind": BinKind.RANGE, "low": low, "high": high}
        for low, high in zip((None, *edges), (*edges, None), strict=True)
    ]
    shapes += [{"kind": BinKind.SPECIAL, "code": float(code)} for code in codes]
    shapes.append({"kind": BinKind.MISSING})
    at = _range_positions(column, edges, codes)
    bins = _filled(shapes, at, outcome, rules)
    return BinnedFeature(name, bins, tuple(map(float, edges)), tuple(map(float, codes)))


def bin_category(
    name: str,
    column: Floats,
    outcome: npt.NDArray[Any],
    *,
    word_count: int,
    rules: BinningRules = BinningRules(),
) -> BinnedFeature:
    """Return a category's bins: words of similar event rates together.

    Args:
        column: Positions of words; NaN is missing, any other number a word never learned.
        word_count: How many words there are.
    """
    target = np.asarray(outcome, dtype=np.float64)
    is_known = (column >= 0) & (column < word_count)
    rows_in, events_in = _counts(column[is_known].astype(np.intp), target[is_known], word_count)
    mean = target.mean() if len(target) else 0.0
    # A rare word's own rate is mostly chance; it is ordered as if a few average rows came with it.
    rate = (events_in + mean * rules.min_rows) / (rows_in + rules.min_rows)
    order = np.lexsort((np.arange(word_count), rate))
    ends = _merge(rows_in[order], events_in[order], RateTrend.NONE, rules, len(column))
    words_of = (
        [tuple(sorted(map(int, part))) for part in np.split(order, ends[:-1])] if word_count else []
    )
    groups = [0] * word_count
    for position, words in enumerate(words_of):
        for word in words:
            groups[word] = position
    shapes: list[dict[str, Any]] = [{"kind": BinKind.WORDS, "words": words} for words in words_of]
    shapes += [{"kind": BinKind.MISSING}, {"kind": BinKind.UNSEEN}]
    at = _word_positions(column, groups, len(shapes))
    return BinnedFeature(name, _filled(shapes, at, outcome, rules), groups=tuple(groups))


def _range_positions(column: Floats, edges: Sequence[float], codes: Sequence[float]) -> Positions:
    at = np.searchsorted(np.asarray(edges, dtype=np.float64), column, side="right")
    first = len(edges) + 1
    for position, code in enumerate(codes):
        at[column == code] = first + position
    at[np.isnan(column)] = first + len(codes)
    return at


def _word_positions(column: Floats, groups: Sequence[int], bin_count: int) -> Positions:
    table = np.array([*groups, bin_count - 2, bin_count - 1], dtype=np.intp)
    missing, unseen = len(groups), len(groups) + 1
    is_missing = np.isnan(column)
    is_known = (column >= 0) & (column < len(groups))
    at = np.where(is_known, np.where(is_missing, 0.0, column), unseen)
    return np.asarray(table[np.where(is_missing, missing, at).astype(np.intp)])


def _quantile_edges(values: Floats, count: int) -> Floats:
    """Return edges between about equally many values; none where all values are the same."""
    if not len(values):
        return np.array([])
    cuts = np.quantile(values, np.linspace(0, 1, count + 1)[1:-1], method="inverted_cdf")
    edges = np.unique(cuts)
    return np.asarray(edges[edges > values.min()])


def _counts(at: Positions, events: Floats, count: int) -> tuple[Floats, Floats]:
    rows_in = np.bincount(at, minlength=count).astype(np.float64)
    return rows_in, np.bincount(at, weights=events, minlength=count).astype(np.float64)


def _filled(
    shapes: Sequence[Mapping[str, Any]],
    at: Positions,
    outcome: npt.NDArray[Any],
    rules: BinningRules,
) -> tuple[FeatureBin, ...]:
    """Return bins of these shapes with what fell into them."""
    rows_in, events_in = _counts(at, np.asarray(outcome, dtype=np.float64), len(shapes))
    said = evidence(rows_in - events_in, events_in)
    bins = []
    for position, shape in enumerate(shapes):
        is_ranged = shape["kind"] is BinKind.RANGE
        is_thin = not is_ranged and bool(rows_in[position] < rules.min_rows)
        bins.append(
            FeatureBin(
                rows=int(rows_in[position]),
                events=int(events_in[position]),
                woe=0.0 if is_thin else float(said.woe[position]),
                information=0.0 if is_thin else float(said.information[position]),
                is_adjusted=bool(said.is_adjusted[position]) and not is_thin,
                is_thin=is_thin,
                **shape,
            )
        )
    return tuple(bins)


def _merge(
    rows_in: Floats, events_in: Floats, trend: RateTrend, rules: BinningRules, all_rows: int
) -> list[int]:
    """Return where merged bins end, as counts of the bins before the ends."""
    blocks = [[at + 1, rows_in[at], events_in[at]] for at in range(len(rows_in))]
    if trend is not RateTrend.NONE:
        blocks = _pooled(blocks, 1 if trend is RateTrend.ASCENDING else -1)
    least = rules.min_share * all_rows
    while len(blocks) > 1:
        smallest = min(range(len(blocks)), key=lambda at: blocks[at][1])
        if blocks[smallest][1] >= least:
            break
        _join(blocks, _nearer(blocks, smallest))
    while len(blocks) > rules.max_bins:
        _join(blocks, min(range(len(blocks) - 1), key=lambda at: _distance(blocks, at)))
    return [int(block[0]) for block in blocks]


def _pooled(blocks: list[list[Any]], sign: int) -> list[list[Any]]:
    """Join neighbours until the event rate only moves one way."""
    found: list[list[Any]] = []
    for block in blocks:
        found.append(list(block))
        while len(found) > 1 and sign * (_rate(found[-1]) - _rate(found[-2])) <= 0:
            _join(found, len(found) - 2)
    return found


def _nearer(blocks: list[list[Any]], at: int) -> int:
    """Return the first of the pair that a small bin and its more similar neighbour make."""
    pairs = [first for first in (at - 1, at) if 0 <= first < len(blocks) - 1]
    return min(pairs, key=lambda first: abs(_rate(blocks[first]) - _rate(blocks[first + 1])))


def _distance(blocks: list[list[Any]], at: int) -> float:
    """Return how much two neighbours differ: the chi-square of their event rates, by variance."""
    first, second = blocks[at], blocks[at + 1]
    rate = (first[2] + second[2]) / (first[1] + second[1])
    spread = max(rate * (1 - rate), 1e-12) * (1 / first[1] + 1 / second[1])
    return float((_rate(first) - _rate(second)) ** 2 / spread)


def _join(blocks: list[list[Any]], at: int) -> None:
    second = blocks.pop(at + 1)
    first = blocks[at]
    blocks[at] = [second[0], first[1] + second[1], first[2] + second[2]]


def _rate(block: Sequence[Any]) -> float:
    return float(block[2] / block[1]) if block[1] else 0.0


def _said(
    rows_in: Floats, events_in: Floats, ends: Sequence[int], goods: float, bads: float
) -> float:
    """Return the information that merged bins keep."""
    total = 0.0
    for start, end in _spans(ends):
        bad = events_in[start:end].sum()
        good = rows_in[start:end].sum() - bad
        extra = 0.5 if not good or not bad else 0.0
        first, second = (good + extra) / goods, (bad + extra) / bads
        total += float((first - second) * np.log(first / second))
    return total


def _spans(ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip((0, *ends[:-1]), ends, strict=True)
