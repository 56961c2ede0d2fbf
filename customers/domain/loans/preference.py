"""Which products a customer seems to prefer, from views and applications, the recent ones more."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

HALF_LIFE_DAYS = 90
APPLICATION_WEIGHT = 3.0
VIEW_WEIGHT = 1.0
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Interest:
    """The customer looked at a product or applied for it."""

    product: str
    at: datetime
    weight: float


@dataclass(frozen=True, slots=True)
class Preference:
    """How much of the customer's decayed interest goes to a product; the shares add up to 1."""

    product: str
    score: float
    share: float


def preferences(interests: Iterable[Interest], *, as_of: datetime) -> list[Preference]:
    """Return the products by decayed interest, the most wanted first.

    Score: the sum of weight × 0.5^(age in days / 90). Later interest is left out.
    """
    scores: dict[str, float] = defaultdict(float)
    for interest in interests:
        days = (as_of - interest.at).total_seconds() / _DAY_SECONDS
        if interest.product and days >= 0:
            scores[interest.product] += interest.weight * 0.5 ** (days / HALF_LIFE_DAYS)
    total = sum(scores.values())
    found = [Preference(name, score, score / total) for name, score in scores.items()]
    return sorted(found, key=lambda preference: (-preference.score, preference.product))
