"""Recency, frequency and monetary value as quintiles, and the eight groups read from them.

Source: Hughes, Strategic Database Marketing (1994), for the three values in five steps; the eight
groups are the ones that Chinese marketers use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable

STEPS = 5
_HIGH = 4
_DAY_SECONDS = 86400


class FutureDateError(ValueError):
    """A transaction lies after the time as of which recency is counted."""


class RfmGroup(StrEnum):
    """The eight groups by whether each of the three values is high (4 or 5)."""

    IMPORTANT_VALUE = "important-value"
    IMPORTANT_DEVELOP = "important-develop"
    IMPORTANT_KEEP = "important-keep"
    IMPORTANT_WIN_BACK = "important-win-back"
    GENERAL_VALUE = "general-value"
    GENERAL_DEVELOP = "general-develop"
    GENERAL_KEEP = "general-keep"
    GENERAL_WIN_BACK = "general-win-back"


# (recent, frequent) -> the two groups, of much money first.
_GROUPS: Mapping[tuple[bool, bool], tuple[RfmGroup, RfmGroup]] = {
    (True, True): (RfmGroup.IMPORTANT_VALUE, RfmGroup.GENERAL_VALUE),
    (True, False): (RfmGroup.IMPORTANT_DEVELOP, RfmGroup.GENERAL_DEVELOP),
    (False, True): (RfmGroup.IMPORTANT_KEEP, RfmGroup.GENERAL_KEEP),
    (False, False): (RfmGroup.IMPORTANT_WIN_BACK, RfmGroup.GENERAL_WIN_BACK),
}


@dataclass(frozen=True, slots=True)
class Purchases:
    """What one customer did in the period.

    Attributes:
        count: Transactions, refunds not counted; at least one.
        total_amount: Sum of the amounts in CNY, refunds subtracted.
    """

    customer_id: int
    last_at: datetime
    count: int
    total_amount: float


@dataclass(frozen=True, slots=True)
class Rfm:
    """The three scores of one customer, each from 1 (worst) to 5 (best)."""

    customer_id: int
    recency: int
    frequency: int
    monetary: int

    @property
    def cell(self) -> int:
        """Return the three digits as people write them, such as 545."""
        return self.recency * 100 + self.frequency * 10 + self.monetary

    @property
    def group(self) -> RfmGroup:
        """Return which of the eight groups the customer belongs to."""
        groups = _GROUPS[self.recency >= _HIGH, self.frequency >= _HIGH]
        return groups[0] if self.monetary >= _HIGH else groups[1]


def quintiles(values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return 1 to 5 by the rank of each value among the different values (dense ranks).

    Equal values always get the same score, and a column of one value gets 3.
    """
    column = np.asarray(values)
    different, rank = np.unique(column, return_inverse=True)
    if not different.size:
        return np.empty(0, dtype=np.int64)
    middle = (rank.reshape(column.shape) + 0.5) / different.size
    return 1 + np.floor(STEPS * middle).astype(np.int64)


def rfm_figures(purchases: Sequence[Purchases], *, as_of: datetime) -> FeatureTable:
    """Return what the scores are made of: days since the last, number, mean amount."""
    rows = [
        (
            float(_days(bought, as_of)),
            float(bought.count),
            round(bought.total_amount / bought.count, 2),
        )
        for bought in purchases
    ]
    ids = np.fromiter((bought.customer_id for bought in purchases), dtype=np.int64)
    names = ("recency_days", "frequency", "mean_amount")
    return FeatureTable(ids, names, np.array(rows, dtype=np.float64).reshape(-1, 3))


def _days(bought: Purchases, as_of: datetime) -> int:
    return int((as_of - bought.last_at).total_seconds() // _DAY_SECONDS)


def rfm_scores(purchases: Sequence[Purchases], *, as_of: datetime) -> list[Rfm]:
    """Return the scores of the customers in the order given.

    Recency is whole days since the last transaction, fewer is better; the monetary value is the
    mean amount of a transaction after refunds.

    Raises:
        FutureDateError: A last transaction lies after `as_of`.
        ValueError: A customer without any transaction.
    """
    if any(bought.last_at > as_of for bought in purchases):
        raise FutureDateError(as_of)
    if any(bought.count < 1 for bought in purchases):
        raise ValueError("a customer without transactions has no score")
    days = [_days(bought, as_of) for bought in purchases]
    # Cents decide which means are equal, not the last bit of a division.
    means = [round(bought.total_amount / bought.count, 2) for bought in purchases]
    columns = (
        STEPS + 1 - quintiles(days),
        quintiles([bought.count for bought in purchases]),
        quintiles(means),
    )
    return [
        Rfm(bought.customer_id, int(recency), int(frequency), int(monetary))
        for bought, recency, frequency, monetary in zip(purchases, *columns, strict=True)
    ]
