"""Proportions and differences of proportions with intervals, and the check of an allocation.

Own formulas on the standard library, so that the web process need not load a numeric one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, gamma, log, sqrt
from statistics import NormalDist

SRM_ALARM_P = 0.001


@dataclass(frozen=True, slots=True)
class Proportion:
    """Successes of trials; rate and interval are None when there are no trials."""

    successes: int
    trials: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class RateDifference:
    """A difference or ratio with its interval.

    Attributes:
        is_identified: The interval exists and does not include "no effect".
    """

    value: float | None
    low: float | None
    high: float | None
    is_identified: bool


@dataclass(frozen=True, slots=True)
class AllocationCheck:
    """Comparison of how many were assigned to each group with how many should have been."""

    observed: tuple[int, ...]
    expected: tuple[float, ...]
    statistic: float | None
    p_value: float | None
    is_off: bool


_UNKNOWN = RateDifference(value=None, low=None, high=None, is_identified=False)


def wilson(successes: int, trials: int, *, confidence: float = 0.95) -> Proportion:
    """Return a proportion with its Wilson score interval, without continuity correction.

    Zero trials give a rate of None, never 0.

    Raises:
        ValueError: Negative counts, more successes than trials, or confidence outside (0, 1).

    Source: Wilson 1927; Newcombe 1998, Statistics in Medicine 17:857, method 3.
    """
    if not 0 <= successes <= trials:
        msg = "successes must be between 0 and trials"
        raise ValueError(msg)
    z = _z(confidence)
    if trials == 0:
        return Proportion(successes=0, trials=0, rate=None, low=None, high=None)
    rate = successes / trials
    scale = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / scale
    half = z * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials)) / scale
    return Proportion(
        successes=successes,
        trials=trials,
        rate=rate,
        low=0.0 if successes == 0 else max(0.0, centre - half),
        high=1.0 if successes == trials else min(1.0, centre + half),
    )


def newcombe_difference(
    treated: tuple[int, int], control: tuple[int, int], *, confidence: float = 0.95
) -> RateDifference:
    """Return treated rate minus control rate with Newcombe's hybrid score interval.

    Args:
        treated: (successes, trials).
        control: (successes, trials).
        confidence: Coverage of the interval.

    Returns:
        Value and interval are None when a group is empty; not identified when the interval
        includes zero.

    Source: Newcombe 1998, Statistics in Medicine 17:873, method 10.
    """
    first = wilson(*treated, confidence=confidence)
    second = wilson(*control, confidence=confidence)
    if first.rate is None or second.rate is None:
        return _UNKNOWN
    value = first.rate - second.rate
    low = value - sqrt(_gap(first.rate, first.low) ** 2 + _gap(second.rate, second.high) ** 2)
    high = value + sqrt(_gap(first.rate, first.high) ** 2 + _gap(second.rate, second.low) ** 2)
    return RateDifference(
        value=value,
        low=max(-1.0, low),
        high=min(1.0, high),
        is_identified=not low <= 0 <= high,
    )


def relative_lift(
    treated: tuple[int, int], control: tuple[int, int], *, confidence: float = 0.95
) -> RateDifference:
    """Return treated rate ÷ control rate − 1 with the interval of the log ratio.

    Undefined (all None) when the control rate is zero or a group is empty; without treated
    successes the value is −1 and there is no interval.

    Source: Katz, Baptista, Azen, Pike 1978, Biometrics 34:469, method C.
    """
    z = _z(confidence)
    for successes, trials in (treated, control):
        wilson(successes, trials)
    if not treated[1] or not control[1] or not control[0]:
        return _UNKNOWN
    ratio = (treated[0] / treated[1]) / (control[0] / control[1])
    if not treated[0]:
        return RateDifference(value=-1.0, low=None, high=None, is_identified=False)
    error = sqrt(1 / treated[0] - 1 / treated[1] + 1 / control[0] - 1 / control[1])
    low, high = exp(log(ratio) - z * error) - 1, exp(log(ratio) + z * error) - 1
    return RateDifference(value=ratio - 1, low=low, high=high, is_identified=not low <= 0 <= high)


def check_allocation(observed: Sequence[int], weights: Sequence[float]) -> AllocationCheck:
    """Return the chi-square test of sample ratio mismatch; it is off when p < .001.

    Args:
        observed: Persons assigned to each group.
        weights: Intended shares in the same order; they need not add up to 1.

    Raises:
        ValueError: Lengths differ, or a weight is not more than zero.

    Source: Pearson's test of fit; alarm limit as in Fabijan et al. 2019 (sample ratio mismatch).
    """
    if len(observed) != len(weights) or any(weight <= 0 for weight in weights):
        msg = "one positive weight a group is needed"
        raise ValueError(msg)
    total, share = sum(observed), sum(weights)
    expected = tuple(total * weight / share for weight in weights) if share else ()
    if total == 0 or len(observed) < 2:
        return AllocationCheck(tuple(observed), expected, None, None, is_off=False)
    statistic = sum(
        (seen - want) ** 2 / want for seen, want in zip(observed, expected, strict=True)
    )
    p_value = chi_square_tail(statistic, len(observed) - 1)
    return AllocationCheck(tuple(observed), expected, statistic, p_value, p_value < SRM_ALARM_P)


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Return P(chi-square with `degrees` degrees of freedom > statistic).

    Source: Abramowitz & Stegun 1964, 26.4.4 and 26.4.5 (finite sums for odd and even degrees).
    """
    half = statistic / 2
    if degrees % 2:
        odd = (sqrt(half) ** (2 * k - 1) / gamma(k + 0.5) for k in range(1, (degrees + 1) // 2))
        return min(1.0, erfc(sqrt(half)) + exp(-half) * sum(odd))
    return min(1.0, exp(-half) * sum(half**k / gamma(k + 1) for k in range(degrees // 2)))


def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        msg = "confidence must be between 0 and 1"
        raise ValueError(msg)
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _gap(rate: float, limit: float | None) -> float:
    return rate - (rate if limit is None else limit)
