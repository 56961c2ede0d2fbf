"""The rule tree against one customer's facts, in memory: the meaning of every condition.

The compiler to SQL must agree with this file on every rule and customer; a property test holds
them together, so neither may borrow the other's arithmetic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, assert_never

from customers.domain.fields.catalogue import Aggregate, FieldSpec, Op, Store
from customers.domain.loans.instalments import months_between
from customers.domain.segments import patterns
from customers.domain.segments.ast import (
    AllOf,
    AnyOf,
    Compare,
    ConsentCondition,
    EventCondition,
    LoanCondition,
    Not,
    PropertyFilter,
    Rule,
    ScoreCondition,
    SegmentCondition,
    SequenceCondition,
    Value,
    Window,
)
from customers.domain.segments.buckets import bucket_of
from customers.domain.segments.scope import RuleScope

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EventFact:
    """One event of a customer; `properties` are those that rules may filter."""

    name: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StandingConsent:
    """State of one consent."""

    is_granted: bool
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """Everything about one customer that a rule can ask.

    Attributes:
        columns: Stored columns by name; None or empty text where missing.
        attributes: Typed attributes by their full name, such as `attribute.plan`.
        consents: By channel and purpose.
        scores: Latest value by model.
        loans: Stored columns of each loan, by the catalogue's paths.
        segments: Lists of members that the customer is on now.
    """

    columns: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consents: Mapping[tuple[str, str], StandingConsent] = field(default_factory=dict)
    scores: Mapping[str, Decimal] = field(default_factory=dict)
    loans: Sequence[Mapping[str, Any]] = ()
    events: Sequence[EventFact] = ()
    segments: frozenset[str] = frozenset()


def matches(rule: Rule, profile: CustomerFacts, scope: RuleScope) -> bool:
    """Return whether a customer satisfies a checked rule."""
    match rule:
        case Not(child):
            return not matches(child, profile, scope)
        case AllOf(rules):
            return all(matches(child, profile, scope) for child in rules)
        case AnyOf(rules):
            return any(matches(child, profile, scope) for child in rules)
        case _:
            return _leaf(rule, profile, scope)


def _leaf(rule: Rule, profile: CustomerFacts, scope: RuleScope) -> bool:
    match rule:
        case Compare(name, op, value):
            spec = scope.catalogue.fields[name]
            stored = profile.attributes if spec.store is Store.ATTRIBUTE else profile.columns
            key = name if spec.store is Store.ATTRIBUTE else spec.column
            return satisfies(_read(stored.get(key), spec, scope), op, value, scope.today)
        case ScoreCondition(model, op, value):
            return satisfies(profile.scores.get(model), op, value, scope.today)
        case ConsentCondition(channel, purpose, granted):
            return _stands(profile.consents.get((channel, purpose)), scope.now) is granted
        case SegmentCondition(slug, is_member):
            inner = scope.rules.get(slug)
            is_in = slug in profile.segments if inner is None else matches(inner, profile, scope)
            return is_in is is_member
        case _:
            return _history(rule, profile, scope)


def _history(rule: Rule, profile: CustomerFacts, scope: RuleScope) -> bool:
    if isinstance(rule, EventCondition):
        return _event(rule, profile.events, scope)
    if isinstance(rule, SequenceCondition):
        return _sequence(rule, profile.events, scope)
    if not isinstance(rule, LoanCondition):
        msg = f"not a condition: {type(rule).__name__}"
        raise TypeError(msg)
    specs = scope.catalogue.loan_fields
    if len(rule.where) == 1 and rule.where[0].op is Op.NULL:
        spec = specs[rule.where[0].property]
        return all(_read(loan.get(spec.column), spec, scope) is None for loan in profile.loans)
    return any(_passes(rule.where, loan, specs, scope) for loan in profile.loans)


def _passes(
    where: Sequence[PropertyFilter],
    row: Mapping[str, Any],
    specs: Mapping[str, FieldSpec],
    scope: RuleScope,
) -> bool:
    for item in where:
        spec = specs[item.property]
        actual = _read(row.get(spec.column), spec, scope)
        if not satisfies(actual, item.op, item.value, scope.today):
            return False
    return True


def _event(rule: EventCondition, events: Sequence[EventFact], scope: RuleScope) -> bool:
    found = _happened(rule.event, rule.window, rule.where, events, scope)
    return satisfies(_aggregate(rule.aggregate, found, scope.now), rule.op, rule.value, scope.today)


def _happened(
    name: str,
    window: Window | None,
    where: Sequence[PropertyFilter],
    events: Sequence[EventFact],
    scope: RuleScope,
) -> list[EventFact]:
    start, after = scope.bounds(window)
    specs = scope.catalogue.event_properties
    return [
        event
        for event in events
        if event.name == name
        and event.occurred_at <= scope.now
        and (start is None or event.occurred_at >= start)
        and (after is None or event.occurred_at < after)
        and _passes(where, event.properties, specs, scope)
    ]


def _sequence(rule: SequenceCondition, events: Sequence[EventFact], scope: RuleScope) -> bool:
    firsts = _happened(rule.event, rule.window, rule.where, events, scope)
    thens = _happened(rule.then, None, rule.then_where, events, scope)
    span = timedelta(days=rule.days)
    for first in firsts:
        start, end = first.occurred_at, first.occurred_at + span
        is_followed = any(
            start <= then.occurred_at <= end
            and (rule.then != rule.event or then.occurred_at > start)
            for then in thens
        )
        is_over = end <= scope.now
        if is_followed if rule.is_followed else is_over and not is_followed:
            return True
    return False


def _aggregate(kind: Aggregate, found: Sequence[EventFact], now: datetime) -> int | Decimal | None:
    match kind:
        case Aggregate.COUNT:
            return len(found)
        case Aggregate.SUM_AMOUNT:
            return sum(
                (event.properties.get("amount") or Decimal(0) for event in found), Decimal(0)
            )
        case Aggregate.DAYS_SINCE_LAST:
            return (now - max(e.occurred_at for e in found)) // _DAY if found else None
        case Aggregate.DAYS_SINCE_FIRST:
            return (now - min(e.occurred_at for e in found)) // _DAY if found else None
        case _:
            assert_never(kind)


def _stands(consent: StandingConsent | None, now: datetime) -> bool:
    if consent is None or not consent.is_granted:
        return False
    return consent.expires_at is None or consent.expires_at > now


def _read(stored: Any, spec: FieldSpec, scope: RuleScope) -> Any:
    """Return a stored value as the rule sees it; None where missing."""
    if stored is None or stored == "":
        return None
    match spec.store:
        case Store.PLAIN | Store.ATTRIBUTE:
            return stored
        case Store.INSTANT:
            return stored.astimezone(scope.zone).date()
        case Store.YEARS_SINCE:
            return None if stored > scope.today else completed_years(stored, scope.today)
        case Store.MONTHS_SINCE:
            return None if stored > scope.today else months_between(stored, scope.today)
        case Store.BUCKET:
            return bucket_of(stored, salt=spec.name)
        case _:
            assert_never(spec.store)


def completed_years(start: date, today: date) -> int:
    """Return a person's age; one born on 29 February is a year older on 1 March of other years."""
    return today.year - start.year - ((today.month, today.day) < (start.month, start.day))


def satisfies(actual: Any, op: Op, value: Value, today: date) -> bool:
    """Return whether a value stands in a relation to a constant; missing is false but for `null`.

    Args:
        actual: Of the field's type, or None where missing.
        today: Company's day, from which relative dates are counted.
    """
    if actual is None:
        return op is Op.NULL
    if op in _RELATIVE:
        return _relative(actual, op, value, today)
    return bool(_RELATIONS[op](actual, value))


def _relative(day: date, op: Op, days: Any, today: date) -> bool:
    ago = (today - day).days
    if op is Op.IN_LAST_DAYS:
        return 0 <= ago <= int(days)
    if op is Op.IN_NEXT_DAYS:
        return 0 <= -ago <= int(days)
    return ago > int(days)


_RELATIVE = frozenset({Op.IN_LAST_DAYS, Op.IN_NEXT_DAYS, Op.MORE_THAN_DAYS_AGO})
_RELATIONS: Mapping[Op, Any] = {
    Op.EQUAL: lambda actual, value: actual == value,
    Op.NOT_EQUAL: lambda actual, value: actual != value,
    Op.LESS: lambda actual, value: actual < value,
    Op.AT_MOST: lambda actual, value: actual <= value,
    Op.MORE: lambda actual, value: actual > value,
    Op.AT_LEAST: lambda actual, value: actual >= value,
    Op.CONTAINS: lambda actual, value: value in actual,
    Op.BEGINS_WITH: lambda actual, value: actual.startswith(value),
    Op.ENDS_WITH: lambda actual, value: actual.endswith(value),
    Op.REGEX: lambda actual, value: patterns.compiled(value).is_in(actual),
    Op.IN: lambda actual, value: actual in value,
    Op.NOT_IN: lambda actual, value: actual not in value,
    Op.BETWEEN: lambda actual, value: value[0] <= actual <= value[1],
    Op.NOT_BETWEEN: lambda actual, value: not value[0] <= actual <= value[1],
    Op.NULL: lambda _actual, _value: False,
    Op.NOT_NULL: lambda _actual, _value: True,
}
