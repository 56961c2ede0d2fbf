"""What was looked at to learn from: which rows count as what, and why others do not count."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from customers.domain.loans.instalments import months_between

# Days of the past that are looked at for what happens within a window.
SNAPSHOTS = 4
INDETERMINATE_FROM_DAYS = 30


class Exclusion(StrEnum):
    """Why a row is not learned from."""

    IMMATURE = "immature"
    INDETERMINATE = "indeterminate"
    NO_PERSONALISATION = "no_personalisation"
    OVER_BEFORE = "over_before"
    SAMPLED_OUT = "sampled_out"
    NOT_ELIGIBLE = "not_eligible"
    LATER_RUN = "later_run"
    EVENED_OUT = "evened_out"


@dataclass(frozen=True, slots=True)
class Observations:
    """Rows with an outcome, ascending by customer.

    Attributes:
        times: When each is looked at from, in microseconds since 1970: nothing later is known.
        outcome: 1 where it happened.
        treated: Who was to be written to, where the others were held out by chance; None: nobody
            was held out.
        excluded: How many rows were left out, by reason.
    """

    customer_ids: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    outcome: npt.NDArray[np.float64]
    excluded: Mapping[Exclusion, int] = field(default_factory=dict)
    treated: npt.NDArray[np.bool_] | None = None

    def part(self, chosen: npt.NDArray[Any]) -> "Observations":
        """Return some of the rows, by a mask or by ascending positions."""
        return replace(
            self,
            customer_ids=self.customer_ids[chosen],
            times=self.times[chosen],
            outcome=self.outcome[chosen],
            treated=None if self.treated is None else self.treated[chosen],
        )

    def sampled(self, most: int, seed: int) -> "Observations":
        """Return at most so many rows, drawn evenly; the same seed draws the same."""
        if len(self.outcome) <= most:
            return self
        rng = np.random.default_rng(seed)
        at = np.sort(rng.choice(len(self.outcome), most, replace=False))
        left_out = {**self.excluded, Exclusion.SAMPLED_OUT: len(self.outcome) - most}
        return replace(self.part(at), excluded=left_out)


def observations_of(
    rows: list[tuple[int, int, float]],
    excluded: Mapping[Exclusion, int],
    treated: npt.NDArray[np.bool_] | None = None,
) -> Observations:
    """Return rows of (customer, microseconds, outcome) in their one order.

    Args:
        treated: Of rows that are in that order already.
    """
    rows.sort()
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    return Observations(
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=np.float64),
        {reason: count for reason, count in excluded.items() if count},
        treated,
    )


def outcome_of_loan(
    booked_on: date,
    months: Mapping[int, int | None],
    *,
    threshold_days: int,
    by_month: int,
    as_of: date,
) -> bool | Exclusion:
    """Return whether a loan went bad by a month on book, or why it tells nothing.

    Bad was ever `threshold_days` past due by the month; good was never 30 days past due by then;
    what lies between is indeterminate. A loan that has not reached the month is immature, also one
    that is bad already: counting only those would make young loans look worse than they are.

    Args:
        months: By days past due, the month on book in which they were reached; None: never.

    Source: Siddiqi 2006, Credit Risk Scorecards, 4.
    """
    if months_between(booked_on, as_of) < by_month:
        return Exclusion.IMMATURE
    bad = months[threshold_days]
    if bad is not None and bad <= by_month:
        return True
    late = months[INDETERMINATE_FROM_DAYS]
    return Exclusion.INDETERMINATE if late is not None and late <= by_month else False


def snapshot_days(as_of: datetime, window_days: int) -> tuple[datetime, ...]:
    """Return the times to look from, the oldest first: windows that are over and do not overlap."""
    step = timedelta(days=window_days)
    return tuple(as_of - step * back for back in range(SNAPSHOTS, 0, -1))
