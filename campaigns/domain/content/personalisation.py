"""Whether an audience is chosen by what people did or how a model judges them.

Source: PIPL article 24: marketing by automated decision must offer a choice that does not rest on
personal characteristics, or an easy way to refuse; who refused is left out of such audiences.
"""

from typing import assert_never

from customers.domain.segments.ast import (
    AllOf,
    AnyOf,
    Compare,
    ConsentCondition,
    EventCondition,
    LoanCondition,
    Not,
    Rule,
    ScoreCondition,
    SegmentCondition,
    SequenceCondition,
)


def uses_behaviour(rule: Rule) -> bool:
    """Return whether any condition reads events, loans, scores or another segment."""
    match rule:
        case EventCondition() | SequenceCondition() | LoanCondition():
            return True
        case ScoreCondition() | SegmentCondition():
            return True
        case Compare() | ConsentCondition():
            return False
        case Not(child):
            return uses_behaviour(child)
        case AllOf(rules) | AnyOf(rules):
            return any(uses_behaviour(part) for part in rules)
        case _:
            assert_never(rule)
