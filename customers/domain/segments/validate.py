"""The rule tree against the catalogue: typed values out, or every problem with its path."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, assert_never

from customers.domain.fields.catalogue import (
    MAX_DAYS,
    NUMBER_OPERATORS,
    Aggregate,
    Catalogue,
    FieldSpec,
    FieldType,
    Op,
    RuleUse,
    Store,
    Text,
)
from customers.domain.segments.ast import (
    AllOf,
    AnyOf,
    Compare,
    ConsentCondition,
    EventCondition,
    Leaf,
    LoanCondition,
    Not,
    Period,
    PropertyFilter,
    Rule,
    ScoreCondition,
    SegmentCondition,
    SequenceCondition,
    Value,
    Window,
    WithinDays,
)
from customers.domain.segments.columns import SEALED_FIELDS
from customers.domain.segments.events import SEGMENT_EVENTS, segments_asked_about
from customers.domain.segments.parse import MAX_DEPTH, MAX_NODES, parse_rule
from customers.domain.segments.problems import RuleRefused, SegmentProblem, SegmentProblemCode, join
from customers.domain.segments.values import is_stored, typed_value

_NAME_SHOWN = 60
# What the builder holds while nothing is chosen.
_UNCHOSEN = frozenset({"", "~"})
MAX_RULE_VALUES = 10_000
_DERIVED_WEIGHT = 20
_AGGREGATED = Store.INSTANT
_COUNT = FieldSpec("count", FieldType.INTEGER, Text("次数", "count"), "", store=_AGGREGATED)
_SUM = FieldSpec(
    "sum_amount", FieldType.DECIMAL, Text("合计", "sum"), "", store=_AGGREGATED, decimal_places=2
)


@dataclass(frozen=True, slots=True)
class Checked:
    """Result of a check: the tree with typed values, or the problems that stand in its way."""

    rule: Rule | None
    problems: tuple[SegmentProblem, ...]


def read_rule(data: Any, *, catalogue: Catalogue, use: RuleUse) -> Rule:
    """Return the typed tree of a rule's JSON.

    Raises:
        RuleRefused: With every problem of shape and content.
    """
    checked = inspect_rule(data, catalogue=catalogue, use=use)
    if checked.rule is None:
        raise RuleRefused(checked.problems)
    return checked.rule


def inspect_rule(data: Any, *, catalogue: Catalogue, use: RuleUse) -> Checked:
    """Read and check a rule's JSON; problems of shape and of content are listed together."""
    parsed = parse_rule(data)
    if parsed.rule is not None:
        return check_rule(parsed.rule, catalogue=catalogue, use=use)
    checker = _RuleChecker(catalogue, use)
    for path, leaf in parsed.leaves:
        checker.leaf(leaf, path)
    return Checked(None, (*parsed.problems, *checker.problems))


def check_rule(rule: Rule, *, catalogue: Catalogue, use: RuleUse) -> Checked:
    """Check a tree, however it was made, and give its constants the types of their fields."""
    checker = _RuleChecker(catalogue, use)
    typed = checker.node(rule, "", 1)
    if checker.nodes > MAX_NODES:
        checker.report("", SegmentProblemCode.TOO_MANY_RULES, limit=MAX_NODES)
    if checker.values > MAX_RULE_VALUES:
        checker.report("", SegmentProblemCode.TOO_MANY_VALUES, limit=MAX_RULE_VALUES)
    problems = tuple(checker.problems)
    return Checked(None if problems else typed, problems)


class _RuleChecker:
    """Walks a tree once with the path of every node in the rule's JSON."""

    def __init__(self, catalogue: Catalogue, use: RuleUse) -> None:
        self.everything = catalogue
        self.catalogue = catalogue.for_use(use)
        self.problems: list[SegmentProblem] = []
        self.nodes = 0
        self.values = 0

    def report(self, path: str, code: SegmentProblemCode, **facts: str | int | Text) -> None:
        self.problems.append(SegmentProblem(path, code, facts))

    def node(self, rule: Rule, path: str, depth: int) -> Rule:
        if isinstance(rule, Not) and isinstance(rule.rule, AllOf | AnyOf):
            return Not(self.node(rule.rule, path, depth))
        self.nodes += 1
        match rule:
            case Not(child):
                return Not(self._child(child, path, 0, depth))
            case AllOf(rules):
                return AllOf(self._children(rules, path, depth))
            case AnyOf(rules):
                return AnyOf(self._children(rules, path, depth))
            case _:
                return self.leaf(rule, path)

    def _children(self, rules: tuple[Rule, ...], path: str, depth: int) -> tuple[Rule, ...]:
        if depth > MAX_DEPTH:
            self.report(path, SegmentProblemCode.TOO_DEEP, limit=MAX_DEPTH)
            return ()
        return tuple(self._child(child, path, n, depth) for n, child in enumerate(rules))

    def _child(self, child: Rule, path: str, position: int, depth: int) -> Rule:
        return self.node(child, f"{join(path, 'rules')}[{position}]", depth + 1)

    def leaf(self, leaf: Leaf, path: str) -> Leaf:
        match leaf:
            case Compare():
                checked: Leaf = self._compare(leaf, path)
            case EventCondition() | SequenceCondition():
                checked = self._history(leaf, join(path, "value"))
            case LoanCondition():
                checked = self._loan(leaf, path)
            case ScoreCondition():
                checked = self._score(leaf, path)
            case ConsentCondition():
                self._consent(leaf, path)
                checked = leaf
            case SegmentCondition(slug):
                if slug not in self.catalogue.segments:
                    self.unknown(join(path, "value"), SegmentProblemCode.UNKNOWN_SEGMENT, slug)
                checked = leaf
            case _:
                assert_never(leaf)
        return checked

    def unknown(self, path: str, code: SegmentProblemCode, name: str) -> None:
        self.report(path, code, name=name[:_NAME_SHOWN])

    def value(self, raw: Value, spec: FieldSpec, op: Op, path: str) -> Value:
        """Return the typed constant of a condition whose JSON stands at `path`."""
        if op not in spec.operators:
            self.report(join(path, "operator"), SegmentProblemCode.OPERATOR_NOT_ALLOWED)
            return None
        value, problems = typed_value(raw, spec=spec, op=op, path=join(path, "value"))
        self.problems.extend(problems)
        weight = 1 if is_stored(spec) else _DERIVED_WEIGHT
        self.values += weight * (len(value) if isinstance(value, tuple) else 1)
        return value

    def _spec(self, kind: str, name: str, path: str) -> FieldSpec | None:
        usable: Mapping[str, FieldSpec] = getattr(self.catalogue, kind)
        if name in usable:
            return usable[name]
        if name in _UNCHOSEN:
            self.report(path, SegmentProblemCode.FIELD_NOT_CHOSEN)
            return None
        hidden: FieldSpec | None = getattr(self.everything, kind).get(name)
        if hidden is not None:
            self.report(path, SegmentProblemCode.FIELD_NOT_ALLOWED, name=hidden.label)
            return None
        code = SegmentProblemCode.UNKNOWN_FIELD
        if kind == "fields" and name in SEALED_FIELDS:
            code = SegmentProblemCode.FIELD_SEALED
        self.unknown(path, code, name)
        return None

    def _compare(self, leaf: Compare, path: str) -> Compare:
        spec = self._spec("fields", leaf.field, join(path, "field"))
        if spec is None:
            return leaf
        return replace(leaf, value=self.value(leaf.value, spec, leaf.op, path))

    def _score(self, leaf: ScoreCondition, path: str) -> ScoreCondition:
        score = self.catalogue.scores.get(leaf.model)
        if score is None:
            at, hidden = join(path, "field"), self.everything.scores.get(leaf.model)
            if hidden is None:
                self.unknown(at, SegmentProblemCode.UNKNOWN_SCORE, leaf.model)
            else:
                self.report(at, SegmentProblemCode.FIELD_NOT_ALLOWED, name=hidden.label)
            return leaf
        return replace(leaf, value=self.value(leaf.value, score.spec, leaf.op, path))

    def _consent(self, leaf: ConsentCondition, path: str) -> None:
        channels = {option.value for option in self.catalogue.consent_channels}
        purposes = {option.value for option in self.catalogue.consent_purposes}
        if leaf.channel not in channels or leaf.purpose not in purposes:
            self.report(join(path, "field"), SegmentProblemCode.UNKNOWN_CONSENT)

    def _loan(self, leaf: LoanCondition, path: str) -> LoanCondition:
        if len(leaf.where) == 1:
            only = leaf.where[0]
            spec = self._spec("loan_fields", only.property, join(path, "field"))
            if spec is None:
                return leaf
            value = self.value(only.value, spec, only.op, path)
            return LoanCondition((replace(only, value=value),))
        if not leaf.where:
            self.report(join(path, "value.where"), SegmentProblemCode.VALUE_MISSING)
        return LoanCondition(self._filters(leaf.where, "loan_fields", join(path, "value.where")))

    def _filters(
        self, where: tuple[PropertyFilter, ...], kind: str, path: str
    ) -> tuple[PropertyFilter, ...]:
        checked = []
        for position, item in enumerate(where):
            self.nodes += 1
            at = f"{path}[{position}]"
            spec = self._spec(kind, item.property, join(at, "property"))
            if spec is not None:
                value = self.value(item.value, spec, item.op, at)
                checked.append(replace(item, value=value))
        return tuple(checked)

    def _history(self, leaf: EventCondition | SequenceCondition, path: str) -> Leaf:
        if isinstance(leaf, EventCondition):
            return self._event(leaf, path)
        return self._sequence(leaf, path)

    def _known_event(self, name: str, path: str) -> None:
        if name not in self.catalogue.events:
            self.unknown(path, SegmentProblemCode.UNKNOWN_EVENT, name)

    def _named_segment(self, name: str, where: tuple[PropertyFilter, ...], path: str) -> None:
        """Let only those events of segments through that say of which, so that no circle hides."""
        if name not in SEGMENT_EVENTS:
            return
        named = segments_asked_about(where)
        if not named:
            self.report(path, SegmentProblemCode.SEGMENT_EVENT_UNNAMED)
        for slug in named:
            if slug not in self.catalogue.segments:
                self.unknown(path, SegmentProblemCode.UNKNOWN_SEGMENT, slug)

    def _sequence(self, leaf: SequenceCondition, path: str) -> SequenceCondition:
        self._known_event(leaf.event, join(path, "event"))
        self._known_event(leaf.then, join(path, "then"))
        self._named_segment(leaf.event, leaf.where, join(path, "where"))
        self._named_segment(leaf.then, leaf.then_where, join(path, "then_where"))
        if not 1 <= leaf.days <= MAX_DAYS:
            at = join(path, "days")
            self.report(at, SegmentProblemCode.DAYS_OUT_OF_RANGE, least=1, limit=MAX_DAYS)
        if leaf.window is not None:
            self._window(leaf.window, path)
        then_where = join(path, "then_where")
        return replace(
            leaf,
            where=self._filters(leaf.where, "event_properties", join(path, "where")),
            then_where=self._filters(leaf.then_where, "event_properties", then_where),
        )

    def _event(self, leaf: EventCondition, path: str) -> EventCondition:
        self._known_event(leaf.event, join(path, "event"))
        self._named_segment(leaf.event, leaf.where, join(path, "where"))
        if leaf.window is not None:
            self._window(leaf.window, path)
        where = self._filters(leaf.where, "event_properties", join(path, "where"))
        if leaf.op not in NUMBER_OPERATORS:
            self.report(join(path, "operator"), SegmentProblemCode.OPERATOR_NOT_ALLOWED)
            return leaf
        spec = _SUM if leaf.aggregate is Aggregate.SUM_AMOUNT else _COUNT
        value = self.value(leaf.value, spec, leaf.op, path)
        if leaf.aggregate in {Aggregate.DAYS_SINCE_FIRST, Aggregate.DAYS_SINCE_LAST}:
            self._days_in_range(value, join(path, "value"))
        return replace(leaf, value=value, where=where)

    def _days_in_range(self, value: Value, path: str) -> None:
        days = value if isinstance(value, tuple) else (value,)
        if any(isinstance(item, int) and abs(item) > MAX_DAYS for item in days):
            self.report(path, SegmentProblemCode.DAYS_OUT_OF_RANGE, least=0, limit=MAX_DAYS)

    def _window(self, window: Window, path: str) -> None:
        match window:
            case WithinDays(days):
                if not 1 <= days <= MAX_DAYS:
                    at = join(path, "within_days")
                    self.report(at, SegmentProblemCode.DAYS_OUT_OF_RANGE, least=1, limit=MAX_DAYS)
            case Period(start, end):
                at = join(path, "between")
                if not all(1900 <= item.year <= 2200 for item in (start, end)):
                    self.report(at, SegmentProblemCode.NOT_A_DATE)
                elif _order_key(start) > _order_key(end):
                    self.report(at, SegmentProblemCode.BOUNDS_REVERSED)
            case _:
                assert_never(window)


def _order_key(end: Any) -> datetime:
    """Return a moment by which the ends of a period can be put in order; UTC where no zone."""
    if not isinstance(end, datetime):
        return datetime(end.year, end.month, end.day, tzinfo=UTC)
    return end if end.tzinfo else end.replace(tzinfo=UTC)
