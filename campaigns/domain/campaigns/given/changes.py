"""Fields of a campaign that may be changed, each with what it may hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from campaigns.domain.campaigns.exclusions import Exclusions
from campaigns.domain.campaigns.given.problems import ValueProblem, ValueProblemCode, ValueProblems
from campaigns.domain.campaigns.recurrence import Recurrence
from campaigns.domain.campaigns.trigger import Trigger
from campaigns.domain.compliance.offers import ProductKind
from campaigns.domain.experiments.content_test import ContentTestPlan
from campaigns.domain.sending.service_messages import ServiceKind
from customers.domain.consents.consent import Purpose

MAX_HOLDOUT = Decimal("0.5")
MAX_WINDOW_DAYS = 3650
MAX_LATE_HOURS = 8760
MOST_MESSAGES = 1_000_000_000
_Check = Callable[[Any], tuple[ValueProblemCode, str] | None]


@dataclass(frozen=True, slots=True)
class CampaignChanges:
    """Fields and values that were checked.

    Attributes:
        values: Never written to; a segment in it is whatever the caller's layer knows one by.
    """

    values: Mapping[str, Any]


def _text(longest: int, *, required: bool) -> _Check:
    def check(value: Any) -> tuple[ValueProblemCode, str] | None:
        if not isinstance(value, str) or "\x00" in value or (required and not value.strip()):
            return ValueProblemCode.TEXT_EXPECTED, ""
        return (ValueProblemCode.TOO_LONG, str(longest)) if len(value) > longest else None

    return check


def _whole(least: int, most: int) -> _Check:
    def check(value: Any) -> tuple[ValueProblemCode, str] | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return ValueProblemCode.WHOLE_EXPECTED, ""
        return _outside(Decimal(value), Decimal(least), Decimal(most))

    return check


def _number(
    most: Decimal, decimals: int, *, required: bool = False, least: Decimal = Decimal(0)
) -> _Check:
    def check(value: Any) -> tuple[ValueProblemCode, str] | None:
        if value is None and not required:
            return None
        if not isinstance(value, Decimal | int) or isinstance(value, bool):
            return ValueProblemCode.NUMBER_EXPECTED, ""
        number = Decimal(value)
        if not number.is_finite():
            return ValueProblemCode.NUMBER_EXPECTED, ""
        if found := _outside(number, least, most):
            return found
        is_finer = number != round(number, decimals)
        return (ValueProblemCode.TOO_MANY_DECIMALS, str(decimals)) if is_finer else None

    return check


def _outside(number: Decimal, least: Decimal, most: Decimal) -> tuple[ValueProblemCode, str] | None:
    if number < least:
        return ValueProblemCode.AT_LEAST, str(least)
    return (ValueProblemCode.AT_MOST, str(most)) if number > most else None


def _moment(value: Any) -> tuple[ValueProblemCode, str] | None:
    is_good = value is None or (isinstance(value, datetime) and value.tzinfo is not None)
    return None if is_good else (ValueProblemCode.TIME_EXPECTED, "")


def _flag(value: Any) -> tuple[ValueProblemCode, str] | None:
    return None if isinstance(value, bool) else (ValueProblemCode.FLAG_EXPECTED, "")


def _limit(value: Any) -> tuple[ValueProblemCode, str] | None:
    return None if value is None else _whole(1, MOST_MESSAGES)(value)


def _exclusions(value: Any) -> tuple[ValueProblemCode, str] | None:
    is_good = isinstance(value, Exclusions)
    return None if is_good else (ValueProblemCode.OBJECT_EXPECTED, "")


def _present(value: Any) -> tuple[ValueProblemCode, str] | None:
    return (ValueProblemCode.SEGMENT_EXPECTED, "") if value is None else None


def _one_of(*known: str) -> _Check:
    def check(value: Any) -> tuple[ValueProblemCode, str] | None:
        return None if value in known else (ValueProblemCode.ONE_OF, ", ".join(filter(None, known)))

    return check


def _calendar(value: Any) -> tuple[ValueProblemCode, str] | None:
    is_good = value is None or isinstance(value, Recurrence)
    return None if is_good else (ValueProblemCode.OBJECT_EXPECTED, "")


def _trigger(value: Any) -> tuple[ValueProblemCode, str] | None:
    is_good = value is None or isinstance(value, Trigger)
    return None if is_good else (ValueProblemCode.OBJECT_EXPECTED, "")


def _content_test(value: Any) -> tuple[ValueProblemCode, str] | None:
    is_good = value is None or isinstance(value, ContentTestPlan)
    return None if is_good else (ValueProblemCode.OBJECT_EXPECTED, "")


_CHECKS: Mapping[str, _Check] = {
    "name": _text(120, required=True),
    "description": _text(10_000, required=False),
    "segment": _present,
    "purpose": _one_of(*Purpose),
    "service_kind": _one_of("", *ServiceKind),
    "product_kind": _one_of(*ProductKind),
    "goal_event": _text(60, required=True),
    "goal_window_days": _whole(1, MAX_WINDOW_DAYS),
    "holdout_share": _number(MAX_HOLDOUT, 3, required=True),
    "start_at": _moment,
    "end_at": _moment,
    "stops_at_goal": _flag,
    "late_limit_hours": _whole(0, MAX_LATE_HOURS),
    "recurrence": _calendar,
    "trigger": _trigger,
    "content_test": _content_test,
    "message_limit": _limit,
    "daily_message_limit": _limit,
    "exclusions": _exclusions,
    # Nobody could be written to for nothing; who wants no limit gives none.
    "budget_amount": _number(Decimal(999_999_999_999), 2, least=Decimal("0.01")),
    "cost_per_message": _number(Decimal(999_999), 4),
}


def problem_of(name: str, value: Any, *, path: str = "") -> ValueProblem | None:
    """Return what is wrong with a value of one field, None when nothing is."""
    check = _CHECKS.get(name)
    found = (ValueProblemCode.UNKNOWN_KEY, "") if check is None else check(value)
    return ValueProblem(path or name, *found) if found else None


def end_problem(
    start_at: datetime | None, end_at: datetime | None, *, path: str = "end_at"
) -> ValueProblem | None:
    """Return what is wrong with an end that is not later than the start, None when nothing is."""
    if start_at is None or end_at is None or end_at > start_at:
        return None
    return ValueProblem(path, ValueProblemCode.END_BEFORE_START)


def parse_changes(source: Mapping[str, Any]) -> CampaignChanges:
    """Return changes that a draft may take.

    Raises:
        ValueProblems: A field is none that can be changed, or its value is wrong.
    """
    found = [problem_of(name, value) for name, value in source.items()]
    problems = tuple(problem for problem in found if problem is not None)
    if problems:
        raise ValueProblems(problems)
    return CampaignChanges(MappingProxyType(dict(source)))
