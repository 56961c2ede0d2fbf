"""A test of texts as written in a file or form."""

from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from campaigns.domain.campaigns.given.problems import ValueProblemCode
from campaigns.domain.campaigns.given.reader import Reader
from campaigns.domain.experiments.content_test import (
    USUAL_MARGIN,
    ContentTestPlan,
    GuardedHarm,
    WinnerMetric,
    WithoutWinner,
)

LEAST_SHARE = Decimal("0.01")
MOST_SHARE = Decimal("0.9")
LEAST_MARGIN = Decimal("0.0001")
MOST_MARGIN = Decimal("0.5")
USUAL_HOURS = 24
MOST_HOURS = 720
_Choice = TypeVar("_Choice", bound=StrEnum)
_KNOWN = {"test_share", "metric", "decide_after_hours", "without_winner", "margins"}


def read_content_test(value: Any, read: Reader, path: str) -> ContentTestPlan | None:
    """Return the test that a JSON object describes; None where there is none."""
    if value is None:
        return None
    known = read.mapping(value, path)
    for key in sorted(set(known) - _KNOWN):
        read.wrong(f"{path}.{key}", ValueProblemCode.UNKNOWN_KEY)
    share = read.number(known, "test_share", f"{path}.test_share", None)
    if share is None:
        read.wrong(f"{path}.test_share", ValueProblemCode.NUMBER_EXPECTED)
        share = LEAST_SHARE
    _within(share, LEAST_SHARE, MOST_SHARE, 3, f"{path}.test_share", read)
    hours = read.whole(known, "decide_after_hours", f"{path}.decide_after_hours", USUAL_HOURS)
    _within(Decimal(hours), Decimal(1), Decimal(MOST_HOURS), 0, f"{path}.decide_after_hours", read)
    margins = read.mapping(known.get("margins") or {}, f"{path}.margins")
    for key in sorted(set(margins) - set(GuardedHarm)):
        read.wrong(f"{path}.margins.{key}", ValueProblemCode.UNKNOWN_KEY)
    borne: dict[GuardedHarm, Decimal] = {}
    for harm in GuardedHarm:
        where = f"{path}.margins.{harm}"
        borne[harm] = read.number(margins, harm, where, USUAL_MARGIN) or Decimal(0)
        _within(borne[harm], LEAST_MARGIN, MOST_MARGIN, 4, where, read)
    return ContentTestPlan(
        test_share=share,
        metric=_one_of(WinnerMetric, known, "metric", WinnerMetric.CLICKED, path, read),
        decide_after_hours=hours,
        without_winner=_one_of(
            WithoutWinner, known, "without_winner", WithoutWinner.CONTROL, path, read
        ),
        margins=borne,
    )


def _one_of(
    choices: type[_Choice], known: Any, key: str, usual: _Choice, path: str, read: Reader
) -> _Choice:
    value = known.get(key, usual)
    if value in set(choices):
        return choices(value)
    read.wrong(f"{path}.{key}", ValueProblemCode.ONE_OF, ", ".join(choices))
    return usual


def _within(
    number: Decimal, least: Decimal, most: Decimal, decimals: int, path: str, read: Reader
) -> None:
    if path in {problem.path for problem in read.problems}:
        return
    if number < least:
        read.wrong(path, ValueProblemCode.AT_LEAST, str(least))
    elif number > most:
        read.wrong(path, ValueProblemCode.AT_MOST, str(most))
    elif number != round(number, decimals):
        read.wrong(path, ValueProblemCode.TOO_MANY_DECIMALS, str(decimals))
