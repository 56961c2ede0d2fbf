"""More records than memory should hold: the same persons are found, page by page."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from customers.domain.linkage import wide
from customers.domain.linkage.records import LinkageRecord
from customers.domain.linkage.resolution import pairwise_quality, resolve
from customers.domain.linkage.wide import resolve_wide
from tests.unit.customers.domain.linkage.test_resolution import (
    people_of,
    population,
    with_a_slip,
)


class Shelf:
    """Records that are only handed out, and how many at most at a time."""

    def __init__(self, people: Sequence[LinkageRecord]) -> None:
        self.people = people
        self.most = 0
        self.told: list[tuple[str, int, int]] = []

    def load(self, positions: Sequence[int]) -> list[LinkageRecord]:
        self.most = max(self.most, len(positions))
        return [self.people[position] for position in positions]

    def tell(self, step: str, done: int, total: int) -> None:
        self.told.append((step, done, total))


def planted(count: int, again: int) -> tuple[list[LinkageRecord], list[str]]:
    rng = random.Random(7)
    originals = population(count, rng)
    texts = originals + [with_a_slip(one, rng) for one in originals[:again]]
    return people_of(texts), [str(number) for number in (*range(count), *range(again))]


def test_a11_page_by_page_finds_what_all_at_once_finds() -> None:
    people, _truth = planted(400, 120)
    shelf = Shelf(people)

    whole = resolve(people, rng=np.random.default_rng(1))
    paged = resolve_wide(
        count=len(people), load=shelf.load, rng=np.random.default_rng(1), on_progress=shelf.tell
    )

    def pairs(found):
        return {(pair.one, pair.other) for pair in found}

    assert list(paged.leaders) == list(whole.leaders)
    assert pairs(paged.sure) == pairs(whole.sure)
    assert pairs(paged.doubtful) == pairs(whole.doubtful)


def test_a11_a_sample_is_enough_to_learn_from_and_little_is_held_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wide, "PAGE", 100)
    people, truth = planted(3_000, 600)
    shelf = Shelf(people)

    found = resolve_wide(
        count=len(people),
        load=shelf.load,
        rng=np.random.default_rng(1),
        on_progress=shelf.tell,
        sample=900,
    )

    quality = pairwise_quality(found.leaders, truth)
    assert quality.precision is not None
    assert quality.recall is not None
    assert quality.precision >= 0.98
    assert quality.recall >= 0.9
    # The sample alone is larger than a page.
    assert shelf.most < 1_500


def test_progress_is_told_to_its_end() -> None:
    people, _truth = planted(50, 10)
    shelf = Shelf(people)

    resolve_wide(
        count=len(people), load=shelf.load, rng=np.random.default_rng(1), on_progress=shelf.tell
    )

    assert ("read", 60, 60) in shelf.told
    step, done, total = shelf.told[-1]
    assert (step, done) == ("compare", total)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_records_are_no_reason_to_fail(count: int) -> None:
    shelf = Shelf(people_of(population(count, random.Random(1))))
    found = resolve_wide(
        count=count, load=shelf.load, rng=np.random.default_rng(1), on_progress=shelf.tell
    )
    assert list(found.leaders) == list(range(count))
