"""A checked rule tree as one predicate over customers: no joins, and never NULL where it matters.

A condition on one-to-many rows is a subquery of its own, so that a customer comes back once and two
conditions need not hold for the same row. `Not` is pushed down to the conditions: what remains is
AND and OR over conditions that are each either asked or denied, and a denied one counts missing
values in. Denied subqueries are NOT EXISTS, which PostgreSQL runs as an anti-join at any size.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, assert_never

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Round

from customers.domain.fields.catalogue import Aggregate, Op, Store
from customers.domain.segments import intervals
from customers.domain.segments.ast import (
    AllOf,
    AnyOf,
    Compare,
    ConsentCondition,
    EventCondition,
    Leaf,
    LoanCondition,
    Not,
    PropertyFilter,
    Rule,
    ScoreCondition,
    SegmentCondition,
    SequenceCondition,
    Window,
)
from customers.domain.segments.scope import RuleScope
from customers.models import (
    AttributeValue,
    ConsentState,
    Customer,
    Event,
    Loan,
    Score,
    SegmentMember,
)
from customers.selectors.consents import in_force
from customers.selectors.segments.values import (
    EVERYBODY,
    NOBODY,
    all_of,
    any_of,
    condition,
    is_missing,
    is_present,
)


def customers_matching(rule: Rule, scope: RuleScope) -> QuerySet[Customer]:
    """Return the customers who satisfy a checked rule, those merged away excluded, unordered."""
    customers = Customer.objects.live().filter(to_q(rule, scope))
    return customers if scope.among is None else customers.filter(pk__in=scope.among)


def to_q(rule: Rule, scope: RuleScope) -> Q:
    """Return the predicate selecting the customers who satisfy a checked rule."""
    return _compile(rule, scope, is_denied=False)


def consents(channel: str, purpose: str, scope: RuleScope) -> QuerySet[ConsentState]:
    """Return the consents that stand at the scope's moment, one a customer."""
    return in_force(now=scope.now, channel=channel, purpose=purpose)


def reads_columns_only(rule: Rule, scope: RuleScope) -> bool:
    """Return whether a rule asks for nothing but columns of the customer itself."""
    match rule:
        case Not(child):
            return reads_columns_only(child, scope)
        case AllOf(rules) | AnyOf(rules):
            return all(reads_columns_only(child, scope) for child in rules)
        case Compare(field):
            return scope.catalogue.fields[field].store is not Store.ATTRIBUTE
        case _:
            return False


def _compile(rule: Rule, scope: RuleScope, *, is_denied: bool) -> Q:
    match rule:
        case Not(child):
            return _compile(child, scope, is_denied=not is_denied)
        case AllOf(rules):
            return _group(rules, scope, is_all=not is_denied, is_denied=is_denied)
        case AnyOf(rules):
            return _group(rules, scope, is_all=is_denied, is_denied=is_denied)
        case _:
            return _leaf(rule, scope, is_denied=is_denied)


def _group(rules: Sequence[Rule], scope: RuleScope, *, is_all: bool, is_denied: bool) -> Q:
    children = [_compile(child, scope, is_denied=is_denied) for child in rules]
    return all_of(children) if is_all else any_of(children)


def _leaf(rule: Leaf, scope: RuleScope, *, is_denied: bool) -> Q:
    match rule:
        case Compare():
            found = _compare(rule, scope, is_denied=is_denied)
        case EventCondition():
            found = _event(rule, scope, is_denied=is_denied)
        case SequenceCondition():
            found = _sequence(rule, scope, is_denied=is_denied)
        case LoanCondition():
            found = _loan(rule, scope, is_denied=is_denied)
        case ScoreCondition():
            found = _score(rule, scope, is_denied=is_denied)
        case ConsentCondition(channel, purpose, granted):
            found = _exists(consents(channel, purpose, scope), is_denied=is_denied is granted)
        case SegmentCondition():
            found = _segment(rule, scope, is_denied=is_denied)
        case _:
            assert_never(rule)
    return found


def _exists(rows: QuerySet[Any], *, is_denied: bool) -> Q:
    """Return whether a customer has any of these rows, which belong to a `customer` each."""
    found = Exists(rows.filter(customer=OuterRef("pk")))
    return Q(~found) if is_denied else Q(found)


def _compare(rule: Compare, scope: RuleScope, *, is_denied: bool) -> Q:
    spec = scope.catalogue.fields[rule.field]
    if spec.store is Store.ATTRIBUTE:
        rows = AttributeValue.objects.filter(definition_id=spec.definition_id)
        if rule.op is Op.NULL:
            return _exists(rows.filter(is_present(spec, scope)), is_denied=not is_denied)
        return _exists(
            rows.filter(condition(spec, rule.op, rule.value, scope)), is_denied=is_denied
        )
    if not is_denied:
        return condition(spec, rule.op, rule.value, scope)
    if rule.op in {Op.NULL, Op.NOT_NULL}:
        return is_present(spec, scope) if rule.op is Op.NULL else is_missing(spec, scope)
    # Without the explicit presence, NOT over a NULL would be NULL and lose the row.
    return ~(is_present(spec, scope) & condition(spec, rule.op, rule.value, scope))


def _score(rule: ScoreCondition, scope: RuleScope, *, is_denied: bool) -> Q:
    spec = scope.catalogue.scores[rule.model].spec
    rows = Score.objects.filter(model_name=rule.model, is_latest=True)
    if rule.op is Op.NULL:
        return _exists(rows, is_denied=not is_denied)
    return _exists(rows.filter(condition(spec, rule.op, rule.value, scope)), is_denied=is_denied)


def _loan(rule: LoanCondition, scope: RuleScope, *, is_denied: bool) -> Q:
    specs = scope.catalogue.loan_fields
    rows = Loan.objects.all()
    if len(rule.where) == 1 and rule.where[0].op is Op.NULL:
        present = is_present(specs[rule.where[0].property], scope)
        return _exists(rows.filter(present), is_denied=not is_denied)
    for item in rule.where:
        rows = rows.filter(condition(specs[item.property], item.op, item.value, scope))
    return _exists(rows, is_denied=is_denied)


def _segment(rule: SegmentCondition, scope: RuleScope, *, is_denied: bool) -> Q:
    is_outside = is_denied is rule.is_member
    inner = scope.rules.get(rule.slug)
    if inner is not None:
        return _compile(inner, scope, is_denied=is_outside)
    members = SegmentMember.objects.filter(segment__slug=rule.slug, left_at__isnull=True)
    return _exists(members, is_denied=is_outside)


def _event(rule: EventCondition, scope: RuleScope, *, is_denied: bool) -> Q:
    rows = _matching_events(rule.event, rule.window, rule.where, scope)
    match rule.aggregate:
        case Aggregate.COUNT:
            found = _counted(rows, rule, is_denied=is_denied)
        case Aggregate.SUM_AMOUNT:
            found = _summed(rows, rule, is_denied=is_denied)
        case Aggregate.DAYS_SINCE_LAST:
            found = _grouped(rows, Max("occurred_at"), _ages(rule, scope), is_denied=is_denied)
        case Aggregate.DAYS_SINCE_FIRST:
            found = _grouped(rows, Min("occurred_at"), _ages(rule, scope), is_denied=is_denied)
        case _:
            assert_never(rule.aggregate)
    return found


def _sequence(rule: SequenceCondition, scope: RuleScope, *, is_denied: bool) -> Q:
    span = timedelta(days=rule.days)
    following = _matching_events(rule.then, None, rule.then_where, scope).filter(
        customer=OuterRef("customer"), occurred_at__lte=OuterRef("occurred_at") + span
    )
    # An event does not follow itself.
    begins = "gt" if rule.then == rule.event else "gte"
    following = following.filter(**{f"occurred_at__{begins}": OuterRef("occurred_at")})
    firsts = _matching_events(rule.event, rule.window, rule.where, scope)
    if rule.is_followed:
        return _exists(firsts.filter(Exists(following)), is_denied=is_denied)
    is_over = Q(occurred_at__lte=scope.now - span)
    return _exists(firsts.filter(is_over, ~Exists(following)), is_denied=is_denied)


def _matching_events(
    name: str, window: Window | None, where: Sequence[PropertyFilter], scope: RuleScope
) -> QuerySet[Event]:
    event = scope.catalogue.events[name]
    start, after = scope.bounds(window)
    # No type yet means no such event yet: -1 is nobody's key.
    rows = Event.objects.filter(
        type_id=-1 if event.type_id is None else event.type_id, occurred_at__lte=scope.now
    )
    if scope.among is not None:
        rows = rows.filter(customer_id__in=scope.among)
    if start is not None:
        rows = rows.filter(occurred_at__gte=start)
    if after is not None:
        rows = rows.filter(occurred_at__lt=after)
    for item in where:
        spec = scope.catalogue.event_properties[item.property]
        rows = rows.filter(condition(spec, item.op, item.value, scope))
    return rows


def _counted(rows: QuerySet[Event], rule: EventCondition, *, is_denied: bool) -> Q:
    wanted = intervals.number_ranges(rule.op, rule.value)
    if intervals.contains(wanted, 0):
        wanted, is_denied = intervals.outside(wanted, 1), not is_denied
    wanted = [(max(low or 1, 1), high) for low, high in wanted if high is None or high >= 1]
    if not wanted:
        return EVERYBODY if is_denied else NOBODY
    if wanted == [(1, None)]:
        return _exists(rows, is_denied=is_denied)
    # COUNT(*) reads the index alone; counting a column of the row would read the rows.
    return _grouped(rows, Count("*"), _within("found", wanted), is_denied=is_denied)


def _summed(rows: QuerySet[Event], rule: EventCondition, *, is_denied: bool) -> Q:
    wanted = intervals.amount_ranges(rule.op, rule.value)
    if intervals.contains(wanted, Decimal(0)):
        wanted, is_denied = intervals.outside(wanted, intervals.CENT), not is_denied
    if not wanted:
        return EVERYBODY if is_denied else NOBODY
    # SQLite adds amounts as floating point; rounding gives the exact cents back.
    total = Round(Coalesce(Sum("amount"), Decimal(0)), precision=2)
    return _grouped(rows, total, _within("found", wanted), is_denied=is_denied)


def _ages(rule: EventCondition, scope: RuleScope) -> Q:
    """Return bounds on the moment `found` from conditions on the completed days since it."""
    ranges = intervals.number_ranges(rule.op, rule.value)
    bounds = []
    for low, high in ranges:
        if high is not None and high < 0:
            continue
        bound = Q(found__lte=scope.now - timedelta(days=max(low or 0, 0)))
        if high is not None:
            bound &= Q(found__gt=scope.now - timedelta(days=high + 1))
        bounds.append(bound)
    return any_of(bounds)


def _within(name: str, ranges: Sequence[intervals.Range]) -> Q:
    bounds = []
    for low, high in ranges:
        bound = Q()
        if low is not None:
            bound &= Q(**{f"{name}__gte": low})
        if high is not None:
            bound &= Q(**{f"{name}__lte": high})
        bounds.append(bound)
    return any_of(bounds)


def _grouped(rows: QuerySet[Event], aggregate: Any, having: Q, *, is_denied: bool) -> Q:
    """Return whether an aggregate of a customer's rows passes; one pass, not a count a customer."""
    ids = rows.values("customer_id").annotate(found=aggregate).filter(having).values("customer_id")
    if not is_denied:
        return Q(pk__in=ids)
    # PostgreSQL cannot hash a large NOT IN and would scan its result once a customer.
    return Q(~Exists(Customer.objects.filter(pk=OuterRef("pk"), pk__in=ids)))
