"""Whether a partner's loans, or a group, are worse than chance explains."""

from math import exp, floor, lgamma, log, sqrt
from typing import Final

# In standard deviations; and of what was summed up, less than the last digit.
_FAR: Final = 40
_NOTHING: Final = 1e-18


def upper_tail(bad: int, total: int, *, expected_rate: float) -> float:
    """Return the probability of at least so many bad loans where the rate is as expected.

    P(X ≥ bad), X ~ Binomial(total, expected_rate). Own sum of logarithms, so that a web process
    need not load a numeric library.

    Raises:
        ValueError: Counts that cannot be, or a rate outside (0, 1).
    """
    if not 0 <= bad <= total or not 0 < expected_rate < 1:
        msg = "bad must be within total, and the rate within (0, 1)"
        raise ValueError(msg)
    if bad == 0:
        return 1.0
    up, down = log(expected_rate), log(1 - expected_rate)
    mean = total * expected_rate
    # So far below the mean that it adds nothing, the sum need not begin; beyond it, it may end.
    first = max(bad, floor(mean - _FAR * sqrt(mean * (1 - expected_rate))))
    found = 0.0
    for count in range(first, total + 1):
        term = exp(
            lgamma(total + 1)
            - lgamma(count + 1)
            - lgamma(total - count + 1)
            + count * up
            + (total - count) * down
        )
        found += term
        if count > mean and term <= found * _NOTHING:
            break
    return min(1.0, found)


def is_above_limit(bad: int, total: int, *, expected_rate: float, alpha: float) -> bool:
    """Return whether so many bad loans are a warning: chance alone is rarer than `alpha`."""
    return total > 0 and upper_tail(bad, total, expected_rate=expected_rate) < alpha
