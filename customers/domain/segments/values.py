"""A constant as written in a rule to the typed value that its field is compared with."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, assert_never

from customers.domain.fields.catalogue import MAX_DAYS, MAX_NUMBER, FieldSpec, FieldType, Op, Store
from customers.domain.segments import patterns
from customers.domain.segments.ast import Scalar, Value
from customers.domain.segments.problems import SegmentProblem, SegmentProblemCode

MAX_VALUES = 1_000
MAX_DERIVED_VALUES = 100
MAX_TEXT = 200
_MAX_DIGITS = 40
_LEAST_YEAR, _LAST_YEAR = 1_900, 2_200

_LISTS = frozenset({Op.IN, Op.NOT_IN})
_RANGES = frozenset({Op.BETWEEN, Op.NOT_BETWEEN})
_PRESENCE = frozenset({Op.NULL, Op.NOT_NULL})
_RELATIVE = frozenset({Op.IN_LAST_DAYS, Op.IN_NEXT_DAYS, Op.MORE_THAN_DAYS_AGO})


class _Unfit(ValueError):
    """One constant does not fit its field."""

    def __init__(self, code: SegmentProblemCode, **facts: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def typed_value(
    raw: Value, *, spec: FieldSpec, op: Op, path: str
) -> tuple[Value, tuple[SegmentProblem, ...]]:
    """Return the value as the field's own type, or every reason why it does not fit.

    Numbers become `int` or `Decimal` (never rounded), days `date`; relative operators take a
    number of days.
    """
    try:
        return _converted(raw, spec, op), ()
    except _Unfit as unfit:
        return None, (SegmentProblem(path, unfit.code, unfit.facts),)


def _converted(raw: Value, spec: FieldSpec, op: Op) -> Value:
    if op in _PRESENCE:
        return None
    if raw is None or raw in {"", ()}:
        raise _Unfit(SegmentProblemCode.VALUE_MISSING)
    if op in _RELATIVE:
        return _days(_single(raw))
    if op in _LISTS:
        values = raw if isinstance(raw, tuple) else (raw,)
        limit = MAX_VALUES if is_stored(spec) else MAX_DERIVED_VALUES
        if len(values) > limit:
            raise _Unfit(SegmentProblemCode.TOO_MANY_VALUES, limit=limit)
        return tuple(_scalar(item, spec) for item in values)
    if op in _RANGES:
        return _range(raw, spec)
    if op is Op.REGEX:
        return _pattern(_single(raw))
    return _scalar(_single(raw), spec)


def is_stored(spec: FieldSpec) -> bool:
    """Return whether a list of values stays one; of a derived number each value is a range."""
    return spec.store in {Store.PLAIN, Store.ATTRIBUTE}


def _single(raw: Value) -> Scalar:
    if raw is None or isinstance(raw, tuple):
        raise _Unfit(SegmentProblemCode.WRONG_TYPE, expected="value")
    return raw


def _range(raw: Value, spec: FieldSpec) -> Value:
    if not isinstance(raw, tuple) or len(raw) != 2:
        raise _Unfit(SegmentProblemCode.TWO_VALUES_NEEDED)
    low, high = (_scalar(item, spec) for item in raw)
    if low > high:  # type: ignore[operator]  # both are of the field's one type
        raise _Unfit(SegmentProblemCode.BOUNDS_REVERSED)
    return low, high


def _scalar(raw: Scalar, spec: FieldSpec) -> Scalar:
    match spec.type:
        case FieldType.INTEGER:
            value: Scalar = _whole(raw)
        case FieldType.DECIMAL:
            value = _decimal(raw, spec.decimal_places)
        case FieldType.TEXT:
            value = _text(raw)
        case FieldType.CHOICE:
            value = _choice(raw, spec)
        case FieldType.DATE:
            value = _day(raw)
        case FieldType.FLAG:
            value = _flag(raw)
        case _:
            assert_never(spec.type)
    return value


def _number(raw: Scalar) -> Decimal:
    if isinstance(raw, bool | date) or len(str(raw)) > _MAX_DIGITS:
        raise _Unfit(SegmentProblemCode.NOT_A_NUMBER)
    try:
        number = Decimal(str(raw).strip())
    except InvalidOperation as error:
        raise _Unfit(SegmentProblemCode.NOT_A_NUMBER) from error
    if not number.is_finite():
        raise _Unfit(SegmentProblemCode.NOT_A_NUMBER)
    if abs(number) > MAX_NUMBER:
        raise _Unfit(SegmentProblemCode.NUMBER_TOO_LARGE, limit=MAX_NUMBER)
    return number


def _whole(raw: Scalar) -> int:
    number = _number(raw)
    if number != number.to_integral_value():
        raise _Unfit(SegmentProblemCode.NOT_WHOLE)
    return int(number)


def _decimal(raw: Scalar, places: int) -> Decimal:
    number = _number(raw)
    # Rounding would change the rule: SQLite's adapter quantises, PostgreSQL compares exactly.
    if number != round(number, places):
        raise _Unfit(SegmentProblemCode.TOO_MANY_DECIMALS, limit=places)
    return round(number, places)


def _days(raw: Scalar) -> int:
    days = _whole(raw)
    if not 0 <= days <= MAX_DAYS:
        raise _Unfit(SegmentProblemCode.DAYS_OUT_OF_RANGE, least=0, limit=MAX_DAYS)
    return days


def _text(raw: Scalar) -> str:
    text = raw if isinstance(raw, str) else _spelled(raw)
    if not text:
        raise _Unfit(SegmentProblemCode.VALUE_MISSING)
    if len(text) > MAX_TEXT:
        raise _Unfit(SegmentProblemCode.TEXT_TOO_LONG, limit=MAX_TEXT)
    # Neither a NUL nor half a surrogate pair can be stored or sent as a parameter.
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _Unfit(SegmentProblemCode.TEXT_NOT_PRINTABLE)
    return text


def _pattern(raw: Scalar) -> str:
    text = _text(raw)
    try:
        patterns.compiled(text)
    except patterns.PatternInvalid as error:
        raise _Unfit(SegmentProblemCode.PATTERN_INVALID, position=error.position) from error
    except patterns.PatternTooLarge as error:
        raise _Unfit(SegmentProblemCode.PATTERN_TOO_LARGE, limit=patterns.MAX_LENGTH) from error
    return text


def _spelled(raw: Any) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    raise _Unfit(SegmentProblemCode.NOT_TEXT)


def _choice(raw: Scalar, spec: FieldSpec) -> str:
    text = _text(raw)
    if text not in {option.value for option in spec.options}:
        raise _Unfit(SegmentProblemCode.NOT_AN_OPTION)
    return text


def _day(raw: Scalar) -> date:
    try:
        day = raw if isinstance(raw, date) else date.fromisoformat(str(raw))
    except ValueError as error:
        raise _Unfit(SegmentProblemCode.NOT_A_DATE) from error
    if isinstance(day, datetime) or not _LEAST_YEAR <= day.year <= _LAST_YEAR:
        raise _Unfit(SegmentProblemCode.NOT_A_DATE)
    return day


_FLAGS: dict[str, bool] = {"true": True, "false": False}


def _flag(raw: Scalar) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in _FLAGS:
        return _FLAGS[raw.lower()]
    raise _Unfit(SegmentProblemCode.NOT_A_FLAG)
