"""Put records together that are one person, leave the doubtful to people, and measure both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from customers.domain.linkage.model import Model, Pair, ScoredPair, learn, score
from customers.domain.linkage.records import LinkageRecord

# At and above this chance two records are put together; below it, down to the other, people decide.
SURE: Final = 0.95
WORTH_A_LOOK: Final = 0.15
# Below this chance two records are two persons, whatever a third one has in common with both.
APART: Final = 0.01
# Pairs to their chances, in their order.
Judge = Callable[[Sequence[Pair]], Sequence[ScoredPair]]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who is who.

    Attributes:
        leaders: For every record the first record of the same person.
        sure: The pairs that put them together.
        doubtful: Pairs for the review queue, most likely first.
        model: What was learnt; None for fewer than two records.
    """

    leaders: Sequence[int]
    sure: Sequence[ScoredPair]
    doubtful: Sequence[ScoredPair]
    model: Model | None


@dataclass(frozen=True, slots=True)
class PairwiseQuality:
    """How well found pairs agree with the truth; a share is None where nothing could be counted."""

    found_right: int
    found: int
    true: int

    @property
    def precision(self) -> float | None:
        """Return the share of found pairs that are one person."""
        return self.found_right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Return the share of true pairs that were found."""
        return self.found_right / self.true if self.true else None

    @property
    def f1(self) -> float | None:
        """Return the harmonic mean of precision and recall."""
        total = self.found + self.true
        return 2 * self.found_right / total if total else None


def resolve(
    people: Sequence[LinkageRecord], *, rng: np.random.Generator, sure: float = SURE
) -> Resolution:
    """Put the records of each person together, surest pairs first.

    Two records with different proven national ids never meet, not even through a third.
    """
    if len(people) < 2:
        return Resolution(list(range(len(people))), [], [], None)
    model, candidates = learn(people, rng=rng)
    pairs = sorted(
        score(model, people, candidates), key=lambda pair: (-pair.probability, pair.one, pair.other)
    )
    proven_ids = {position: person.proven_id for position, person in enumerate(people)}
    leaders, joining, apart = settle(
        pairs, proven_ids, sure=sure, judge=lambda unseen: score(model, people, unseen)
    )
    return Resolution([leaders[position] for position in range(len(people))], joining, apart, model)


def settle(
    pairs: Sequence[ScoredPair], proven_ids: Mapping[int, str], *, sure: float, judge: Judge
) -> tuple[dict[int, int], list[ScoredPair], list[ScoredPair]]:
    """Put records together, surest pairs first, as long as every set holds together as a whole.

    Two sets become one when no record of one is held to be another person than a record of the
    other (complete linkage, Sorensen 1948): a chain of likenesses would make one person of a whole
    family.

    Args:
        pairs: Most likely first, smaller position first within each.
        proven_ids: The proven national id, or an empty text, of every record that is in a pair.
        sure: Chance from which two records are put together.
        judge: Scores pairs that are not among `pairs`: no key has brought them together, a third
            record has.

    Returns:
        The leader of every record in `proven_ids`, the pairs that joined, and the doubtful ones.
    """
    known = {(pair.one, pair.other): pair for pair in pairs}
    sets = {position: [position] for position in proven_ids}
    joining = []
    for pair in pairs:
        if pair.probability < sure:
            break
        one, other = sets[pair.one], sets[pair.other]
        if one is other or not _holds_together(one, other, known, proven_ids, judge):
            continue
        joining.append(pair)
        one.extend(other)
        sets.update(dict.fromkeys(other, one))
    leaders = {position: min(members) for position, members in sets.items()}
    apart = [
        pair
        for pair in pairs
        if pair.probability >= WORTH_A_LOOK and leaders[pair.one] != leaders[pair.other]
    ]
    return leaders, joining, apart


def _holds_together(
    one: Sequence[int],
    other: Sequence[int],
    known: dict[Pair, ScoredPair],
    proven_ids: Mapping[int, str],
    judge: Judge,
) -> bool:
    if len({proven_ids[position] for position in (*one, *other) if proven_ids[position]}) > 1:
        return False
    across = [(min(left, right), max(left, right)) for left in one for right in other]
    unseen = [pair for pair in across if pair not in known]
    known.update(zip(unseen, judge(unseen), strict=True))
    return all(known[pair].probability >= APART and not known[pair].contradicts for pair in across)


def pairwise_quality(leaders: Sequence[int], truth: Sequence[str]) -> PairwiseQuality:
    """Compare groups of records with the persons they really are, by the pairs they contain."""
    return PairwiseQuality(
        found_right=_pair_count(Counter(zip(leaders, truth, strict=True))),
        found=_pair_count(Counter(leaders)),
        true=_pair_count(Counter(truth)),
    )


def reviewed_quality(found: Resolution, truth: Sequence[str]) -> PairwiseQuality:
    """Measure who is together once people have answered the review queue as the truth does."""
    leaders = dict(enumerate(found.leaders))
    members: dict[int, list[int]] = {}
    for position, leader in leaders.items():
        members.setdefault(leader, []).append(position)
    for pair in found.doubtful:
        one, other = leaders[pair.one], leaders[pair.other]
        if truth[pair.one] == truth[pair.other] and one != other:
            members[one] += (moved := members.pop(other))
            leaders.update(dict.fromkeys(moved, one))
    return pairwise_quality([leaders[position] for position in sorted(leaders)], truth)


def _pair_count(sizes: Mapping[object, int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())
