"""Trials of several campaigns as one: everybody once, and the same share held out throughout."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One person in one run of a campaign.

    Attributes:
        time: When the audience was frozen, in microseconds since 1970.
        is_treated: They were to be written to, whether or not they were; the others were held out.
        is_converted: They reached the campaign's goal within its window.
        holdout_share: That was planned.
    """

    customer_id: int
    time: int
    is_treated: bool
    is_converted: bool
    holdout_share: Decimal


def first_of_each(rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Return everybody's earliest row: what an earlier run did to them is in a later one's facts.

    Rows are ascending by person.
    """
    found: dict[int, TrialRow] = {}
    for row in rows:
        if row.customer_id not in found or row.time < found[row.customer_id].time:
            found[row.customer_id] = row
    return [found[key] for key in sorted(found)]


def evened(rows: Sequence[TrialRow], *, seed: int) -> list[TrialRow]:
    """Return rows of which the same share is treated, whatever share each campaign held out.

    Where one campaign holds out a tenth and another half, the treated are mostly of the first, and
    what differs between the campaigns would be taken for uplift. Of the group that a share has too
    many of, as many as fit are drawn evenly; one share alone stays as it is.
    """
    shares = sorted({row.holdout_share for row in rows})
    if len(shares) < 2:
        return list(rows)
    treated = sum(row.is_treated for row in rows)
    odds = treated / max(len(rows) - treated, 1)
    rng = np.random.default_rng(seed)
    kept: list[TrialRow] = []
    for share in shares:
        groups = {
            flag: [row for row in rows if row.holdout_share == share and row.is_treated is flag]
            for flag in (True, False)
        }
        most = {
            True: round(odds * len(groups[False])),
            False: round(len(groups[True]) / odds) if odds else 0,
        }
        for flag, group in groups.items():
            count = min(len(group), most[flag])
            chosen = np.sort(rng.choice(len(group), count, replace=False))
            kept += [group[at] for at in chosen]
    return sorted(kept, key=lambda row: (row.customer_id, row.time))
