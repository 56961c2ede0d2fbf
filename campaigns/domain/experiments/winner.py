"""Which arm has won, by a rule that was fixed before the first message."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from campaigns.domain.experiments.arms import ArmSums, difference
from campaigns.domain.experiments.families import holm
from campaigns.domain.experiments.sequential import SequentialReading, read_at_any_time


class ExperimentOutcome(StrEnum):
    """How an experiment stands."""

    UNDECIDED = "undecided"
    WON = "won"
    # Every arm is shown to be worse than the control.
    CONTROL_WON = "control_won"


@dataclass(frozen=True, slots=True)
class ArmStanding:
    """One arm beside the control: its reading, and its p value among all arms."""

    reading: SequentialReading | None
    adjusted_p: float

    def is_shown(self, alpha: float) -> bool:
        """Return whether a difference to the control is shown among all arms."""
        return self.reading is not None and self.adjusted_p <= alpha


@dataclass(frozen=True, slots=True)
class ExperimentDecision:
    """The outcome, whose text the rest gets if it is decided, and how each arm stands."""

    outcome: ExperimentOutcome
    winner: str | None
    standings: Mapping[str, ArmStanding]


def decide(
    control: ArmSums,
    arms: Mapping[str, ArmSums],
    *,
    control_key: str,
    barred: frozenset[str] = frozenset(),
    alpha: float = 0.05,
) -> ExperimentDecision:
    """Return how an experiment stands now; it may be asked as often as one likes.

    Each arm is read against the control by a confidence sequence, and the p values are adjusted
    for the number of arms (Holm): a wrong winner is found in at most `alpha` of the experiments
    without any effect. Of several arms that are better, the one with the highest mean wins.

    Args:
        control: Sums of the control arm.
        arms: Sums of the other arms by key; a higher mean is better.
        control_key: Key of the control.
        barred: Arms that may not win, such as those whose guardrail is not kept.
        alpha: Chance of a wrong winner.

    Raises:
        ValueError: There is no other arm.
    """
    if not arms:
        msg = "an experiment has at least two arms"
        raise ValueError(msg)
    readings = {key: _read(control, arm, alpha=alpha) for key, arm in arms.items()}
    adjusted = holm([reading.p_value if reading else 1.0 for reading in readings.values()])
    standings = {
        key: ArmStanding(reading, p_value)
        for (key, reading), p_value in zip(readings.items(), adjusted, strict=True)
    }
    shown = {key: one.reading for key, one in standings.items() if one.is_shown(alpha)}
    better = [
        key for key, reading in shown.items() if reading and reading.value > 0 and key not in barred
    ]
    if better:
        winner = max(better, key=lambda key: (arms[key].mean, key))
        return ExperimentDecision(ExperimentOutcome.WON, winner, standings)
    if len(shown) == len(arms) and all(one and one.value < 0 for one in shown.values()):
        return ExperimentDecision(ExperimentOutcome.CONTROL_WON, control_key, standings)
    return ExperimentDecision(ExperimentOutcome.UNDECIDED, None, standings)


def _read(control: ArmSums, arm: ArmSums, *, alpha: float) -> SequentialReading | None:
    effect = difference(control, arm)
    # Two arms in which nothing, or the same with everybody, happened tell no spread.
    return None if effect is None or effect.error == 0 else read_at_any_time(effect, alpha=alpha)
