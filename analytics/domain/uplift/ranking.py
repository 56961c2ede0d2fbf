"""How well a score ranks people by uplift: Qini and uplift curves, their areas, and intervals.

At every distinct score, from the highest down, with n people so far of whom N_t treated with Y_t
outcomes and N_c others with Y_c outcomes:

    Qini curve    Q(n) = Y_t − Y_c · N_t / N_c       extra outcomes among the treated so far
    uplift curve  U(n) = (Y_t / N_t − Y_c / N_c) · n  extra outcomes if all n were treated

with 0 for the ratio of an empty group. The area (trapezoids, people × outcomes) is that above the
straight line to the curve's end, which a random ranking follows.

Sources: Radcliffe 2007, Direct Marketing Analytics Journal 3:14; Devriendt, Guns, Verbeke 2020,
arXiv 2002.05897. Agrees with scikit-uplift 0.5.1 to nine digits.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.domain.rates import RateDifference, newcombe_difference
from analytics.domain.uplift.trial import Flags

Floats = npt.NDArray[np.float64]
PER = 1000
# What resampled people of a usual trial take fits into the memory of a small server.
_DRAWS_AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class RankedPeople:
    """People from the highest score to the lowest, equal scores by id.

    Attributes:
        order: Their rows.
        ends: Positions of the last person of every distinct score.
    """

    order: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    treated: Flags
    outcome: Flags


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas above a random ranking.

    Attributes:
        qini: Of the Qini curve, people × outcomes.
        auuc: Of the uplift curve, people × outcomes.
        qini_per_thousand: Extra outcomes for 1,000 treated people, beyond those of a random
            ranking, averaged over how far down the ranking one goes.
        auuc_per_thousand: The same of the uplift curve, for 1,000 people.
        qini_normalised: Part of the area of a perfect ranking; None where that has none.
        auuc_normalised: Part of the area of a perfect ranking; None where that has none.
    """

    qini: float
    auuc: float
    qini_per_thousand: float
    auuc_per_thousand: float
    qini_normalised: float | None
    auuc_normalised: float | None


@dataclass(frozen=True, slots=True)
class AreaEstimate:
    """A figure with its interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class RankingWorth:
    """The areas with intervals from resampled people."""

    qini: AreaEstimate
    auuc: AreaEstimate
    qini_per_thousand: AreaEstimate
    auuc_per_thousand: AreaEstimate
    qini_normalised: AreaEstimate
    auuc_normalised: AreaEstimate


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The curves after the `people` highest scores."""

    people: int
    qini: float
    uplift: float


def rank(
    scores: Floats, *, treated: Flags, outcome: Flags, ids: npt.NDArray[np.int64]
) -> RankedPeople:
    """Return people by falling score; the smaller id first among equals."""
    order = np.lexsort((ids, -scores))
    ordered = scores[order]
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    return RankedPeople(order, ends, treated[order], outcome[order])


def curves(people: RankedPeople) -> tuple[Floats, Floats, Floats]:
    """Return (n, Q(n), U(n)) at every distinct score, beginning at (0, 0, 0)."""
    n, qini, uplift = _curves(_counts(people, np.ones((1, len(people.treated)))))
    return n[0], qini[0], uplift[0]


def curve_points(people: RankedPeople, *, count: int = 20) -> tuple[CurvePoint, ...]:
    """Return about `count` points of the curves, for a chart; the first and the last among them."""
    n, qini, uplift = curves(people)
    wanted = np.linspace(0.0, float(n[-1]), count + 1)
    chosen = np.unique(np.searchsorted(n, wanted).clip(0, len(n) - 1))
    return tuple(CurvePoint(int(n[at]), float(qini[at]), float(uplift[at])) for at in chosen)


def areas(people: RankedPeople) -> Areas:
    """Return the areas above a random ranking."""
    found = _areas(people, np.ones((1, len(people.treated))))
    return Areas(**{name: _defined(values[0]) for name, values in found.items()})  # type: ignore[arg-type]


def worth(
    people: RankedPeople, *, seed: int, draws: int = 1000, confidence: float = 0.95
) -> RankingWorth:
    """Return the areas with percentile intervals of resampled people.

    People are drawn with replacement within the treated and within the others, so that the sizes of
    the groups, which somebody chose, stay. The score is taken as given: that it was learned from
    other people is the caller's business.

    Source: Efron, Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, list[Floats]] = {name: [] for name in Areas.__dataclass_fields__}
    for first in range(0, draws, _DRAWS_AT_ONCE):
        weights = _resampled(people.treated, min(_DRAWS_AT_ONCE, draws - first), rng)
        for name, values in _areas(people, weights).items():
            found[name].append(values)
    seen = areas(people)
    return RankingWorth(
        **{
            name: _estimate(getattr(seen, name), np.concatenate(parts), confidence)
            for name, parts in found.items()
        }
    )


def qini_gain(
    first: RankedPeople,
    second: RankedPeople,
    *,
    seed: int,
    draws: int = 1000,
    confidence: float = 0.95,
) -> AreaEstimate:
    """Return by how much one ranking's Qini area per thousand is larger than another's, paired.

    Args:
        first: The same people as `second`, in another order; every draw is of both.
    """
    rng = np.random.default_rng(seed)
    place = np.empty(len(first.order), dtype=np.intp)
    place[first.order] = np.arange(len(first.order))
    to_second = place[second.order]
    drawn = []
    for start in range(0, draws, _DRAWS_AT_ONCE):
        weights = _resampled(first.treated, min(_DRAWS_AT_ONCE, draws - start), rng)
        gains = [
            _areas(people, weighed)["qini_per_thousand"]
            for people, weighed in ((first, weights), (second, weights[:, to_second]))
        ]
        drawn.append(gains[0] - gains[1])
    seen = areas(first).qini_per_thousand - areas(second).qini_per_thousand
    return _estimate(seen, np.concatenate(drawn), confidence)


def uplift_at(people: RankedPeople, share: float) -> RateDifference:
    """Return the uplift among the best `share` of all people, with Newcombe's interval.

    Raises:
        ValueError: The share is not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        msg = "a share above 0 and at most 1 is needed"
        raise ValueError(msg)
    count = int(len(people.treated) * share)
    return difference(people.treated[:count], people.outcome[:count])


def uplift_at_by_group(people: RankedPeople, share: float) -> float | None:
    """Return the rate of the best `share` of the treated minus that of the best of the others."""
    rates = []
    for group in (people.treated, ~people.treated):
        outcomes = people.outcome[group]
        best = outcomes[: int(outcomes.size * share)]
        if not best.size:
            return None
        rates.append(float(best.mean()))
    return rates[0] - rates[1]


def difference(treated: Flags, outcome: Flags) -> RateDifference:
    """Return the rate of the treated minus that of the others, with Newcombe's interval."""
    return newcombe_difference(
        (int(outcome[treated].sum()), int(treated.sum())),
        (int(outcome[~treated].sum()), int((~treated).sum())),
    )


def _resampled(treated: Flags, draws: int, rng: np.random.Generator) -> Floats:
    """Return how often each person is drawn, one row a draw."""
    weights = np.zeros((draws, len(treated)))
    for group in (np.flatnonzero(treated), np.flatnonzero(~treated)):
        drawn = rng.integers(group.size, size=(draws, group.size))
        places = drawn + group.size * np.arange(draws)[:, None]
        counted = np.bincount(places.ravel(), minlength=draws * group.size)
        weights[:, group] = counted.reshape(draws, group.size)
    return weights


def _estimate(value: float | None, drawn: Floats, confidence: float) -> AreaEstimate:
    known = drawn[np.isfinite(drawn)]
    if value is None or not known.size:
        return AreaEstimate(value, None, None)
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return AreaEstimate(value, float(low), float(high))


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _counts(people: RankedPeople, weights: Floats) -> Floats:
    """Return N_t, Y_t, N_c and Y_c, of every draw at every distinct score."""
    with_treatment = weights * people.treated
    without = weights - with_treatment
    parts = (with_treatment, with_treatment * people.outcome, without, without * people.outcome)
    return np.stack([np.cumsum(part, axis=1)[:, people.ends] for part in parts])


def _curves(counts: Floats) -> tuple[Floats, Floats, Floats]:
    start = np.zeros((*counts.shape[:2], 1))
    treated, treated_outcomes, others, other_outcomes = np.concatenate([start, counts], axis=2)
    n = treated + others
    qini = treated_outcomes - other_outcomes * _ratio(treated, others)
    uplift = (_ratio(treated_outcomes, treated) - _ratio(other_outcomes, others)) * n
    return n, qini, uplift


def _areas(people: RankedPeople, weights: Floats) -> dict[str, Floats]:
    """Return {name of an area: its value in each draw}; NaN where it is not defined."""
    counts = _counts(people, weights)
    n, qini, uplift = _curves(counts)
    qini_area, auuc_area = _above(n, qini), _above(n, uplift)
    best_qini, best_auuc = _perfect(counts[:, :, -1])
    size, treated = n[:, -1], counts[0, :, -1]
    return {
        "qini": qini_area,
        "auuc": auuc_area,
        "qini_per_thousand": PER * _ratio(qini_area, size * treated),
        "auuc_per_thousand": PER * auuc_area / size**2,
        "qini_normalised": _part(qini_area, best_qini),
        "auuc_normalised": _part(auuc_area, best_auuc),
    }


def _perfect(totals: Floats) -> tuple[Floats, Floats]:
    """Return the areas of rankings that know what everybody did.

    Best first: by what treatment seems to have changed; equal people are one step. Which of the
    treated without the outcome and the others with it comes last in the uplift curve is as in
    scikit-uplift.
    """
    treated, hits, others, others_hits = totals
    misses, others_misses, none = treated - hits, others - others_hits, np.zeros_like(treated)
    hit, miss = (hits, hits, none, none), (misses, none, none, none)
    other_miss, other_hit = (
        (none, none, others_misses, none),
        (none, none, others_hits, others_hits),
    )
    neither = (misses, none, others_misses, none)
    n, qini, _ = _curves(_cumulated(hit, neither, other_hit))
    first, _, uplift = _curves(_cumulated(hit, other_miss, other_hit, miss))
    second, _, other_uplift = _curves(_cumulated(hit, other_miss, miss, other_hit))
    by_uplift = np.where(others_hits > misses, _above(first, uplift), _above(second, other_uplift))
    return _above(n, qini), by_uplift


def _cumulated(*cells: tuple[Floats, Floats, Floats, Floats]) -> Floats:
    # A step of nobody adds no area, so that it need not be left out.
    return np.cumsum(np.stack([np.stack(cell) for cell in cells], axis=2), axis=2)


def _above(n: Floats, values: Floats) -> Floats:
    return np.asarray(np.trapezoid(values, n, axis=1) - n[:, -1] * values[:, -1] / 2)


def _ratio(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def _part(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under != 0)
