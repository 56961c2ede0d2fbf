"""Conditions on whole numbers and days as ranges, so that they become bounds on what is stored.

An age, a number of months or of days since something is not stored; the date behind it is. Each
condition is a set of inclusive ranges of the derived number, and each range one of dates.
"""

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from customers.domain.fields.catalogue import Op
from customers.domain.segments.ast import Value

Range = tuple[Any, Any]
"""Lowest and highest value, both included; None where open."""

CENT = Decimal("0.01")
_ONE_DAY = timedelta(days=1)


def number_ranges(op: Op, value: Value) -> Sequence[Range]:
    """Return the whole numbers that satisfy a condition, as disjoint inclusive ranges."""
    return _ranges(op, value, 1)


def amount_ranges(op: Op, value: Value) -> Sequence[Range]:
    """Return the amounts in CNY, whole cents, that satisfy a condition, as disjoint ranges."""
    return _ranges(op, value, CENT)


def contains(ranges: Sequence[Range], value: Any) -> bool:
    """Return whether a value lies in one of the ranges."""
    return any(
        (low is None or low <= value) and (high is None or value <= high) for low, high in ranges
    )


def outside(ranges: Sequence[Range], step: Any) -> Sequence[Range]:
    """Return the values in none of the ranges, which are in ascending order."""
    gaps: list[Range] = []
    low: Any = None
    for start, end in ranges:
        if start is not None and (low is None or low < start):
            gaps.append((low, start - step))
        if end is None:
            return gaps
        low = end + step
    return [*gaps, (low, None)]


def day_ranges(op: Op, value: Value, today: date) -> Sequence[Range]:
    """Return the days that satisfy a condition, as disjoint inclusive ranges."""
    if not isinstance(value, int):
        return _ranges(op, value, _ONE_DAY)
    span = timedelta(days=value)
    if op is Op.IN_LAST_DAYS:
        return [(today - span, today)]
    if op is Op.IN_NEXT_DAYS:
        return [(today, today + span)]
    return [(None, today - span - _ONE_DAY)]


def _ranges(op: Op, value: Any, step: Any) -> Sequence[Range]:
    match op:
        case Op.EQUAL:
            found = [(value, value)]
        case Op.NOT_EQUAL:
            found = [(None, value - step), (value + step, None)]
        case Op.LESS:
            found = [(None, value - step)]
        case Op.AT_MOST:
            found = [(None, value)]
        case Op.MORE:
            found = [(value + step, None)]
        case Op.AT_LEAST:
            found = [(value, None)]
        case Op.NOT_NULL:
            found = [(None, None)]
        case _:
            found = _compound(op, value, step)
    return found


def _compound(op: Op, value: Any, step: Any) -> list[Range]:
    if op is Op.BETWEEN:
        return [(value[0], value[1])]
    if op is Op.NOT_BETWEEN:
        return [(None, value[0] - step), (value[1] + step, None)]
    ordered = sorted(set(value))
    if op is Op.IN:
        return [(item, item) for item in ordered]
    if op is not Op.NOT_IN:
        msg = f"{op} is not a condition on a number"
        raise ValueError(msg)
    lows = [None, *(item + step for item in ordered)]
    highs = [*(item - step for item in ordered), None]
    return list(zip(lows, highs, strict=True))


def latest_date_years_before(today: date, years: int) -> date:
    """Return the last birth date of those who have completed so many years by today."""
    year = today.year - years
    last = calendar.monthrange(year, today.month)[1]
    return date(year, today.month, min(today.day, last))


def latest_date_months_before(today: date, months: int) -> date:
    """Return the last date from which so many months are completed by today.

    A month counts as completed on the last day of a month that is too short for its day.
    """
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    is_month_end = today.day == calendar.monthrange(today.year, today.month)[1]
    return date(year, month + 1, last if is_month_end else min(today.day, last))
