"""What is known of one arm of an experiment: how many people, and the first two moments."""

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class ArmSums:
    """People of an arm and the sums of what each of them did.

    Attributes:
        people: How many were assigned.
        total: Sum of the outcome over them; of a yes or no, how many said yes.
        total_of_squares: Sum of its squares.
    """

    people: int
    total: float
    total_of_squares: float

    @classmethod
    def of_yes(cls, yes: int, people: int) -> "ArmSums":
        """Return the sums of an outcome that is yes or no.

        Raises:
            ValueError: More said yes than were asked, or a count is negative.
        """
        if not 0 <= yes <= people:
            msg = "yes must be between 0 and people"
            raise ValueError(msg)
        return cls(people=people, total=float(yes), total_of_squares=float(yes))

    @property
    def mean(self) -> float:
        """Return the mean outcome a person."""
        return self.total / self.people

    @property
    def variance(self) -> float:
        """Return the variance of one person's outcome, with n - 1 in the denominator.

        A yes or no has p (1 - p) instead, as its tests are defined.
        """
        if self.total == self.total_of_squares:
            return self.mean * (1 - self.mean)
        spread = self.total_of_squares - self.total * self.total / self.people
        return max(spread, 0.0) / (self.people - 1)


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference of an arm to its control, with the standard error of the estimate."""

    value: float
    error: float
    people: int


def difference(control: ArmSums, arm: ArmSums) -> Effect | None:
    """Return by how much the arm's mean is above the control's; None where an arm is empty."""
    if not control.people or not arm.people or _is_single(control) or _is_single(arm):
        return None
    error = sqrt(control.variance / control.people + arm.variance / arm.people)
    return Effect(arm.mean - control.mean, error, control.people + arm.people)


def relative_difference(control: ArmSums, arm: ArmSums) -> Effect | None:
    """Return the difference as a share of the control's mean; its error by the delta method.

    None where an arm is empty or the control's mean is zero: nothing is a share of nothing.
    A negative base keeps the sign of what happened: from -10 to -5 is +0.5.

    Source: growthbook, packages/stats (MIT), `frequentist_variance` with relative effects.
    """
    absolute = difference(control, arm)
    if absolute is None or control.mean == 0:
        return None
    base = control.mean
    variance = arm.variance / (arm.people * base**2) + control.variance * arm.mean**2 / (
        control.people * base**4
    )
    return Effect(absolute.value / abs(base), sqrt(variance), absolute.people)


def _is_single(arm: ArmSums) -> bool:
    return arm.people == 1 and arm.total != arm.total_of_squares
