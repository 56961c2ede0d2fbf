"""What is wrong with a value that somebody gave: where, a code, and the words' blanks."""

from dataclasses import dataclass
from enum import StrEnum


class ValueProblemCode(StrEnum):
    """Why a value is refused; `campaigns.labels` has the words."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    CONTENT_EXPECTED = "content_expected"
    END_BEFORE_START = "end_before_start"
    EXISTS = "exists"
    FALLBACK_CHANNEL_EXPECTED = "fallback_channel_expected"
    FALLBACK_TEXT_EXPECTED = "fallback_text_expected"
    FLAG_EXPECTED = "flag_expected"
    LIST_EXPECTED = "list_expected"
    NUMBER_EXPECTED = "number_expected"
    OBJECT_EXPECTED = "object_expected"
    OFFER_UNDER_SERVICE = "offer_under_service"
    ONE_OF = "one_of"
    SAME_TEXT_AS_WHAT = "same_text_as_what"
    SEGMENT_EXPECTED = "segment_expected"
    SLUG_EXPECTED = "slug_expected"
    STEP_EXPECTED = "step_expected"
    TEST_RUNS_ONCE = "test_runs_once"
    TEXT_EXPECTED = "text_expected"
    TIME_EXPECTED = "time_expected"
    TOO_LONG = "too_long"
    TOO_MANY_DECIMALS = "too_many_decimals"
    TWO_VARIANTS_EXPECTED = "two_variants_expected"
    TRIGGER_OR_CALENDAR = "trigger_or_calendar"
    UNKNOWN = "unknown"
    UNKNOWN_KEY = "unknown_key"
    VARIANT_EXPECTED = "variant_expected"
    VARIANT_KEYS = "variant_keys"
    WHOLE_EXPECTED = "whole_expected"


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """One value that is refused.

    Attributes:
        path: Where it stands, as in `steps[0].channel`.
        limit: What the words' blank holds: a bound, a choice, a name of ours.
    """

    path: str
    code: ValueProblemCode
    limit: str = ""


class ValueProblems(ValueError):
    """Values are refused; `problems` names every one."""

    def __init__(self, problems: tuple[ValueProblem, ...]) -> None:
        """Keep the problems."""
        super().__init__("; ".join(f"{problem.path}: {problem.code}" for problem in problems))
        self.problems = problems
