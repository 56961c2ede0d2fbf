"""A test of texts on a share of the audience: what was approved of it, and what it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, assert_never

from campaigns.domain.experiments import guardrails, winner
from campaigns.domain.experiments.arms import ArmSums
from campaigns.domain.experiments.guardrails import GuardrailReading, GuardrailVerdict
from campaigns.domain.experiments.winner import ExperimentDecision, ExperimentOutcome

USUAL_MARGIN = Decimal("0.005")


class WinnerMetric(StrEnum):
    """By what the best text is known; each a share of the people of an arm."""

    CLICKED = "clicked"
    CONVERTED = "converted"
    DELIVERED = "delivered"


class WithoutWinner(StrEnum):
    """Who decides when the time is over and no text is shown to be better."""

    CONTROL = "control"
    PERSON = "person"


class GuardedHarm(StrEnum):
    """What a better text must not cost."""

    OPTED_OUT = "opted_out"
    COMPLAINED = "complained"


class ContentTestState(StrEnum):
    """How far a test has come."""

    READING = "reading"
    WAITING = "waiting"
    DECIDED = "decided"


class DecisionGround(StrEnum):
    """Why the rest gets the text that it gets."""

    SHOWN_BETTER = "shown_better"
    CONTROL_SHOWN = "control_shown"
    TIME_UP = "time_up"
    PERSON = "person"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class ContentTestPlan:
    """What is fixed before the first message, and approved.

    Attributes:
        test_share: Share of the audience that is written to first, control group included.
        decide_after_hours: From the end of the test's sending; then the test is over.
        margins: By how much a rate of harm may be above the control's, as a difference of rates.
    """

    test_share: Decimal
    metric: WinnerMetric
    decide_after_hours: int
    without_winner: WithoutWinner
    margins: Mapping[GuardedHarm, Decimal]

    @property
    def definition(self) -> dict[str, Any]:
        """Return it as plain values, as an approval covers it and a file would give it."""
        return {
            "test_share": f"{self.test_share:.3f}",
            "metric": self.metric.value,
            "decide_after_hours": self.decide_after_hours,
            "without_winner": self.without_winner.value,
            "margins": {harm.value: f"{self.margins[harm]:.4f}" for harm in GuardedHarm},
        }


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """People of an arm who were written to, or would have been but for the text, by what they did.

    Attributes:
        converted: Goal within its window after the message.
        opted_out: After the message, whatever it was about.
    """

    people: int = 0
    delivered: int = 0
    clicked: int = 0
    converted: int = 0
    opted_out: int = 0
    complained: int = 0

    def sums_of(self, what: WinnerMetric | GuardedHarm) -> ArmSums:
        """Return the sums of one outcome."""
        return ArmSums.of_yes(getattr(self, what.value), self.people)


@dataclass(frozen=True, slots=True)
class ContentTestReading:
    """How the arms stand now; it may be asked at any time.

    Attributes:
        guardrails: Of each arm but the control, how each harm stands.
    """

    control: str
    arms: Mapping[str, ArmCounts]
    decision: ExperimentDecision
    guardrails: Mapping[str, Mapping[GuardedHarm, GuardrailReading]]

    def is_broken(self, key: str) -> bool:
        """Return whether an arm is shown to do more harm than is borne."""
        found = self.guardrails.get(key, {}).values()
        return any(one.verdict is GuardrailVerdict.BROKEN for one in found)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from a reading.

    Attributes:
        winner: Whose text the rest gets; empty while that is not decided.
    """

    state: ContentTestState
    ground: DecisionGround | None = None
    winner: str = ""


def read_arms(
    arms: Mapping[str, ArmCounts], *, metric: WinnerMetric, margins: Mapping[GuardedHarm, Decimal]
) -> ContentTestReading:
    """Return how the arms stand against the first of them by its key, the control.

    An arm may win only where every guardrail is shown to be kept.

    Raises:
        ValueError: There are fewer than two arms.
    """
    control = min(arms, default="")
    others = {key: arms[key] for key in sorted(arms) if key != control}
    found = {
        key: {
            harm: guardrails.judge(
                arms[control].sums_of(harm), counts.sums_of(harm), margin=float(margins[harm])
            )
            for harm in GuardedHarm
        }
        for key, counts in others.items()
    }
    barred = frozenset(
        key
        for key, judged in found.items()
        if any(one.verdict is not GuardrailVerdict.KEPT for one in judged.values())
    )
    decision = winner.decide(
        arms[control].sums_of(metric) if control else ArmSums(0, 0, 0),
        {key: counts.sums_of(metric) for key, counts in others.items()},
        control_key=control,
        barred=barred,
    )
    return ContentTestReading(control, arms, decision, found)


def rule_on(reading: ContentTestReading, plan: ContentTestPlan, *, is_time_up: bool) -> Ruling:
    """Return what follows now, by the rule that was approved."""
    match reading.decision.outcome:
        case ExperimentOutcome.WON:
            won = reading.decision.winner or reading.control
            return Ruling(ContentTestState.DECIDED, DecisionGround.SHOWN_BETTER, won)
        case ExperimentOutcome.CONTROL_WON:
            return Ruling(ContentTestState.DECIDED, DecisionGround.CONTROL_SHOWN, reading.control)
        case ExperimentOutcome.UNDECIDED:
            return _undecided(reading, plan) if is_time_up else Ruling(ContentTestState.READING)
        case _:
            assert_never(reading.decision.outcome)


def _undecided(reading: ContentTestReading, plan: ContentTestPlan) -> Ruling:
    match plan.without_winner:
        case WithoutWinner.CONTROL:
            return Ruling(ContentTestState.DECIDED, DecisionGround.TIME_UP, reading.control)
        case WithoutWinner.PERSON:
            return Ruling(ContentTestState.WAITING)
        case _:
            assert_never(plan.without_winner)
