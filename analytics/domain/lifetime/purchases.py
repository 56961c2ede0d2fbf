"""How often a customer bought until when: what the models of lifetime are fitted to.

Time is counted in weeks from the first purchase; purchases of one day count as one.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
DAYS_A_WEEK = 7


class PurchasesError(ValueError):
    """The figures of a customer contradict each other."""


@dataclass(frozen=True, slots=True)
class PurchaseHistory:
    """One row a customer.

    Attributes:
        ids: What the customers are called.
        repeats: x, the days with a purchase after the first.
        recency: t_x, weeks from the first purchase to the last; 0 without repeats.
        age: T, weeks from the first purchase to the end of the observation.
        mean_value: z̄, mean value of the repeat purchases; 0 without repeats.
    """

    ids: tuple[str, ...]
    repeats: Floats
    recency: Floats
    age: Floats
    mean_value: Floats

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            PurchasesError: Something is negative or no number, the last purchase is later than the
                end, or repeats and recency contradict each other.
        """
        columns = (self.repeats, self.recency, self.age, self.mean_value)
        if any(not np.isfinite(column).all() or (column < 0).any() for column in columns):
            raise PurchasesError
        if (self.recency > self.age).any() or ((self.repeats == 0) & (self.recency > 0)).any():
            raise PurchasesError


@dataclass(frozen=True, slots=True)
class Purchase:
    """One purchase."""

    customer: str
    day: date
    amount: float


def summarise(purchases: Iterable[Purchase], *, until: date) -> PurchaseHistory:
    """Return the summary of everybody who bought by the end of `until`; later purchases are unseen.

    The value of a day is the sum of its purchases. Customers come in the order of their names.

    Source: Fader, Hardie 2013, The Gamma-Gamma Model of Monetary Value (repeat purchases only).
    """
    days: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for purchase in purchases:
        if purchase.day <= until:
            days[purchase.customer][purchase.day] += purchase.amount
    ids = tuple(sorted(days))
    rows = [_row(days[name], until) for name in ids]
    table = np.array(rows, dtype=np.float64).reshape(len(ids), 4)
    return PurchaseHistory(ids, table[:, 0], table[:, 1], table[:, 2], table[:, 3])


def later_repeats(purchases: Iterable[Purchase], *, after: date, until: date) -> dict[str, int]:
    """Return {customer: days with a purchase after one day and by the end of another}."""
    days: dict[str, set[date]] = defaultdict(set)
    for purchase in purchases:
        if after < purchase.day <= until:
            days[purchase.customer].add(purchase.day)
    return {name: len(found) for name, found in days.items()}


def _row(days: dict[date, float], until: date) -> tuple[float, float, float, float]:
    first, last = min(days), max(days)
    repeats = [amount for day, amount in days.items() if day > first]
    mean = sum(repeats) / len(repeats) if repeats else 0.0
    return len(repeats), _weeks(last - first), _weeks(until - first), mean


def _weeks(span: timedelta) -> float:
    return span.days / DAYS_A_WEEK
