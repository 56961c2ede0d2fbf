"""Resolution of more records than memory should hold: they are read again, block by block.

What stays is a fingerprint of eight bytes a record and key, and the pairs that are worth a look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from customers.domain.linkage.comparisons import KEYS, MAX_BLOCK, key_values
from customers.domain.linkage.model import (
    Model,
    Pair,
    ScoredPair,
    differ_for_certain,
    evidence,
    learn,
    probability,
    score,
    settled_priors,
)
from customers.domain.linkage.records import LinkageRecord
from customers.domain.linkage.resolution import SURE, WORTH_A_LOOK, Resolution, settle
from customers.domain.linkage.search import SearchStep

# How many records the model is learnt from, and how many are in memory at a time otherwise.
SAMPLE: Final = 20_000
PAGE: Final = 2_000
# The evidence of pairs is counted in cells: finely against strangers, coarsely against households.
_BIN_BITS: Final = 0.125
_MOST_BITS: Final = 200.0
_HOUSEHOLD_BIN_BITS: Final = 0.5
_MOST_HOUSEHOLD_BITS: Final = 30.0
_Array = NDArray[Any]
# Positions to records, in their order.
Load = Callable[[Sequence[int]], Sequence[LinkageRecord]]
# Step, done, of how many.
Progress = Callable[[str, int, int], object]


@dataclass(slots=True)
class _Findings:
    """What is left of the pairs that were looked at."""

    scored: list[tuple[int, int, float, float, bool]] = field(default_factory=list)
    proven_ids: dict[int, str] = field(default_factory=dict)
    histogram: _Array = field(
        default_factory=lambda: np.zeros(
            (
                int(2 * _MOST_BITS / _BIN_BITS) + 1,
                int(2 * _MOST_HOUSEHOLD_BITS / _HOUSEHOLD_BIN_BITS) + 1,
            )
        )
    )


def resolve_wide(
    *, count: int, load: Load, rng: np.random.Generator, on_progress: Progress, sample: int = SAMPLE
) -> Resolution:
    """Put the records of each person together, as `resolve` does, in bounded memory.

    Args:
        count: How many records; they are named by their positions.
        load: Reads records; called with at most `PAGE` positions, or `sample` for learning.
        rng: For the sample.
        on_progress: Told the step (`read`, `compare`), how much is done and of how much.
        sample: From how many records the model is learnt.
    """
    leaders = list(range(count))
    if count < 2:
        return Resolution(leaders, [], [], None)
    hashes = _fingerprints(count, load, on_progress)
    people = load(_sample(hashes, sample, rng))
    model, _ = learn(people, rng=rng)
    del people
    found = _look(hashes, load, model, on_progress)
    priors = _priors(found.histogram, count, model)
    model = replace(model, prior=priors[0], household_prior=priors[1])
    strangers, household = np.array([row[2:4] for row in found.scored]).reshape(-1, 2).T
    chances = probability(strangers, household, *priors).tolist()
    pairs = [
        ScoredPair(one, other, chance, contradicts)
        for (one, other, _, _, contradicts), chance in zip(found.scored, chances, strict=True)
        if chance >= WORTH_A_LOOK
    ]
    pairs.sort(key=lambda pair: (-pair.probability, pair.one, pair.other))
    together, joining, apart = settle(
        pairs, found.proven_ids, sure=SURE, judge=lambda unseen: _judged(unseen, load, model)
    )
    for position, leader in together.items():
        leaders[position] = leader
    return Resolution(leaders, joining, apart, model)


def _fingerprints(count: int, load: Load, on_progress: Progress) -> _Array:
    """Return a number for every key and record: equal values have equal ones, 0 finds nobody.

    Values that nobody or a crowd shares are 0, as are those that are not known.
    """
    hashes = np.zeros((len(KEYS), count), dtype=np.int64)
    for start in range(0, count, PAGE):
        positions = range(start, min(start + PAGE, count))
        for position, person in zip(positions, load(positions), strict=True):
            for number, value in enumerate(key_values(person)):
                # Python salts the hashes of texts anew for every process.
                hashes[number, position] = hash(value) if value else 0
        on_progress(SearchStep.READ, positions[-1] + 1, count)
    for row in hashes:
        _, inverse, sizes = np.unique(row, return_inverse=True, return_counts=True)
        size = sizes[inverse]
        row[(size < 2) | (size > MAX_BLOCK)] = 0
    return hashes


def _groups(row: _Array) -> Iterator[_Array]:
    """Yield the positions that share a fingerprint, group by group."""
    positions = np.flatnonzero(row)
    if not len(positions):
        return
    order = positions[np.argsort(row[positions], kind="stable")]
    ends = np.flatnonzero(np.diff(row[order])) + 1
    yield from np.split(order, ends)


def _sample(hashes: _Array, size: int, rng: np.random.Generator) -> list[int]:
    """Return positions to learn from: whole groups of every key, so that pairs stay together."""
    count = hashes.shape[1]
    if count <= size:
        return list(range(count))
    chosen = set(rng.choice(count, size=size // 4, replace=False).tolist())
    used = [row for row in hashes if row.any()]
    for row in used:
        share = min(1.0, size * 3 / 4 / len(used) / np.count_nonzero(row))
        # A group is in or out as one: the draw depends on its fingerprint.
        salt = int(rng.integers(1, 2**31))
        drawn = ((row ^ salt) * 0x9E3779B97F4A7C1 % 10_000) < share * 10_000
        chosen.update(np.flatnonzero((row != 0) & drawn).tolist())
    return sorted(chosen)


def _look(hashes: _Array, load: Load, model: Model, on_progress: Progress) -> _Findings:
    found = _Findings()
    total, done = int(np.count_nonzero(hashes)), 0
    for number, row in enumerate(hashes):
        page: list[_Array] = []
        size = 0
        for group in _groups(row):
            if size + len(group) > PAGE:
                _score_page(page, hashes[:number], load, model, found)
                done += size
                on_progress(SearchStep.COMPARE, done, total)
                page, size = [], 0
            page.append(group)
            size += len(group)
        _score_page(page, hashes[:number], load, model, found)
        done += size
        on_progress(SearchStep.COMPARE, done, total)
    return found


def _score_page(
    page: Sequence[_Array], earlier: _Array, load: Load, model: Model, found: _Findings
) -> None:
    """Score the pairs of some groups that no earlier key has brought together already."""
    pairs = np.array(
        [pair for group in page for pair in combinations(sorted(group.tolist()), 2)], dtype=np.int64
    ).reshape(-1, 2)
    left, right = earlier[:, pairs[:, 0]], earlier[:, pairs[:, 1]]
    pairs = pairs[~((left == right) & (left != 0)).any(axis=0)]
    if not len(pairs):
        return
    positions = np.unique(pairs)
    people = load(positions.tolist())
    places = np.searchsorted(positions, pairs)
    local: list[Pair] = [(int(one), int(other)) for one, other in places]
    said = evidence(model, people, local)
    cells = (
        _cells(said.plain_strangers, _BIN_BITS, _MOST_BITS),
        _cells(said.plain_household, _HOUSEHOLD_BIN_BITS, _MOST_HOUSEHOLD_BITS),
    )
    np.add.at(found.histogram, cells, 1)
    # The sample is rich in pairs: its prior is never too small to keep what may count in the end.
    prior = max(model.prior, 1e-6)
    household_prior = prior * min(1.0, model.household_prior / model.prior)
    chances = probability(said.strangers, said.household, prior, household_prior)
    for row in np.flatnonzero(chances >= WORTH_A_LOOK).tolist():
        one, other = local[row]
        if differ_for_certain(people[one], people[other]):
            continue
        ends = (int(positions[one]), int(positions[other]))
        bits = float(said.strangers[row]), float(said.household[row])
        found.scored.append((*ends, *bits, bool(said.contradictions[row])))
        for end, place in zip(ends, (one, other), strict=True):
            found.proven_ids[end] = people[place].proven_id


def _judged(pairs: Sequence[Pair], load: Load, model: Model) -> list[ScoredPair]:
    """Return the chances of pairs that no key has brought together."""
    positions = sorted({position for pair in pairs for position in pair})
    place = {position: at for at, position in enumerate(positions)}
    local = [(place[one], place[other]) for one, other in pairs]
    scored = score(model, load(positions), local) if local else []
    return [
        replace(found, one=one, other=other)
        for found, (one, other) in zip(scored, pairs, strict=True)
    ]


def _cells(bits: _Array, width: float, most: float) -> _Array:
    return ((np.clip(bits, -most, most) + most) / width).astype(np.int64)


def _centres(count: int, width: float, most: float) -> _Array:
    return (np.arange(count) + 0.5) * width - most


def _priors(histogram: _Array, count: int, model: Model) -> tuple[float, float]:
    fine, coarse = histogram.nonzero()
    sizes = histogram.shape
    return settled_priors(
        _centres(sizes[0], _BIN_BITS, _MOST_BITS)[fine],
        _centres(sizes[1], _HOUSEHOLD_BIN_BITS, _MOST_HOUSEHOLD_BITS)[coarse],
        histogram[fine, coarse],
        count=count,
        start=model.priors,
    )
