"""The stored reason tells of all gates."""

import pytest

from campaigns.domain.evidence.gates import GateOutcome, gate_lines
from campaigns.domain.sending.eligibility import GATES, GateName, SkipReason, gate_of

NAMES = [name for name, _gate in GATES]


def _outcomes(**values):
    lines = gate_lines(**{"state": "skipped", "reason": "", "was_tried": False, **values})
    assert [line.gate for line in lines] == NAMES
    return {line.gate: line.outcome for line in lines}


@pytest.mark.parametrize("reason", [reason for reason in SkipReason if gate_of(reason)])
def test_g1_gates_before_the_objection_passed_and_those_after_were_not_asked(reason):
    found = list(_outcomes(reason=reason).values())
    at = NAMES.index(GateName(gate_of(reason)))
    assert set(found[:at]) <= {GateOutcome.PASSED}
    assert found[at] == GateOutcome.OBJECTED
    assert set(found[at + 1 :]) <= {GateOutcome.NOT_ASKED}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"state": "delivered", "was_tried": True}, GateOutcome.PASSED),
        ({"state": "skipped", "reason": "budget"}, GateOutcome.PASSED),
        ({"state": "skipped", "reason": "missing_variable"}, GateOutcome.PASSED),
        ({"state": "skipped", "reason": "expired"}, GateOutcome.NOT_ASKED),
        ({"state": "cancelled", "reason": "cancelled"}, GateOutcome.NOT_ASKED),
        ({"state": "planned"}, GateOutcome.NOT_ASKED),
    ],
)
def test_g1_without_an_objection_all_gates_say_the_same(values, expected):
    assert set(_outcomes(**values).values()) == {expected}


def test_g1_quiet_hours_put_off_and_the_control_group_is_held_out():
    waiting = _outcomes(state="planned", reason="quiet_hours")
    assert waiting[GateName.QUIET_HOURS] == GateOutcome.DEFERRED
    held = _outcomes(state="held_out", reason="holdout")
    assert held[GateName.HOLDOUT] == GateOutcome.HELD_OUT
    assert held[GateName.QUIET_HOURS] == GateOutcome.PASSED
