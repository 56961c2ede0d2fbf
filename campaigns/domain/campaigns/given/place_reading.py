"""Where a message stands in its campaign: after how long, and for whom, as written in a file."""

from collections.abc import Mapping
from typing import Any

from campaigns.domain.campaigns.course import StepCondition
from campaigns.domain.campaigns.given.problems import ValueProblemCode
from campaigns.domain.campaigns.given.reader import Reader

USUAL_MINUTES = 60


def read_place(item: Mapping[str, Any], path: str, read: Reader) -> tuple[StepCondition, int]:
    """Return whom a message is for, and the minutes after the end of the one before.

    Args:
        path: Of the message, ending in a dot; the first one is for everybody.
    """
    wait = read.whole(item, "after_minutes", f"{path}after_minutes", USUAL_MINUTES)
    given = item.get("only_if") or StepCondition.EVERYBODY
    is_first = path in {"", "steps[0]."}
    usable = (StepCondition.EVERYBODY,) if is_first else tuple(StepCondition)
    if given not in usable:
        read.wrong(f"{path}only_if", ValueProblemCode.ONE_OF, ", ".join(usable))
        return StepCondition.EVERYBODY, wait
    return StepCondition(given), wait
