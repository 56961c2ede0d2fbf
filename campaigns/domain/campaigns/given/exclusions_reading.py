"""Reading and writing a campaign's exclusions as plain values."""

from collections.abc import Mapping
from typing import Any

from campaigns.domain.campaigns.exclusions import MOST_DAYS, USUAL_DAYS, Exclusions
from campaigns.domain.campaigns.given.problems import ValueProblemCode
from campaigns.domain.campaigns.given.reader import Reader

MOST_NAMES = 20
_KEYS = {"segments", "campaigns", "tags", "messaged_days", "applied_days", "called_days"}


def read_exclusions(source: Any, read: Reader, path: str) -> Exclusions:
    """Return the exclusions that a value describes; problems are noted."""
    if not source:
        return Exclusions()
    values = read.mapping(source, path)
    for key in sorted(set(values) - _KEYS):
        read.wrong(f"{path}.{key}", ValueProblemCode.UNKNOWN_KEY)
    return Exclusions(
        segments=_names(values, "segments", read, path),
        campaigns=_names(values, "campaigns", read, path),
        tags=_names(values, "tags", read, path),
        messaged_days=_days(values, "messaged_days", read, path) or USUAL_DAYS,
        applied_days=_days(values, "applied_days", read, path),
        called_days=_days(values, "called_days", read, path),
    )


def stored_exclusions(exclusions: Exclusions) -> dict[str, Any] | None:
    """Return exclusions as plain values that `read_exclusions` reads back; None without any."""
    if not exclusions:
        return None
    return {
        "segments": list(exclusions.segments),
        "campaigns": list(exclusions.campaigns),
        "tags": list(exclusions.tags),
        "messaged_days": exclusions.messaged_days,
        "applied_days": exclusions.applied_days,
        "called_days": exclusions.called_days,
    }


def exclusions_of(value: Mapping[str, Any] | None) -> Exclusions:
    """Return stored exclusions."""
    return read_exclusions(value, Reader(), "")


def _names(values: Mapping[str, Any], key: str, read: Reader, path: str) -> tuple[str, ...]:
    given = values.get(key) or []
    if not isinstance(given, list | tuple):
        read.wrong(f"{path}.{key}", ValueProblemCode.LIST_EXPECTED)
        return ()
    if any(not isinstance(name, str) or not name or "\x00" in name for name in given):
        read.wrong(f"{path}.{key}", ValueProblemCode.TEXT_EXPECTED)
        return ()
    names = tuple(sorted(set(given)))
    if len(names) > MOST_NAMES:
        read.wrong(f"{path}.{key}", ValueProblemCode.AT_MOST, str(MOST_NAMES))
    return names


def _days(values: Mapping[str, Any], key: str, read: Reader, path: str) -> int | None:
    if values.get(key) is None:
        return None
    where = f"{path}.{key}"
    days = read.whole(values, key, where, USUAL_DAYS)
    if days < 1:
        read.wrong(where, ValueProblemCode.AT_LEAST, "1")
    elif days > MOST_DAYS:
        read.wrong(where, ValueProblemCode.AT_MOST, str(MOST_DAYS))
    return days
