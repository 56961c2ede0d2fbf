"""What bins say about an outcome: weight of evidence, information value, divergence.

Throughout, weight of evidence is the logarithm of a bin's share of the non-events (good) over its
share of the events (bad): the higher, the better. Source: Siddiqi 2006, Credit Risk Scorecards, 6.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# What is added to both counts of a bin that has no events or no non-events.
ZERO_CELL = 0.5


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """Bins of one feature.

    Attributes:
        woe: Weight of evidence of each bin; 0 for a bin without rows.
        information: What each bin adds to the information value.
        is_adjusted: Which bins lacked events or non-events and were counted with 0.5 more of both.
        divergence: Jensen-Shannon divergence between the two distributions, in nats.
    """

    woe: Floats
    information: Floats
    is_adjusted: npt.NDArray[np.bool_]
    divergence: float

    @property
    def value(self) -> float:
        """Return the information value."""
        return float(self.information.sum())


def evidence(nonevents: Floats, events: Floats) -> EvidenceTable:
    """Return what bins of so many non-events and events say.

    Raises:
        ValueError: There are no events or no non-events at all.
    """
    good, bad = np.asarray(nonevents, dtype=np.float64), np.asarray(events, dtype=np.float64)
    goods, bads = good.sum(), bad.sum()
    if not goods or not bads:
        msg = "weight of evidence needs events and non-events"
        raise ValueError(msg)
    is_empty = (good + bad) == 0
    is_adjusted = ((good == 0) | (bad == 0)) & ~is_empty
    extra = np.where(is_adjusted | is_empty, ZERO_CELL, 0.0)
    of_good, of_bad = (good + extra) / goods, (bad + extra) / bads
    woe = np.where(is_empty, 0.0, np.log(of_good / of_bad))
    information = np.where(is_empty, 0.0, (of_good - of_bad) * woe)
    return EvidenceTable(woe, information, is_adjusted, _divergence(good / goods, bad / bads))


def _divergence(first: Floats, second: Floats) -> float:
    middle = (first + second) / 2
    return 0.5 * (_relative(first, middle) + _relative(second, middle))


def _relative(part: Floats, whole: Floats) -> float:
    is_there = part > 0
    return float(np.sum(part[is_there] * np.log(part[is_there] / whole[is_there])))
