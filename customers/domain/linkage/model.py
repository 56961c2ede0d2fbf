"""Fellegi-Sunter: how much an agreement counts is learnt from the records themselves.

Source: Fellegi and Sunter, "A Theory for Record Linkage" (1969); estimation by expectation
maximisation after Winkler (1988), one run a blocking key with the key's own roles left out, as in
Splink; adjustment for frequent values after Winkler (1989).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from customers.domain.linkage.comparisons import LEVELS, UNKNOWN, Key, blocks, level
from customers.domain.linkage.records import Person, Role

Pair = tuple[int, int]
_Matrix = NDArray[Any]
_RANDOM_PAIRS: Final = 20_000
_ROUNDS: Final = 40
_MIN_TRAINING_PAIRS: Final = 20
_START_M: Final = (0.85, 0.05, 0.04, 0.03, 0.03)
# Roles whose frequent values say less than rare ones.
_BY_FREQUENCY: Final = frozenset(
    {Role.NAME, Role.GIVEN_NAME, Role.SURNAME, Role.CITY, Role.STREET, Role.PLACE, Role.EMAIL}
)
# No single role decides more than this many times for or against.
_MAX_WEIGHT_BITS: Final = 24.0
_MOST_ACCIDENT: Final = 0.99


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt: chances of each level, rows are roles.

    Attributes:
        m: Chance of a level when two records are one person.
        u: Chance of a level when they are two persons.
        prior: Share of all pairs of records that are one person.
        frequencies: Share of the records that have a value, for roles adjusted by it.
    """

    roles: tuple[Role, ...]
    m: _Matrix
    u: _Matrix
    prior: float
    frequencies: Mapping[Role, Mapping[str, float]]

    def weights(self) -> _Matrix:
        """Return the weight in bits of each level of each role."""
        bits = np.log2(self.m / self.u)
        return np.clip(bits, -_MAX_WEIGHT_BITS, _MAX_WEIGHT_BITS)


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """Two records and the chance that they are one person (0..1)."""

    one: int
    other: int
    probability: float


def learn(people: Sequence[Person], *, rng: np.random.Generator) -> tuple[Model, list[Pair]]:
    """Return the model of these records, and the candidate pairs worth scoring.

    Needs no examples. The same records and generator state give the same model.
    """
    present = Counter(role for person in people for role in person.values)
    roles = tuple(role for role in Role if present[role] > 1)
    by_key = [(key, pairs) for key, pairs in blocks(people) if pairs]
    candidates = sorted({pair for _, pairs in by_key for pair in pairs})
    position = {pair: row for row, pair in enumerate(candidates)}
    levels = compare(people, candidates, roles)
    u = _chances_by_accident(people, roles, rng)
    m = np.tile(np.array(_START_M), (len(roles), 1))
    votes = np.zeros((len(roles), LEVELS))
    for key, pairs in by_key:
        if len(pairs) >= _MIN_TRAINING_PAIRS:
            rows = levels[[position[pair] for pair in pairs]]
            votes += _train(rows, m, u, _free_roles(key, roles))
    m = (votes + 20 * m) / (votes.sum(axis=1, keepdims=True) + 20)
    frequencies = _frequencies(people, roles)
    model = Model(roles, m, u, _first_prior(people), frequencies)
    return _with_prior(model, levels, people), candidates


def evidence(
    model: Model, people: Sequence[Person], pairs: Sequence[Pair]
) -> tuple[_Matrix, _Matrix]:
    """Return the bits for and against every pair, without and with what rare values say."""
    levels = compare(people, pairs, model.roles)
    bits = _bits(model, levels)
    return bits, bits + _rarity_bits(model, people, pairs, levels)


def score(model: Model, people: Sequence[Person], pairs: Sequence[Pair]) -> list[ScoredPair]:
    """Return the chance of every pair; different proven ids make it zero."""
    if not pairs:
        return []
    _, odds = evidence(model, people, pairs)
    chances = probability(odds, model.prior)
    return [
        ScoredPair(one, other, 0.0 if differ_for_certain(people[one], people[other]) else chance)
        for (one, other), chance in zip(pairs, chances.tolist(), strict=True)
    ]


def differ_for_certain(one: Person, other: Person) -> bool:
    """Return whether both records prove their national id and the ids differ."""
    return bool(one.proven_id and other.proven_id and one.proven_id != other.proven_id)


def compare(people: Sequence[Person], pairs: Sequence[Pair], roles: Sequence[Role]) -> _Matrix:
    """Return the levels, a row a pair and a column a role."""
    rows = [[level(role, people[i], people[j]) for role in roles] for i, j in pairs]
    return np.array(rows, dtype=np.int8).reshape(len(pairs), len(roles))


def _chances_by_accident(
    people: Sequence[Person], roles: Sequence[Role], rng: np.random.Generator
) -> _Matrix:
    """Return u: levels among pairs drawn at random; equality is counted over all pairs instead."""
    drawn = rng.integers(0, len(people), size=(_RANDOM_PAIRS, 2))
    pairs = [(int(i), int(j)) for i, j in drawn if i != j]
    levels = compare(people, pairs, roles)
    u = np.empty((len(roles), LEVELS))
    for column, role in enumerate(roles):
        counts = np.array([(levels[:, column] == number).sum() for number in range(LEVELS)])
        rest = (counts[1:] + 0.5) / (counts.sum() + 0.5 * LEVELS)
        values = Counter(person.get(role) for person in people if person.get(role))
        total = sum(values.values())
        equal = sum(n * (n - 1) for n in values.values()) / max(1, total * (total - 1))
        u[column, 0] = min(max(equal, 1 / max(2, total) ** 2), _MOST_ACCIDENT)
        u[column, 1:] = rest / rest.sum() * (1 - u[column, 0])
    return u


def _free_roles(key: Key, roles: Sequence[Role]) -> _Matrix:
    """Return which roles a key leaves to chance: agreeing in the key itself teaches nothing."""
    return np.array([role not in key for role in roles])


def _train(levels: _Matrix, start: _Matrix, u: _Matrix, free: _Matrix) -> _Matrix:
    """Return the expected number of matches at each level, by expectation maximisation."""
    m = start.copy()
    share = 0.3
    onehot = np.stack([levels == number for number in range(LEVELS)], axis=2).astype(float)
    onehot[:, ~free, :] = 0.0
    counts = np.zeros_like(m)
    for _ in range(_ROUNDS):
        bits = np.einsum("prl,rl->p", onehot, np.log2(m / u))
        chance = probability(bits, share)
        counts = np.einsum("p,prl->rl", chance, onehot)
        m = (counts + 2 * start) / (counts.sum(axis=1, keepdims=True) + 2)
        share = float(np.clip(chance.mean(), 1e-6, 1 - 1e-6))
    return counts


def _bits(model: Model, levels: _Matrix) -> _Matrix:
    weights = model.weights()
    total = np.zeros(len(levels))
    for column in range(len(model.roles)):
        known = levels[:, column] != UNKNOWN
        total[known] += weights[column, levels[known, column]]
    return total


def _rarity_bits(
    model: Model, people: Sequence[Person], pairs: Sequence[Pair], levels: _Matrix
) -> _Matrix:
    """Return what sharing a rare value adds, and a frequent one takes away."""
    total = np.zeros(len(pairs))
    for column, role in enumerate(model.roles):
        shares = model.frequencies.get(role)
        if shares is None:
            continue
        for row in np.flatnonzero(levels[:, column] == 0).tolist():
            # A value that the model has not met is as rare as they come.
            share = shares.get(people[pairs[row][0]].get(role), 1 / (len(shares) + 1))
            total[row] += np.clip(np.log2(model.u[column, 0] / share), -6.0, 3.0)
    return total


def _frequencies(people: Sequence[Person], roles: Sequence[Role]) -> dict[Role, dict[str, float]]:
    found = {}
    for role in roles:
        if role in _BY_FREQUENCY:
            values = Counter(person.get(role) for person in people if person.get(role))
            total = sum(values.values())
            found[role] = {value: count / total for value, count in values.items()}
    return found


def _first_prior(people: Sequence[Person]) -> float:
    return 1 / max(2, len(people))


def _with_prior(model: Model, levels: _Matrix, people: Sequence[Person]) -> Model:
    bits = _bits(model, levels)
    prior = settled_prior(bits, np.ones(len(bits)), count=len(people), start=model.prior)
    return Model(model.roles, model.m, model.u, prior, model.frequencies)


def settled_prior(bits: _Matrix, weights: _Matrix, *, count: int, start: float) -> float:
    """Return the share of matches among all pairs of `count` records, found as a fixed point.

    Args:
        bits: Evidence of the candidate pairs; all other pairs count as no match.
        weights: How many pairs have that evidence.
        start: Where the search begins.
    """
    total = max(1, count * (count - 1) / 2)
    prior = start
    for _ in range(_ROUNDS):
        matches = (probability(bits, prior) * weights).sum()
        prior = float(np.clip(matches / total, 1e-12, 0.5))
    return prior


def probability(bits: _Matrix, prior: float) -> _Matrix:
    """Return the chance that a pair with this evidence is one person."""
    odds = np.clip(bits + np.log2(prior / (1 - prior)), -200.0, 200.0)
    return np.asarray(1 / (1 + np.exp2(-odds)))
