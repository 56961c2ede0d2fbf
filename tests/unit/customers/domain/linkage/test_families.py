"""Families share address, surname and neighbouring birth dates, and stay several persons."""

import random
from collections import Counter
from datetime import date

import numpy as np
import pytest

from customers.domain.linkage.model import ScoredPair
from customers.domain.linkage.records import person_of
from customers.domain.linkage.resolution import (
    pairwise_quality,
    resolve,
    reviewed_quality,
    settle,
)
from tests.factories import families

TODAY = date(2026, 3, 4)


def judged_apart(pairs):
    return [ScoredPair(one, other, 0.0) for one, other in pairs]


@pytest.mark.parametrize("make", [families.western, families.chinese])
@pytest.mark.parametrize("style", [families.Style(), families.Style(slips=1, missing=0.05)])
def test_e12_families_are_not_merged_and_the_rest_is_queued(make, style) -> None:
    records, truth = make(3_000, random.Random(11), style)
    people = [person_of(record, today=TODAY) for record in records]

    found = resolve(people, rng=np.random.default_rng(1))
    quality = pairwise_quality(found.leaders, truth)
    reviewed = reviewed_quality(found, truth)

    assert quality.true > 1_000
    assert quality.precision is not None
    assert quality.precision >= 0.99
    assert reviewed.recall is not None
    assert reviewed.recall >= 0.95
    # Nobody becomes a crowd: a person here has four records at most.
    assert max(Counter(found.leaders).values()) <= 6


def test_e12_a_chain_of_likenesses_is_not_one_person() -> None:
    chain = [ScoredPair(at, at + 1, 0.99 - at / 1000) for at in range(6)]
    ids = dict.fromkeys(range(7), "")

    leaders, joining, apart = settle(chain, ids, sure=0.95, judge=judged_apart)

    assert Counter(leaders.values()) == {0: 2, 2: 2, 4: 2, 6: 1}
    assert len(joining) == 3
    # Every link that was not used waits for a person.
    assert [(pair.one, pair.other) for pair in apart] == [(1, 2), (3, 4), (5, 6)]


def test_e12_a_set_that_holds_together_is_one_person() -> None:
    pairs = [ScoredPair(0, 1, 0.99), ScoredPair(1, 2, 0.98), ScoredPair(0, 2, 0.4)]

    leaders, _, apart = settle(pairs, dict.fromkeys(range(3), ""), sure=0.95, judge=judged_apart)

    assert set(leaders.values()) == {0}
    assert apart == []


def test_e12_one_contradiction_keeps_a_set_apart() -> None:
    pairs = [
        ScoredPair(0, 1, 0.99),
        ScoredPair(1, 2, 0.98),
        ScoredPair(0, 2, 0.97, contradicts=True),
    ]

    leaders, _, apart = settle(pairs, dict.fromkeys(range(3), ""), sure=0.95, judge=judged_apart)

    assert Counter(leaders.values()) == {0: 2, 2: 1}
    assert len(apart) == 2
