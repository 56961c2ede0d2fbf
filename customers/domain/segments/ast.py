"""The rule tree: the only form in which a segment rule travels through the code."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from customers.domain.fields.catalogue import Aggregate, Op

Scalar: TypeAlias = str | bool | int | float | Decimal | date | datetime
Value: TypeAlias = Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Compare:
    """Compare one column or attribute with a constant; false when the value is missing."""

    field: str
    op: Op
    value: Value = None


@dataclass(frozen=True, slots=True)
class PropertyFilter:
    """Compare one property of an event or a loan; false when the property is missing."""

    property: str
    op: Op
    value: Value = None


@dataclass(frozen=True, slots=True)
class WithinDays:
    """The last `days` times 24 hours up to now, both ends included."""

    days: int


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to `end`; a date includes the whole day, a moment `end` is excluded."""

    start: date | datetime
    end: date | datetime


Window: TypeAlias = WithinDays | Period


@dataclass(frozen=True, slots=True)
class EventCondition:
    """Compare an aggregate over a customer's events with a constant.

    Only events up to now count. Without any matching event, the count and the sum are zero, and
    the days since the last or first are missing (false). Days are completed periods of 24 hours.
    """

    event: str
    aggregate: Aggregate = Aggregate.COUNT
    op: Op = Op.AT_LEAST
    value: Value = 1
    window: Window | None = None
    where: tuple[PropertyFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class SequenceCondition:
    """Whether one event was, or was not, followed by another within so many days.

    True when at least one first event, inside the window, has (or has not) a following one from
    its own moment up to `days` times 24 hours later, both ends included; two events of one name
    must differ in their moment. "Not followed" is only said of a first event whose days are over.
    """

    event: str
    then: str
    days: int
    is_followed: bool = False
    window: Window | None = None
    where: tuple[PropertyFilter, ...] = ()
    then_where: tuple[PropertyFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class LoanCondition:
    """True when one and the same loan of the customer passes every filter.

    A single filter with the operator `null` is true when no loan has that property at all.
    """

    where: tuple[PropertyFilter, ...]


@dataclass(frozen=True, slots=True)
class ConsentCondition:
    """Whether a consent stands now: granted, not withdrawn and not expired."""

    channel: str
    purpose: str
    granted: bool = True


@dataclass(frozen=True, slots=True)
class ScoreCondition:
    """Compare the latest score that a model gave; false when it never scored the customer."""

    model: str
    op: Op
    value: Value = None


@dataclass(frozen=True, slots=True)
class SegmentCondition:
    """Whether the customer belongs to another segment."""

    slug: str
    is_member: bool = True


Leaf: TypeAlias = (
    Compare
    | EventCondition
    | SequenceCondition
    | LoanCondition
    | ConsentCondition
    | ScoreCondition
    | SegmentCondition
)


@dataclass(frozen=True, slots=True)
class Not:
    """True when the rule is false, also when it is false because a value is missing."""

    rule: "Rule"


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every rule is true, so also when there is none."""

    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one rule is true, so never when there is none."""

    rules: tuple["Rule", ...]


Rule: TypeAlias = Leaf | Not | AllOf | AnyOf
