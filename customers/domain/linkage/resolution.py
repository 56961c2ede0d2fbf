"""Put records together that are one person, leave the doubtful to people, and measure both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from customers.domain.identity import Clusters
from customers.domain.linkage.model import Model, ScoredPair, learn, score
from customers.domain.linkage.records import Person

# At and above this chance two records are put together; below it, down to the other, people decide.
SURE: Final = 0.95
WORTH_A_LOOK: Final = 0.5


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
    people: Sequence[Person], *, rng: np.random.Generator, sure: float = SURE
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
    leaders, joining, apart = settle(pairs, proven_ids, sure=sure)
    return Resolution([leaders[position] for position in range(len(people))], joining, apart, model)


def settle(
    pairs: Sequence[ScoredPair], proven_ids: Mapping[int, str], *, sure: float
) -> tuple[dict[int, int], list[ScoredPair], list[ScoredPair]]:
    """Put records together, surest pairs first.

    Args:
        pairs: Most likely first.
        proven_ids: The proven national id, or an empty text, of every record that is in a pair.

    Returns:
        The leader of every record in `proven_ids`, the pairs that joined, and the doubtful ones.
    """
    clusters = Clusters()
    for position, proven_id in proven_ids.items():
        clusters.add(position, proven_id)
    joining, refused = [], []
    for pair in pairs:
        if pair.probability < sure:
            break
        is_new = clusters.leader(pair.one) != clusters.leader(pair.other)
        if not clusters.join(pair.one, pair.other):
            refused.append(pair)
        elif is_new:
            joining.append(pair)
    leaders = {position: clusters.leader(position) for position in proven_ids}
    doubtful = refused + [pair for pair in pairs if WORTH_A_LOOK <= pair.probability < sure]
    apart = [pair for pair in doubtful if leaders[pair.one] != leaders[pair.other]]
    return leaders, joining, apart


def pairwise_quality(leaders: Sequence[int], truth: Sequence[str]) -> PairwiseQuality:
    """Compare groups of records with the persons they really are, by the pairs they contain."""
    return PairwiseQuality(
        found_right=_pair_count(Counter(zip(leaders, truth, strict=True))),
        found=_pair_count(Counter(leaders)),
        true=_pair_count(Counter(truth)),
    )


def _pair_count(sizes: Mapping[object, int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())
