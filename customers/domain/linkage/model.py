"""Fellegi-Sunter: how much an agreement counts is learnt from the records themselves.

Source: Fellegi and Sunter, "A Theory for Record Linkage" (1969); estimation by expectation
maximisation after Winkler (1988), one run a blocking key with the key's own roles left out, as in
Splink; adjustment for frequent values after Winkler (1989).

A pair is one of three: one person, two strangers, or two people of one household. The third is
there because its roles are not independent of each other: whoever shares an address shares street,
number, postcode and mostly the surname, and two classes would take a family for one person. Source
of more than two latent classes: Larsen and Rubin, "Iterative Automated Record Linkage Using Mixture
Models" (2001).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from customers.domain.linkage.comparisons import LEVELS, UNKNOWN, Key, blocks, level
from customers.domain.linkage.records import ColumnRole, LinkageRecord

Pair = tuple[int, int]
_Matrix = NDArray[Any]
_RANDOM_PAIRS: Final = 20_000
_ROUNDS: Final = 40
_MIN_TRAINING_PAIRS: Final = 20
_START_M: Final = (0.85, 0.05, 0.04, 0.03, 0.03)
# Roles whose frequent values say less than rare ones.
_BY_FREQUENCY: Final = frozenset(
    {
        ColumnRole.NAME,
        ColumnRole.GIVEN_NAME,
        ColumnRole.SURNAME,
        ColumnRole.CITY,
        ColumnRole.STREET,
        ColumnRole.PLACE,
        ColumnRole.EMAIL,
    }
)
# No single role decides more than this many times for or against.
_MAX_WEIGHT_BITS: Final = 24.0
_MOST_ACCIDENT: Final = 0.99
# What people who live together share without being one person.
HOUSEHOLD: Final = frozenset(
    {
        ColumnRole.SURNAME,
        ColumnRole.PHONE,
        ColumnRole.STREET_NUMBER,
        ColumnRole.STREET,
        ColumnRole.PLACE,
        ColumnRole.CITY,
        ColumnRole.POSTCODE,
        ColumnRole.PROVINCE,
    }
)
_CALLED: Final = frozenset({ColumnRole.NAME, ColumnRole.GIVEN_NAME})
_HOME: Final = frozenset({ColumnRole.PHONE, ColumnRole.STREET, ColumnRole.POSTCODE})
_OWN: Final = frozenset({ColumnRole.NATIONAL_ID, ColumnRole.EMAIL})
# Birth dates in a household: twins, a day or a digit apart, brothers and sisters, the rest.
_NEIGHBOURING_BIRTHS: Final = (0.03, 0.07, 0.1, 0.2, 0.6)
# How many pairs what is expected beforehand weighs as much as.
_EXPECTED_PAIRS: Final = 20
# No class is thought to have more than this share of all pairs, so that strangers are left.
_MOST_PAIRS: Final = 0.4


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt: chances of each level, rows are roles.

    Attributes:
        m: Chance of a level when two records are one person.
        u: Chance of a level when they are two strangers.
        h: Chance of a level when they are two people of one household.
        prior: Share of all pairs of records that are one person.
        household_prior: Share of all pairs that are two people of one household.
        frequencies: Share of the records that have a value, for roles adjusted by it.
    """

    roles: tuple[ColumnRole, ...]
    m: _Matrix
    u: _Matrix
    h: _Matrix
    prior: float
    household_prior: float
    frequencies: Mapping[ColumnRole, Mapping[str, float]]

    @property
    def priors(self) -> tuple[float, float]:
        """Return the shares of one person and of one household."""
        return self.prior, self.household_prior


@dataclass(frozen=True, slots=True)
class Evidence:
    """What pairs say, in bits for one person; an entry a pair.

    Attributes:
        strangers: Against two strangers.
        household: Against two people of one household.
        plain_strangers: The same without what rare and frequent values say; so is
            `plain_household`.
        contradictions: True where they live together and are called differently.
    """

    strangers: _Matrix
    household: _Matrix
    plain_strangers: _Matrix
    plain_household: _Matrix
    contradictions: _Matrix


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """Two records and the chance that they are one person (0..1).

    Attributes:
        contradicts: They live together and are called differently: never put together by itself.
    """

    one: int
    other: int
    probability: float
    contradicts: bool = False


def learn(people: Sequence[LinkageRecord], *, rng: np.random.Generator) -> tuple[Model, list[Pair]]:
    """Return the model of these records, and the candidate pairs worth scoring.

    Needs no examples. The same records and generator state give the same model.
    """
    present = Counter(role for person in people for role in person.values)
    roles = tuple(role for role in ColumnRole if present[role] > 1)
    by_key = [(key, pairs) for key, pairs in blocks(people) if pairs]
    candidates = sorted({pair for _, pairs in by_key for pair in pairs})
    position = {pair: row for row, pair in enumerate(candidates)}
    levels = compare(people, candidates, roles)
    u = _chances_by_accident(people, roles, rng)
    start = _expected(roles, u)
    votes = np.zeros_like(start)
    for key, pairs in by_key:
        if len(pairs) >= _MIN_TRAINING_PAIRS:
            rows = levels[[position[pair] for pair in pairs]]
            votes += _train(rows, start, u, key, roles)
    m, h = _with_expected(votes, start, _EXPECTED_PAIRS, roles)
    rare = min(_MOST_PAIRS, 1 / len(people))
    model = Model(roles, m, u, h, rare, rare, _frequencies(people, roles))
    return _with_priors(model, levels, len(people)), candidates


def evidence(model: Model, people: Sequence[LinkageRecord], pairs: Sequence[Pair]) -> Evidence:
    """Return the bits for and against every pair."""
    levels = compare(people, pairs, model.roles)
    strangers, household = _bits(model, levels)
    rarity, personal_rarity = _rarity_bits(model, people, pairs, levels)
    return Evidence(
        strangers + rarity,
        household + personal_rarity,
        strangers,
        household,
        _contradictions(levels, model.roles),
    )


def score(model: Model, people: Sequence[LinkageRecord], pairs: Sequence[Pair]) -> list[ScoredPair]:
    """Return the chance of every pair; different proven ids make it zero."""
    if not pairs:
        return []
    found = evidence(model, people, pairs)
    chances = probability(found.strangers, found.household, model.prior, model.household_prior)
    return [
        ScoredPair(
            one,
            other,
            0.0 if differ_for_certain(people[one], people[other]) else chance,
            contradicts,
        )
        for (one, other), chance, contradicts in zip(
            pairs, chances.tolist(), found.contradictions.tolist(), strict=True
        )
    ]


def _contradictions(levels: _Matrix, roles: Sequence[ColumnRole]) -> _Matrix:
    """Return where names differ wholly, home or phone agree, and no id or e-mail speaks for one."""
    likes = {
        role: (levels[:, column] != UNKNOWN) & (levels[:, column] <= 2)
        for column, role in enumerate(roles)
    }
    nobody = np.zeros(len(levels), dtype=bool)

    def any_of(found: Iterable[_Matrix]) -> _Matrix:
        return np.asarray(np.any([nobody, *found], axis=0))

    differ = any_of(
        levels[:, column] == LEVELS - 1 for column, role in enumerate(roles) if role in _CALLED
    )
    together = any_of(
        (levels[:, column] != UNKNOWN) & (levels[:, column] <= 1)
        for column, role in enumerate(roles)
        if role in _HOME
    )
    return differ & together & ~any_of(likes[role] for role in _OWN if role in likes)


def differ_for_certain(one: LinkageRecord, other: LinkageRecord) -> bool:
    """Return whether both records prove their national id and the ids differ."""
    return bool(one.proven_id and other.proven_id and one.proven_id != other.proven_id)


def compare(
    people: Sequence[LinkageRecord], pairs: Sequence[Pair], roles: Sequence[ColumnRole]
) -> _Matrix:
    """Return the levels, a row a pair and a column a role."""
    rows = [[level(role, people[i], people[j]) for role in roles] for i, j in pairs]
    return np.array(rows, dtype=np.int8).reshape(len(pairs), len(roles))


def _chances_by_accident(
    people: Sequence[LinkageRecord], roles: Sequence[ColumnRole], rng: np.random.Generator
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


def _expected(roles: Sequence[ColumnRole], u: _Matrix) -> _Matrix:
    """Return where the search for m and h begins: a household agrees in its own roles only."""
    m = np.tile(np.array(_START_M), (len(roles), 1))
    shared = np.array([role in HOUSEHOLD for role in roles])
    h = np.where(shared[:, None], m, u)
    if ColumnRole.BIRTH_DATE in roles:
        h[roles.index(ColumnRole.BIRTH_DATE)] = _NEIGHBOURING_BIRTHS
    return np.stack([m, h])


def _with_expected(
    counts: _Matrix, start: _Matrix, pairs: float, roles: Sequence[ColumnRole]
) -> _Matrix:
    """Return chances from counts, with what is expected as if it had been seen `pairs` times.

    Of h only the roles of the home are learnt, and how alike whole names are that share the
    surname: more would make households of damaged records of one person.
    """
    chances = (counts + pairs * start) / (counts.sum(axis=2, keepdims=True) + pairs)
    for row, role in enumerate(roles):
        if role is ColumnRole.NAME:
            equal = start[1, row, 0]
            chances[1, row] *= (1 - equal) / chances[1, row, 1:].sum()
            chances[1, row, 0] = equal
        elif role not in HOUSEHOLD:
            chances[1, row] = start[1, row]
    return np.asarray(chances)


def _train(
    levels: _Matrix, start: _Matrix, u: _Matrix, key: Key, roles: Sequence[ColumnRole]
) -> _Matrix:
    """Return how often each level is expected within persons and within households.

    By expectation maximisation over the three classes; the first axis is person, household.
    Agreeing in the key itself teaches nothing, so its roles are left to chance.
    """
    chances = start.copy()
    shares = np.array([0.3, 0.2])
    onehot = np.stack([levels == number for number in range(LEVELS)], axis=2).astype(float)
    onehot[:, [role in key for role in roles], :] = 0.0
    counts = np.zeros_like(chances)
    for _ in range(_ROUNDS):
        bits = np.einsum("prl,crl->cp", onehot, np.log2(chances / u))
        classes = _classes(bits, shares)
        counts = np.einsum("cp,prl->crl", classes, onehot)
        chances = _with_expected(counts, start, 2, roles)
        shares = np.clip(classes.mean(axis=1), 1e-6, 0.5 - 1e-6)
    return counts


def _classes(bits: _Matrix, shares: _Matrix) -> _Matrix:
    """Return the chance of one person and of one household from their bits against strangers."""
    rest = 1 - shares.sum()
    odds = np.exp2(np.clip(bits + np.log2(shares / rest)[:, None], -200.0, 200.0))
    return np.asarray(odds / (1 + odds.sum(axis=0)))


def _bits(model: Model, levels: _Matrix) -> tuple[_Matrix, _Matrix]:
    """Return the bits for one person against strangers and against one household."""
    totals = []
    for other in (model.u, model.h):
        weights = np.clip(np.log2(model.m / other), -_MAX_WEIGHT_BITS, _MAX_WEIGHT_BITS)
        total = np.zeros(len(levels))
        for column in range(len(model.roles)):
            known = levels[:, column] != UNKNOWN
            total[known] += weights[column, levels[known, column]]
        totals.append(total)
    return totals[0], totals[1]


def _rarity_bits(
    model: Model, people: Sequence[LinkageRecord], pairs: Sequence[Pair], levels: _Matrix
) -> tuple[_Matrix, _Matrix]:
    """Return what sharing a rare value adds and a frequent one takes away: of all, of own roles."""
    total, personal = np.zeros(len(pairs)), np.zeros(len(pairs))
    for column, role in enumerate(model.roles):
        shares = model.frequencies.get(role)
        if shares is None:
            continue
        for row in np.flatnonzero(levels[:, column] == 0).tolist():
            # A value that the model has not met is as rare as they come.
            share = shares.get(people[pairs[row][0]].get(role), 1 / (len(shares) + 1))
            bits = np.clip(np.log2(model.u[column, 0] / share), -6.0, 3.0)
            total[row] += bits
            if role not in HOUSEHOLD:
                personal[row] += bits
    return total, personal


def _frequencies(
    people: Sequence[LinkageRecord], roles: Sequence[ColumnRole]
) -> dict[ColumnRole, dict[str, float]]:
    found = {}
    for role in roles:
        if role in _BY_FREQUENCY:
            values = Counter(person.get(role) for person in people if person.get(role))
            total = sum(values.values())
            found[role] = {value: count / total for value, count in values.items()}
    return found


def _with_priors(model: Model, levels: _Matrix, count: int) -> Model:
    strangers, household = _bits(model, levels)
    priors = settled_priors(
        strangers, household, np.ones(len(strangers)), count=count, start=model.priors
    )
    return replace(model, prior=priors[0], household_prior=priors[1])


def settled_priors(
    strangers: _Matrix,
    household: _Matrix,
    weights: _Matrix,
    *,
    count: int,
    start: tuple[float, float],
) -> tuple[float, float]:
    """Return the shares of one person and of one household among all pairs, as a fixed point.

    Args:
        strangers: Evidence of the candidate pairs against strangers; all other pairs are strangers.
        household: Their evidence against one household.
        weights: How many pairs have that evidence.
        count: How many records there are.
        start: Where the search begins.
    """
    total = max(1, count * (count - 1) / 2)
    shares = np.array(start)
    bits = np.stack([strangers, strangers - household])
    for _ in range(_ROUNDS):
        found = (_classes(bits, shares) * weights).sum(axis=1)
        shares = np.clip(found / total, 1e-12, _MOST_PAIRS)
    return float(shares[0]), float(shares[1])


def probability(
    strangers: _Matrix, household: _Matrix, prior: float, household_prior: float
) -> _Matrix:
    """Return the chance that a pair with this evidence is one person."""
    rest = 1 - prior - household_prior
    against_strangers = np.clip(strangers + np.log2(prior / rest), -200.0, 200.0)
    against_household = np.clip(household + np.log2(prior / household_prior), -200.0, 200.0)
    return np.asarray(1 / (1 + np.exp2(-against_strangers) + np.exp2(-against_household)))
