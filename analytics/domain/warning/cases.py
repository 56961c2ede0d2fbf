"""The life of a case: from an alert to an outcome."""

from collections.abc import Mapping
from enum import StrEnum


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    TAKEN = "taken"
    CLOSED = "closed"


class AlertEnd(StrEnum):
    """Why an alert ended.

    GONE: Its rule finds nothing any more.
    """

    GONE = "gone"
    RULE_OFF = "rule_off"


class CaseOutcome(StrEnum):
    """What came of a case.

    ENDED: The alert ended by itself before anybody took the case.
    RULE_OFF: Its rule was switched off before anybody took the case.
    """

    ACTED = "acted"
    FALSE_ALARM = "false_alarm"
    ENDED = "ended"
    RULE_OFF = "rule_off"


OUTCOME_OF_END: Mapping[AlertEnd, CaseOutcome] = {
    AlertEnd.GONE: CaseOutcome.ENDED,
    AlertEnd.RULE_OFF: CaseOutcome.RULE_OFF,
}


# What a person may say; the system says the other.
CLOSING_OUTCOMES = (CaseOutcome.ACTED, CaseOutcome.FALSE_ALARM)
