"""Reading an experiment at any time: intervals that hold however often somebody looks.

An interval of a fixed test holds for one look that was planned. Who looks a hundred times at an
experiment without any effect and stops at the first "significant" one is wrong in a third of all
cases; a confidence sequence holds at all times at once.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

from campaigns.domain.experiments.arms import Effect

# Where the sequence is narrowest, in people of both arms; only this choice is free.
TUNED_FOR_PEOPLE = 5_000


@dataclass(frozen=True, slots=True)
class SequentialReading:
    """An effect with an interval that holds at every look, and the p value that does."""

    value: float
    low: float
    high: float
    p_value: float

    @property
    def is_identified(self) -> bool:
        """Return whether the interval leaves out "no effect"."""
        return self.low > 0 or self.high < 0


def read_at_any_time(
    effect: Effect, *, alpha: float = 0.05, tuned_for: int = TUNED_FOR_PEOPLE
) -> SequentialReading:
    """Return an effect's asymptotic confidence sequence at this moment, two-sided.

    Raises:
        ValueError: alpha is not between 0 and 1, or the effect rests on nobody.

    Source: Waudby-Smith et al. 2021, arXiv:2103.06476, theorem 2.2; rho as in growthbook's
    `sequential_rho`.
    """
    if not 0 < alpha < 1 or effect.people <= 0:
        msg = "alpha must be between 0 and 1, and people positive"
        raise ValueError(msg)
    n = effect.people
    rho_squared = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / tuned_for
    inflated = n * rho_squared + 1
    half = effect.error * sqrt(
        n * 2 * inflated / (n * n * rho_squared) * log(sqrt(inflated) / alpha)
    )
    return SequentialReading(
        value=effect.value,
        low=effect.value - half,
        high=effect.value + half,
        p_value=_p_value(effect, rho_squared=rho_squared),
    )


def _p_value(effect: Effect, *, rho_squared: float) -> float:
    if effect.error == 0:
        return 1.0 if effect.value == 0 else 0.0
    n = effect.people
    inflated = n * rho_squared + 1
    # n * error squared is the variance of one person's part of the estimate.
    score = rho_squared * n * effect.value**2 / (2 * effect.error**2 * inflated)
    return min(1.0, sqrt(inflated) * exp(-score))
