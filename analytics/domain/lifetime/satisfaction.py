"""How content people say they are, with an interval: CSAT and NPS."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from analytics.domain.rates import Proportion, wilson
from customers.domain.events.survey import SCORES, SurveyKind

_SATISFIED_FROM = 4
_PROMOTER_FROM, _PASSIVE_FROM = 9, 7
# Three answers are added, a quarter each to either end, half to the middle, for the interval only.
_ADDED = 3.0


class SurveyScoreError(ValueError):
    """A score is not one that the question offers."""


@dataclass(frozen=True, slots=True)
class NetPromoterScore:
    """Promoters minus detractors, from −100 to 100; None without answers."""

    promoters: int
    passives: int
    detractors: int
    value: float | None
    low: float | None
    high: float | None

    @property
    def answers(self) -> int:
        """Return how many answered."""
        return self.promoters + self.passives + self.detractors


def csat(counts: Mapping[int, int]) -> Proportion:
    """Return the share of answers 4 and 5 of 1 to 5, with Wilson's interval.

    Args:
        counts: {score: answers}.

    Raises:
        SurveyScoreError: A score is none of 1 to 5.
    """
    _check(counts, SurveyKind.CSAT)
    satisfied = sum(count for score, count in counts.items() if score >= _SATISFIED_FROM)
    return wilson(satisfied, sum(counts.values()))


def nps(counts: Mapping[int, int], *, confidence: float = 0.95) -> NetPromoterScore:
    """Return promoters (9, 10) minus detractors (0 to 6) in points, with an adjusted Wald interval.

    The variance of one answer is p + d − (p − d)², with p and d the shares of the two.

    Args:
        counts: {score: answers}.

    Raises:
        SurveyScoreError: A score is none of 0 to 10.

    Source: Reichheld 2003, Harvard Business Review 81:46; interval: Rocks 2016, The American
        Statistician 70:365.
    """
    _check(counts, SurveyKind.NPS)
    total = sum(counts.values())
    promoters = sum(count for score, count in counts.items() if score >= _PROMOTER_FROM)
    detractors = sum(count for score, count in counts.items() if score < _PASSIVE_FROM)
    passives = total - promoters - detractors
    if not total:
        return NetPromoterScore(0, 0, 0, None, None, None)
    size = total + _ADDED
    up, down = (promoters + _ADDED / 4) / size, (detractors + _ADDED / 4) / size
    half = NormalDist().inv_cdf((1 + confidence) / 2) * sqrt((up + down - (up - down) ** 2) / size)
    return NetPromoterScore(
        promoters,
        passives,
        detractors,
        value=100 * (promoters - detractors) / total,
        low=max(-100.0, 100 * (up - down - half)),
        high=min(100.0, 100 * (up - down + half)),
    )


def _check(counts: Mapping[int, int], kind: SurveyKind) -> None:
    if any(score not in SCORES[kind] or count < 0 for score, count in counts.items()):
        raise SurveyScoreError
