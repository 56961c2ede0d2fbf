"""What each gate said about a message, read from what is stored with it.

The gates are asked in their order and the first objection is stored, so that it tells of all of
them: those before it let the message pass, those after it were not asked.
"""

from dataclasses import dataclass
from enum import StrEnum

from campaigns.domain.sending.eligibility import GATES, GateName, SkipReason, gate_of
from campaigns.domain.sending.states import MessageState


class GateOutcome(StrEnum):
    """How a gate stood to a message when it was asked last."""

    PASSED = "passed"
    OBJECTED = "objected"
    DEFERRED = "deferred"
    HELD_OUT = "held_out"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class GateLine:
    """One gate and what it said."""

    gate: GateName
    outcome: GateOutcome


# Ends that come before anybody decides.
_BEFORE_GATES = frozenset({SkipReason.EXPIRED, SkipReason.CANCELLED, SkipReason.NOT_SENT})
_OBJECTIONS = {
    MessageState.PLANNED: GateOutcome.DEFERRED,
    MessageState.HELD_OUT: GateOutcome.HELD_OUT,
}


def gate_lines(*, state: str, reason: str, was_tried: bool) -> list[GateLine]:
    """Return every gate, in the order in which they are asked, with its answer.

    Args:
        was_tried: The message was handed to a provider at least once, so that all had let it pass.
    """
    stopper = gate_of(reason)
    names = [name for name, _gate in GATES]
    if not stopper:
        is_asked = was_tried or (bool(reason) and reason not in _BEFORE_GATES)
        outcome = GateOutcome.PASSED if is_asked else GateOutcome.NOT_ASKED
        return [GateLine(name, outcome) for name in names]
    at = names.index(GateName(stopper))
    objection = _OBJECTIONS.get(MessageState(state), GateOutcome.OBJECTED)
    return [
        GateLine(
            name,
            GateOutcome.PASSED
            if position < at
            else objection
            if position == at
            else GateOutcome.NOT_ASKED,
        )
        for position, name in enumerate(names)
    ]
