"""One stored value against a constant, as a predicate on the row that holds it.

The predicate is true or not true; where it may be NULL, it is only ever used undenied or together
with `is_present`. Text is compared by functions that are exact on both databases: LIKE ignores the
case of ASCII letters on SQLite and minds it on PostgreSQL.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, assert_never

from django.db import connection
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import MD5, Cast, Collate, Concat, Left, Right, StrIndex
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThan

from customers.domain.fields.catalogue import FieldSpec, FieldType, Op, Store
from customers.domain.segments import ast, intervals
from customers.domain.segments.buckets import BUCKETS, first_hash_of
from customers.domain.segments.scope import RuleScope
from customers.selectors.segments.pattern_lookup import PatternIn

_TEXTS = frozenset({FieldType.TEXT, FieldType.CHOICE})
_LOOKUPS = {
    Op.EQUAL: "exact",
    Op.LESS: "lt",
    Op.AT_MOST: "lte",
    Op.MORE: "gt",
    Op.AT_LEAST: "gte",
    Op.IN: "in",
    Op.BETWEEN: "range",
}
_DENIED_LOOKUPS = {Op.NOT_EQUAL: "exact", Op.NOT_IN: "in"}
_ONE_DAY = timedelta(days=1)
_MAX_WIDTH = 20

NOBODY = Q(pk__in=[])
# An empty Q() vanishes when combined: Q() | x is x, and ~Q() is everybody.
EVERYBODY = ~Q(pk__in=[])


def any_of(terms: Sequence[Q]) -> Q:
    """Return whether at least one of the terms is true; none is nobody."""
    return _joined(terms, Q.OR) if terms else NOBODY


def all_of(terms: Sequence[Q]) -> Q:
    """Return whether every term is true; none is everybody."""
    return _joined(terms, Q.AND) if terms else EVERYBODY


def _joined(terms: Sequence[Q], connector: str) -> Q:
    """Return the terms joined, on SQLite as a tree of groups that are never wide.

    SQLite parses `a OR b OR c` as deep as it is long and refuses more than 1,000 levels. Django
    flattens groups of one kind into each other unless they are negated, so a full group is sealed
    by two negations.
    """
    whole = Q(*terms, _connector=connector)
    if connection.vendor != "sqlite" or _width(whole, connector) <= _MAX_WIDTH:
        return whole
    sealed: list[Q] = []
    group: list[Q] = []
    width = 0
    for term in terms:
        width += _width(term, connector)
        if group and width > _MAX_WIDTH:
            sealed.append(_sealed(group, connector))
            group, width = [], _width(term, connector)
        group.append(term)
    sealed.append(_sealed(group, connector))
    return _joined(sealed, connector)


def _sealed(group: Sequence[Q], connector: str) -> Q:
    return ~Q(~Q(*group, _connector=connector))


def _width(term: Any, connector: str) -> int:
    """Return how many terms this one becomes when it is flattened into a group."""
    if not isinstance(term, Q) or term.negated:
        return 1
    if term.connector != connector and len(term.children) > 1:
        return 1
    return sum(_width(child, connector) for child in term.children)


def is_present(spec: FieldSpec, scope: RuleScope) -> Q:
    """Return whether the row holds a value; never NULL."""
    path = spec.column
    present = Q(**{f"{path}__isnull": False})
    if spec.type in _TEXTS:
        return present & ~Q(**{path: ""})
    if spec.store in {Store.YEARS_SINCE, Store.MONTHS_SINCE}:
        return present & Q(**{f"{path}__lte": scope.today})
    return present


def is_missing(spec: FieldSpec, scope: RuleScope) -> Q:
    """Return whether the row holds no value; never NULL."""
    path = spec.column
    missing = Q(**{f"{path}__isnull": True})
    if spec.type in _TEXTS:
        return missing | Q(**{path: ""})
    if spec.store in {Store.YEARS_SINCE, Store.MONTHS_SINCE}:
        return missing | Q(**{f"{path}__gt": scope.today})
    return missing


def condition(spec: FieldSpec, op: Op, value: ast.Value, scope: RuleScope) -> Q:
    """Return the predicate of one condition on a checked constant."""
    if op is Op.NULL:
        return is_missing(spec, scope)
    if op is Op.NOT_NULL:
        return is_present(spec, scope)
    match spec.store:
        case Store.YEARS_SINCE | Store.MONTHS_SINCE:
            is_age = spec.store is Store.YEARS_SINCE
            bound = _years_bound(scope.today) if is_age else _months_bound(scope.today)
            return _completed(spec.column, op, value, bound, scope.today)
        case Store.INSTANT:
            return _moments(spec.column, intervals.day_ranges(op, value, scope.today), scope)
        case Store.BUCKET:
            return _bucket(spec, intervals.number_ranges(op, value))
        case Store.PLAIN | Store.ATTRIBUTE:
            return _plain(spec, op, value, scope)
        case _:
            assert_never(spec.store)


def _plain(spec: FieldSpec, op: Op, value: ast.Value, scope: RuleScope) -> Q:
    path = spec.column
    if spec.type is FieldType.DATE:
        return _days(path, intervals.day_ranges(op, value, scope.today))
    if op in _LOOKUPS:
        return Q(**{f"{path}__{_LOOKUPS[op]}": value})
    if op in _DENIED_LOOKUPS:
        return is_present(spec, scope) & ~Q(**{f"{path}__{_DENIED_LOOKUPS[op]}": value})
    if op is Op.NOT_BETWEEN and isinstance(value, tuple):
        return Q(**{f"{path}__lt": value[0]}) | Q(**{f"{path}__gt": value[1]})
    if op is Op.REGEX:
        # A pattern may be found in empty text, which counts as missing.
        return is_present(spec, scope) & Q(PatternIn(F(path), Value(str(value))))
    return _part_of_text(path, op, str(value))


def _part_of_text(path: str, op: Op, text: str) -> Q:
    if op is Op.CONTAINS:
        return Q(GreaterThan(StrIndex(F(path), Value(text)), 0))
    cut = Left if op is Op.BEGINS_WITH else Right
    return Q(Exact(cut(F(path), len(text)), Value(text)))


def _bucket(spec: FieldSpec, ranges: Sequence[intervals.Range]) -> Q:
    """Return bounds on the hash of a key; hex digits sort by their bytes as their numbers do."""
    key = Concat(Value(f"{spec.name}:"), Cast(F(spec.column), CharField()))
    collation = "C" if connection.vendor == "postgresql" else "BINARY"
    hashed = Collate(Left(MD5(key), 8), collation)
    found = []
    for low, high in ranges:
        first = max(0, low or 0)
        last = BUCKETS - 1 if high is None else min(high, BUCKETS - 1)
        if first > last:
            continue
        # Every bound hashes once more, so one that all hashes keep is left out.
        terms = [Q(GreaterThanOrEqual(hashed, Value(first_hash_of(first))))] if first else []
        after = first_hash_of(last + 1)
        if after is not None:
            terms.append(Q(LessThan(hashed, Value(after))))
        found.append(all_of(terms))
    return any_of(found)


def _days(path: str, ranges: Sequence[intervals.Range]) -> Q:
    found = []
    for low, high in ranges:
        bound = Q()
        if low is not None:
            bound &= Q(**{f"{path}__gte": low})
        if high is not None:
            bound &= Q(**{f"{path}__lte": high})
        found.append(bound)
    return any_of(found)


def _moments(path: str, ranges: Sequence[intervals.Range], scope: RuleScope) -> Q:
    found = []
    for low, high in ranges:
        bound = Q()
        if low is not None:
            bound &= Q(**{f"{path}__gte": scope.midnight(low)})
        if high is not None:
            bound &= Q(**{f"{path}__lt": scope.midnight(high + _ONE_DAY)})
        found.append(bound)
    return any_of(found)


_Bound = Callable[[int], date | None]
"""Last date since which so many units are completed; None where the calendar does not reach."""


def _years_bound(today: date) -> _Bound:
    return lambda years: (
        intervals.latest_date_years_before(today, years) if years < today.year else None
    )


def _months_bound(today: date) -> _Bound:
    return lambda months: (
        intervals.latest_date_months_before(today, months)
        if months < today.year * 12 - 12
        else None
    )


def _completed(path: str, op: Op, value: ast.Value, bound: _Bound, today: date) -> Q:
    """Return bounds on a date from a condition on the completed units since it.

    A date after today has no completed units: it counts as missing.
    """
    found = []
    for low, high in intervals.number_ranges(op, value):
        last = today if low is None or low <= 0 else bound(low)
        if last is None or (high is not None and high < 0):
            continue
        within = Q(**{f"{path}__lte": last})
        first = None if high is None else bound(high + 1)
        if first is not None:
            within &= Q(**{f"{path}__gt": first})
        found.append(within)
    return any_of(found)
