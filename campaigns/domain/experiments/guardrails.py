"""What a winner must not cost: opt-outs and complaints no worse than the control's by a margin."""

from dataclasses import dataclass
from enum import StrEnum

from campaigns.domain.experiments.arms import ArmSums, difference
from campaigns.domain.experiments.sequential import SequentialReading, read_at_any_time


class GuardrailVerdict(StrEnum):
    """Whether an arm is shown to be no worse than its control by more than the margin."""

    KEPT = "kept"
    OPEN = "open"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class GuardrailReading:
    """The verdict, and the difference it was read from; None where an arm is empty."""

    verdict: GuardrailVerdict
    reading: SequentialReading | None


def judge(
    control: ArmSums, arm: ArmSums, *, margin: float, alpha: float = 0.05
) -> GuardrailReading:
    """Return whether an arm's rate of harm is less than a margin above the control's.

    The interval holds at any time, so that the verdict may be asked after every batch.

    Args:
        control: People and bad outcomes of the control.
        arm: The same of the arm.
        margin: What is borne, as a difference of rates (0.001 is one more in a thousand).
        alpha: Of the two-sided interval.

    Raises:
        ValueError: The margin is not positive: "no worse at all" can never be shown.
    """
    if margin <= 0:
        msg = "margin must be positive"
        raise ValueError(msg)
    if not control.people or not arm.people:
        return GuardrailReading(GuardrailVerdict.OPEN, None)
    effect = difference(_with_pseudo(control), _with_pseudo(arm))
    if effect is None:
        return GuardrailReading(GuardrailVerdict.OPEN, None)
    reading = read_at_any_time(effect, alpha=alpha)
    if reading.low > margin:
        return GuardrailReading(GuardrailVerdict.BROKEN, reading)
    if reading.high < margin:
        return GuardrailReading(GuardrailVerdict.KEPT, reading)
    return GuardrailReading(GuardrailVerdict.OPEN, reading)


def _with_pseudo(arm: ArmSums) -> ArmSums:
    """Add one person with and one without: an arm without bad outcomes then has a spread.

    Source: Agresti and Caffo 2000, The American Statistician 54:280.
    """
    return ArmSums(arm.people + 2, arm.total + 1, arm.total_of_squares + 1)
