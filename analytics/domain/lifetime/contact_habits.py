"""When a person is usually there, and on which channel they respond: rates that few events move.

A person's own counts are added to what is usual in their group, which counts like a few events of
their own. Whoever did nothing yet is as their group is; whoever did much is as they are themselves.

Source: Dirichlet-multinomial and beta-binomial smoothing towards a pooled prior (Gelman et al.,
Bayesian Data Analysis, 3.4 and 5.3).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
HOURS = 24
# What is usual in the group counts like so many events of the person.
GROUP_HOURS = 12.0
GROUP_MESSAGES = 20.0


def group_hours(counts: Sequence[float] | Floats) -> Floats:
    """Return the share of each hour in a group; one event for each hour is added (Dirichlet(1)).

    Args:
        counts: Events by hour, 24 of them.
    """
    seen = _hours(counts)
    return np.asarray((seen + 1.0) / (seen.sum() + HOURS))


def smoothed_hours(
    own: Sequence[float] | Floats, group: Floats, *, weight: float = GROUP_HOURS
) -> Floats:
    """Return the share of each hour for one person; the shares add up to 1.

    Args:
        own: The person's events by hour in their own time zone, 24 of them.
        group: Shares of the group.
        weight: What the group counts like, in events; above 0.
    """
    seen = _hours(own)
    return np.asarray((seen + weight * group) / (seen.sum() + weight))


def best_hour(shares: Floats, *, opens: int = 0, closes: int = HOURS) -> int:
    """Return the likeliest hour from `opens` to before `closes`, the earliest among equals.

    Raises:
        ValueError: There is no hour between the two.
    """
    if not 0 <= opens < closes <= HOURS:
        msg = "an hour from 0 to 23 and a later one up to 24 are needed"
        raise ValueError(msg)
    return opens + int(np.argmax(shares[opens:closes]))


def group_rate(responses: int, messages: int) -> float:
    """Return how often a group responds; one response in two messages is added (Laplace)."""
    return (min(responses, messages) + 1.0) / (messages + 2.0)


def smoothed_rate(
    responses: int, messages: int, group: float, *, weight: float = GROUP_MESSAGES
) -> float:
    """Return how often one person responds, between what they did and what is usual.

    Args:
        responses: Messages that were answered; more than were sent count as all of them.
        group: The rate of the group.
        weight: What the group counts like, in messages; above 0.
    """
    return (min(responses, messages) + weight * group) / (messages + weight)


def _hours(counts: Sequence[float] | Floats) -> Floats:
    found = np.asarray(counts, dtype=np.float64)
    if found.shape != (HOURS,) or (found < 0).any():
        msg = "24 counts from 0 are needed"
        raise ValueError(msg)
    return found
