"""Whether two experiments that the same people are in change each other's effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from campaigns.domain.experiments.arms import ArmSums, difference
from campaigns.domain.experiments.families import holm

_NORMAL = NormalDist()
_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Interaction:
    """By how much an arm's effect is another one under an arm of the other experiment.

    Attributes:
        value: Effect under that arm less the effect under the other experiment's control.
        p_value: Two-sided, adjusted for the number of pairs.
    """

    arm: str
    other_arm: str
    value: float
    low: float
    high: float
    p_value: float

    @property
    def is_shown(self) -> bool:
        """Return whether the two experiments are shown to change each other."""
        return self.p_value <= _ALPHA


def interactions(cells: Mapping[tuple[str, str], ArmSums]) -> Sequence[Interaction]:
    """Return the interaction of each pair of arms that are no controls, where it can be read.

    Args:
        cells: Sums of the people of (arm here, arm there); the first arm by its key is the control.

    Source: the difference of differences with independent cells; Cox 1958, Planning of Experiments,
    chapter 6.
    """
    here = sorted({pair[0] for pair in cells})
    there = sorted({pair[1] for pair in cells})
    found: list[tuple[str, str, float, float]] = []
    for arm in here[1:]:
        for other in there[1:]:
            under_arm = _effect(cells, (here[0], other), (arm, other))
            under_control = _effect(cells, (here[0], there[0]), (arm, there[0]))
            if under_arm is None or under_control is None:
                continue
            error = sqrt(under_arm[1] ** 2 + under_control[1] ** 2)
            if error:
                found.append((arm, other, under_arm[0] - under_control[0], error))
    adjusted = holm([2 * _NORMAL.cdf(-abs(value) / error) for _a, _b, value, error in found])
    half = _NORMAL.inv_cdf(1 - _ALPHA / 2)
    return [
        Interaction(arm, other, value, value - half * error, value + half * error, p_value)
        for (arm, other, value, error), p_value in zip(found, adjusted, strict=True)
    ]


def _effect(
    cells: Mapping[tuple[str, str], ArmSums], control: tuple[str, str], arm: tuple[str, str]
) -> tuple[float, float] | None:
    nobody = ArmSums(0, 0, 0)
    effect = difference(cells.get(control, nobody), cells.get(arm, nobody))
    return None if effect is None else (effect.value, effect.error)
