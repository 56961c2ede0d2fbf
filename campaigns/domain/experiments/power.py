"""Before the launch: how many people an effect needs, and which effect so many people can show."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import asin, ceil, sin, sqrt
from statistics import NormalDist

_NORMAL = NormalDist()

# Rises over the usual rate for which the people needed are told, as shares of it.
TOLD_RISES = (0.1, 0.2, 0.5)


@dataclass(frozen=True, slots=True)
class ExpectedPower:
    """What two groups of these sizes will show, read once at the end.

    Attributes:
        base: The usual rate; None where there is nothing to go by.
        rise: The least rise over it that is seen in four of five cases, as a difference of rates;
            None where none would be.
        needed: {rise as a share of the usual rate: people of both groups that show it}.
    """

    base: float | None
    control: int
    treated: int
    rise: float | None
    needed: Mapping[float, int]


def expected_power(
    base: float | None, control: int, treated: int, *, comparisons: int = 1
) -> ExpectedPower:
    """Return what two groups will show; with several comparisons each has its part of the error.

    Args:
        comparisons: Other arms that are held against the same control.
    """
    if base is None or not 0 < base < 1:
        return ExpectedPower(None, control, treated, None, {})
    alpha = 0.05 / comparisons
    ratio = treated / control if control and treated else 1.0
    needed = {
        rise: ceil(people_per_arm(base, base * (1 + rise), alpha=alpha, ratio=ratio) * (1 + ratio))
        for rise in TOLD_RISES
        if base * (1 + rise) < 1
    }
    rise = smallest_rise(base, control, treated, alpha=alpha)
    return ExpectedPower(base, control, treated, rise, needed)


def people_per_arm(
    base: float, wanted: float, *, alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0
) -> int:
    """Return how many people the first of two arms needs to tell two rates apart, two-sided.

    Args:
        base: Rate of the control.
        wanted: Rate that should be noticed.
        alpha: Chance of seeing a difference where there is none.
        power: Chance of seeing this one.
        ratio: People of the second arm for each of the first.

    Raises:
        ValueError: A rate is outside (0, 1), both are equal, or ratio is not positive.

    Source: Cohen 1988, arcsine effect size h; equals statsmodels' `NormalIndPower`.
    """
    _check(base, alpha, power, ratio)
    if not 0 < wanted < 1 or base == wanted:
        msg = "rates must be between 0 and 1 and differ"
        raise ValueError(msg)
    effect = 2 * (asin(sqrt(wanted)) - asin(sqrt(base)))
    needed = _NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(power)
    return ceil((1 + 1 / ratio) * (needed / effect) ** 2)


def smallest_rise(
    base: float, control: int, treated: int, *, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """Return the least rise over a base rate that two arms of these sizes show, as a difference.

    None where not even a rise to one would be seen, or an arm is empty.

    Raises:
        ValueError: base, alpha or power is outside (0, 1).

    Source: the formula of `people_per_arm`, solved for the rate.
    """
    _check(base, alpha, power, 1.0)
    if not control or not treated:
        return None
    needed = _NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(power)
    angle = asin(sqrt(base)) + needed * sqrt(1 / control + 1 / treated) / 2
    # Beyond a right angle lies no rate.
    return sin(angle) ** 2 - base if angle < asin(1) else None


def _check(base: float, alpha: float, power: float, ratio: float) -> None:
    if not (0 < base < 1 and 0 < alpha < 1 and 0 < power < 1 and ratio > 0):
        msg = "base, alpha and power must be between 0 and 1, ratio positive"
        raise ValueError(msg)
