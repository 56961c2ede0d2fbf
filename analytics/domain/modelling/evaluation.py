"""How well a probability or score separates and predicts, each figure with its interval.

An outcome is 1 (the event, "bad") or 0; a higher score means a likelier event. Rows of equal scores
are never ordered by chance: a tie counts one half. Nothing here loads more than numpy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.estimates import (
    CONFIDENCE,
    Estimate,
    Floats,
    OneOutcomeError,
    bootstrap,
    mean_interval,
    z_of,
)
from analytics.domain.modelling.reliability import Calibration, calibration

__all__ = [
    "Calibration",
    "Estimate",
    "OneOutcomeError",
    "Separation",
    "auc",
    "auc_difference",
    "auc_interval",
    "bootstrap",
    "brier",
    "brier_interval",
    "calibration",
    "evaluate",
    "evaluate_groups",
    "gini",
    "ks",
    "ks_curve",
    "ks_interval",
    "log_loss",
    "log_loss_interval",
    "roc_curve",
]

Outcomes = npt.NDArray[Any]
Points = tuple[tuple[float, ...], ...]
# More points than this are not seen on a screen.
_MOST = 201
_SMALLEST = 1e-12


@dataclass(frozen=True, slots=True)
class ScoreCounts:
    """Rows by distinct score, ascending: the score, events and non-events of each."""

    scores: Floats
    events: Floats
    nonevents: Floats

    @property
    def event_count(self) -> float:
        """Return all events."""
        return float(self.events.sum())

    @property
    def nonevent_count(self) -> float:
        """Return all non-events."""
        return float(self.nonevents.sum())


def count_by_score(outcome: Outcomes, score: Floats) -> ScoreCounts:
    """Return how many events and non-events have each score.

    Raises:
        OneOutcomeError: There are no events or no non-events.
    """
    happened = np.asarray(outcome, dtype=np.float64)
    distinct, position = np.unique(np.asarray(score, dtype=np.float64), return_inverse=True)
    ones = np.ones(len(happened))
    events = np.bincount(position, happened, len(distinct)).astype(np.float64)
    rows = np.bincount(position, ones, len(distinct)).astype(np.float64)
    counted = ScoreCounts(distinct, events, rows - events)
    if not counted.event_count or not counted.nonevent_count:
        raise OneOutcomeError
    return counted


def auc(outcome: Outcomes, score: Floats) -> float:
    """Return the chance that an event scores above a non-event; a tie is one half.

    Raises:
        OneOutcomeError: There are no events or no non-events.

    Source: Mann and Whitney 1947; Hanley and McNeil 1982, Radiology 143:29.
    """
    return area_of(count_by_score(outcome, score))


def area_of(counted: ScoreCounts) -> float:
    """Return the AUC of counts, which may be weighted."""
    below = np.cumsum(counted.nonevents) - 0.5 * counted.nonevents
    won = float(counted.events @ below)
    return won / (counted.event_count * counted.nonevent_count)


def gini(outcome: Outcomes, score: Floats) -> float:
    """Return 2·AUC − 1."""
    return 2 * auc(outcome, score) - 1


def ks(outcome: Outcomes, score: Floats) -> float:
    """Return the largest gap between the distributions of non-events and events.

    Source: Kolmogorov and Smirnov's two-sample statistic; read at the end of every tie.
    """
    return largest_gap(count_by_score(outcome, score))


def largest_gap(counted: ScoreCounts) -> float:
    """Return the KS statistic of counts, which may be weighted."""
    return float(np.abs(_gaps(counted)).max())


def brier(outcome: Outcomes, probability: Floats) -> float:
    """Return the mean squared error of a probability. Source: Brier 1950."""
    return float(np.mean((np.asarray(outcome) - probability) ** 2))


def log_loss(outcome: Outcomes, probability: Floats) -> float:
    """Return the mean negative log likelihood; probabilities are held off 0 and 1 by 1e-12."""
    return float(np.mean(_losses(outcome, probability)))


def auc_interval(outcome: Outcomes, score: Floats, *, confidence: float = CONFIDENCE) -> Estimate:
    """Return the AUC with DeLong's variance on the scale of log odds, which stays inside 0 and 1.

    Source: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837; the logit interval as in Pepe
    2003, The Statistical Evaluation of Medical Tests, 5.2.
    """
    value = auc(outcome, score)
    variance = _variance(*placements(outcome, score))
    happened = float(np.sum(outcome))
    smallest = 0.5 / min(happened, len(outcome) - happened)
    held = min(max(value, smallest), 1 - smallest)
    if variance <= 0:
        # Complete separation has no placement variance; the bound of the nearest case is used.
        variance = held * (1 - held) * smallest
    half = z_of(confidence) * sqrt(variance) / (held * (1 - held))
    middle = log(held / (1 - held))
    low, high = _expit(np.array([middle - half, middle + half]))
    return Estimate(value, min(value, float(low)), max(value, float(high)))


def auc_difference(
    outcome: Outcomes, score: Floats, other: Floats, *, confidence: float = CONFIDENCE
) -> Estimate:
    """Return AUC(score) − AUC(other) on the same rows, with DeLong's paired interval."""
    first, second = placements(outcome, score), placements(outcome, other)
    value = auc(outcome, score) - auc(outcome, other)
    variance = _variance(first[0] - second[0], first[1] - second[1])
    half = z_of(confidence) * sqrt(max(variance, 0.0))
    return Estimate(value, value - half, value + half)


def placements(outcome: Outcomes, score: Floats) -> tuple[Floats, Floats]:
    """Return of each event the share of non-events below it, of each non-event of events above."""
    counted = count_by_score(outcome, score)
    position = np.searchsorted(counted.scores, score)
    happened = np.asarray(outcome) > 0.5
    below = (np.cumsum(counted.nonevents) - 0.5 * counted.nonevents) / counted.nonevent_count
    above = 1 - (np.cumsum(counted.events) - 0.5 * counted.events) / counted.event_count
    return below[position[happened]], above[position[~happened]]


def ks_interval(
    outcome: Outcomes,
    score: Floats,
    *,
    seed: int,
    rounds: int = 100,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Return the KS statistic with an interval for the true gap.

    Where the gap is largest it is a difference of two shares and spreads like one. But a largest
    gap is too large on average; drawing events and non-events again adds about half as much once
    more (tried on normal scores of known gaps), so twice what the draws add is taken off.
    """
    counted = count_by_score(outcome, score)
    gaps = np.abs(_gaps(counted))
    at = int(gaps.argmax())
    value = float(gaps[at])
    events, nonevents = _grouped(counted)
    rng = np.random.default_rng(seed)
    drawn_events = _cumulated(rng, events, rounds)
    drawn_nonevents = _cumulated(rng, nonevents, rounds)
    added = float(np.abs(drawn_nonevents - drawn_events).max(axis=1).mean()) - value
    variance, step = 0.0, 0.0
    for part in (counted.events, counted.nonevents):
        share, total = float(part[: at + 1].sum() / part.sum()), float(part.sum())
        variance += share * (1 - share) / total
        step += 0.5 / total
    half = z_of(confidence) * sqrt(variance) + step
    middle = value - 2 * added
    return Estimate(value, max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half)))


def brier_interval(
    outcome: Outcomes, probability: Floats, *, confidence: float = CONFIDENCE
) -> Estimate:
    """Return the Brier score with the interval of a mean."""
    return mean_interval((np.asarray(outcome) - probability) ** 2, confidence)


def log_loss_interval(
    outcome: Outcomes, probability: Floats, *, confidence: float = CONFIDENCE
) -> Estimate:
    """Return the log loss with the interval of a mean."""
    return mean_interval(_losses(outcome, probability), confidence)


@dataclass(frozen=True, slots=True)
class Separation:
    """The four figures of a score or probability on rows that it was not learned from."""

    rows: int
    events: int
    auc: Estimate
    ks: Estimate
    gini: Estimate
    brier: Estimate
    log_loss: Estimate

    def to_json(self) -> dict[str, Any]:
        """Return the counts and each figure as `{"value", "low", "high"}`."""
        named: Mapping[str, Estimate] = {
            "auc": self.auc, "ks": self.ks, "gini": self.gini,
            "brier": self.brier, "log_loss": self.log_loss,
        }  # fmt: skip
        shown = {name: estimate.to_json() for name, estimate in named.items()}
        return {"rows": self.rows, "events": self.events, **shown}


def evaluate(outcome: Outcomes, probability: Floats, *, seed: int) -> Separation:
    """Return how well a probability does.

    Raises:
        OneOutcomeError: There are no events or no non-events.
    """
    area = auc_interval(outcome, probability)
    return Separation(
        rows=len(outcome),
        events=int(np.sum(outcome)),
        auc=area,
        ks=ks_interval(outcome, probability, seed=seed),
        gini=Estimate(*(2 * bound - 1 for bound in (area.value, area.low, area.high))),
        brier=brier_interval(outcome, probability),
        log_loss=log_loss_interval(outcome, probability),
    )


def evaluate_groups(
    outcome: Outcomes, probability: Floats, group: npt.NDArray[Any], *, seed: int
) -> dict[str, Separation | None]:
    """Return how well a probability does in each group; None where outcomes do not differ."""
    found: dict[str, Separation | None] = {}
    for name in np.unique(group):
        chosen = group == name
        try:
            found[str(name)] = evaluate(outcome[chosen], probability[chosen], seed=seed)
        except OneOutcomeError:
            found[str(name)] = None
    return found


def roc_curve(outcome: npt.NDArray[Any], score: Floats) -> Points:
    """Return (share of non-events above a cut, share of events above it), from no row to all."""
    counted = count_by_score(outcome, score)
    events = np.concatenate([[0.0], np.cumsum(counted.events[::-1])]) / counted.event_count
    others = np.concatenate([[0.0], np.cumsum(counted.nonevents[::-1])]) / counted.nonevent_count
    return _thinned(np.column_stack([others, events]))


def ks_curve(outcome: npt.NDArray[Any], score: Floats) -> Points:
    """Return (score, share of events up to it, share of non-events up to it), ascending.

    The point where the two are furthest apart is always among them.
    """
    counted = count_by_score(outcome, score)
    events = np.cumsum(counted.events) / counted.event_count
    others = np.cumsum(counted.nonevents) / counted.nonevent_count
    furthest = int(np.abs(others - events).argmax())
    return _thinned(np.column_stack([counted.scores, events, others]), furthest)


def _thinned(rows: Floats, *always: int) -> Points:
    at = np.unique(np.linspace(0, len(rows) - 1, min(_MOST, len(rows))).astype(np.intp))
    at = np.union1d(at, np.array(always, dtype=np.intp))
    return tuple(tuple(map(float, row)) for row in rows[at])


def _gaps(counted: ScoreCounts) -> Floats:
    nonevents = np.cumsum(counted.nonevents) / counted.nonevent_count
    return np.asarray(nonevents - np.cumsum(counted.events) / counted.event_count)


def _grouped(counted: ScoreCounts, most: int = 200) -> tuple[Floats, Floats]:
    """Return the counts in at most so many runs of scores; the largest gap ends one of them."""
    if len(counted.scores) <= most:
        return counted.events, counted.nonevents
    rows = np.cumsum(counted.events + counted.nonevents)
    ends = np.searchsorted(rows, np.linspace(0, rows[-1], most + 1)[1:])
    ends = np.union1d(ends, [int(np.abs(_gaps(counted)).argmax()), len(rows) - 1])
    starts = np.concatenate([[0], ends[:-1] + 1])
    return np.add.reduceat(counted.events, starts), np.add.reduceat(counted.nonevents, starts)


def _cumulated(rng: np.random.Generator, counts: Floats, rounds: int) -> Floats:
    total = int(counts.sum())
    drawn = rng.multinomial(total, counts / counts.sum(), size=rounds)
    return np.asarray(np.cumsum(drawn, axis=1) / total)


def _variance(of_events: Floats, of_nonevents: Floats) -> float:
    parts = [part.var(ddof=1) / len(part) for part in (of_events, of_nonevents) if len(part) > 1]
    return float(sum(parts))


def _losses(outcome: Outcomes, probability: Floats) -> Floats:
    held = np.clip(probability, _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.where(np.asarray(outcome) > 0.5, -np.log(held), -np.log1p(-held)))


def _expit(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -700, 700))))
