"""Rule JSON, as react-querybuilder exports it, to the rule tree (`write.py` is the way back).

Only the shape is judged here; whether fields exist and values fit is `validate`'s business.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from customers.domain.fields.catalogue import Aggregate, Op
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
from customers.domain.segments.problems import RuleRefused, SegmentProblem, SegmentProblemCode, join

VERSION = 1
MAX_DEPTH = 10
MAX_NODES = 500
MAX_JSON_CHARACTERS = 200_000

CONSENT_OPERATORS: Mapping[str, bool] = {"granted": True, "not_granted": False}
MEMBER_OPERATORS: Mapping[str, bool] = {"=": True, "!=": False}
_UNARY = frozenset({Op.NULL, Op.NOT_NULL})
_LISTED = frozenset({Op.IN, Op.NOT_IN, Op.BETWEEN, Op.NOT_BETWEEN})
_GROUP_KEYS = frozenset({"id", "combinator", "not", "rules"})
_RULE_KEYS = frozenset({"id", "field", "operator", "value", "valueSource"})
_EVENT_KEYS = frozenset(
    {"event", "aggregate", "operator", "value", "within_days", "between", "where"}
)
_SEQUENCE_KEYS = frozenset(
    {"event", "then", "followed", "days", "within_days", "between", "where", "then_where"}
)


@dataclass(slots=True)
class Parsed:
    """What came of reading a rule.

    Attributes:
        rule: The tree; None when something in its shape is wrong.
        leaves: Every condition that could be read, with its path, also when `rule` is None.
    """

    rule: Rule | None = None
    problems: list[SegmentProblem] = field(default_factory=list)
    leaves: list[tuple[str, Leaf]] = field(default_factory=list)


def parse_text(text: str) -> Any:
    """Return the JSON of a rule file.

    Raises:
        RuleRefused: It is not JSON, too long or nested beyond reason.
    """
    if len(text) > MAX_JSON_CHARACTERS:
        facts = {"limit": MAX_JSON_CHARACTERS}
        raise RuleRefused([SegmentProblem("", SegmentProblemCode.TEXT_TOO_LONG, facts)])
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise RuleRefused([SegmentProblem("", SegmentProblemCode.NOT_JSON)]) from error


def parse_rule(data: Any) -> Parsed:
    """Read a rule and list everything that is wrong with its shape.

    Args:
        data: A group, or a single condition, as decoded from JSON.
    """
    reader = _RuleParser(Parsed())
    if isinstance(data, Mapping) and "version" in data:
        if data["version"] is True or data["version"] != VERSION:
            reader.report("version", SegmentProblemCode.UNSUPPORTED_VERSION)
        data = {key: value for key, value in data.items() if key != "version"}
    rule = reader.node(data, "", 1)
    reader.out.rule = None if reader.out.problems else rule
    return reader.out


class _RuleParser:
    """Walks the JSON once, keeping problems and readable conditions."""

    def __init__(self, out: Parsed) -> None:
        self.out = out
        self.nodes = 0

    def report(self, path: str, code: SegmentProblemCode, **facts: str | int) -> None:
        self.out.problems.append(SegmentProblem(path, code, facts))

    def node(self, data: Any, path: str, depth: int) -> Rule | None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            if self.nodes == MAX_NODES + 1:
                self.report("", SegmentProblemCode.TOO_MANY_RULES, limit=MAX_NODES)
            return None
        if not isinstance(data, Mapping):
            self.report(path, SegmentProblemCode.NOT_A_RULE)
            return None
        if "rules" in data or "combinator" in data:
            return self._group(data, path, depth)
        leaf = self._leaf(data, path)
        if leaf is not None:
            self.out.leaves.append((path, leaf))
        return leaf

    def keys(self, data: Mapping[str, Any], path: str, known: frozenset[str]) -> None:
        for key in data:
            if key not in known:
                self.report(
                    join(path, str(key)[:60]), SegmentProblemCode.UNKNOWN_KEY, name=str(key)[:60]
                )

    def text(self, data: Mapping[str, Any], key: str, path: str) -> str | None:
        if key not in data:
            self.report(join(path, key), SegmentProblemCode.MISSING_KEY, name=key)
            return None
        value = data[key]
        if isinstance(value, str):
            return value
        self.report(join(path, key), SegmentProblemCode.WRONG_TYPE, expected="string")
        return None

    def _group(self, data: Mapping[str, Any], path: str, depth: int) -> Rule | None:
        if depth > MAX_DEPTH:
            self.report(path, SegmentProblemCode.TOO_DEEP, limit=MAX_DEPTH)
            return None
        self.keys(data, path, _GROUP_KEYS)
        combinator = self.text(data, "combinator", path)
        if combinator is not None and combinator not in {"and", "or"}:
            self.report(join(path, "combinator"), SegmentProblemCode.UNKNOWN_COMBINATOR)
        is_negated = data.get("not", False)
        if not isinstance(is_negated, bool):
            self.report(join(path, "not"), SegmentProblemCode.WRONG_TYPE, expected="boolean")
        children = data.get("rules")
        if not isinstance(children, list):
            self.report(join(path, "rules"), SegmentProblemCode.WRONG_TYPE, expected="list")
            return None
        if not children and (path or combinator == "or" or is_negated):
            self.report(join(path, "rules"), SegmentProblemCode.EMPTY_GROUP)
        read = [
            self.node(child, f"{join(path, 'rules')}[{position}]", depth + 1)
            for position, child in enumerate(children)
        ]
        rules = tuple(rule for rule in read if rule is not None)
        group = AnyOf(rules) if combinator == "or" else AllOf(rules)
        return Not(group) if is_negated else group

    def _leaf(self, data: Mapping[str, Any], path: str) -> Leaf | None:
        self.keys(data, path, _RULE_KEYS)
        if data.get("valueSource", "value") != "value":
            self.report(join(path, "valueSource"), SegmentProblemCode.WRONG_TYPE, expected="value")
        name = self.text(data, "field", path)
        operator = self.text(data, "operator", path)
        if name is None or operator is None:
            return None
        head, _, rest = name.partition(".")
        special = _SPECIAL.get(name if not rest else f"{head}.")
        if special is not None:
            return special(self, _Condition(path, name, rest, operator, data.get("value")))
        op = self.operator(operator, join(path, "operator"))
        value = self.value(data.get("value"), op, join(path, "value"))
        return Compare(name, op, value) if op else None

    def operator(self, name: Any, path: str) -> Op | None:
        if isinstance(name, str) and name in set(Op):
            return Op(name)
        self.report(path, SegmentProblemCode.UNKNOWN_OPERATOR)
        return None

    def value(self, raw: Any, op: Op | None, path: str) -> Value:
        if op in _UNARY:
            if raw not in (None, "", [], True):
                self.report(path, SegmentProblemCode.VALUE_NOT_EXPECTED)
            return None
        if op in _LISTED and isinstance(raw, str):
            raw = [part.strip() for part in raw.split(",") if part.strip()]
        if isinstance(raw, list):
            if all(_is_scalar(item) for item in raw):
                return tuple(raw)
            self.report(path, SegmentProblemCode.WRONG_TYPE, expected="list of values")
            return None
        if raw is None or _is_scalar(raw):
            return raw  # type: ignore[no-any-return]  # narrowed by _is_scalar
        self.report(path, SegmentProblemCode.WRONG_TYPE, expected="value")
        return None

    def filters(self, raw: Any, path: str) -> tuple[PropertyFilter, ...]:
        if not isinstance(raw, list):
            self.report(path, SegmentProblemCode.WRONG_TYPE, expected="list")
            return ()
        read = [self._filter(item, f"{path}[{position}]") for position, item in enumerate(raw)]
        return tuple(item for item in read if item is not None)

    def _filter(self, raw: Any, path: str) -> PropertyFilter | None:
        self.nodes += 1
        if not isinstance(raw, Mapping):
            self.report(path, SegmentProblemCode.WRONG_TYPE, expected="object")
            return None
        self.keys(raw, path, frozenset({"property", "operator", "value"}))
        name = self.text(raw, "property", path)
        op = self.operator(raw.get("operator"), join(path, "operator"))
        value = self.value(raw.get("value"), op, join(path, "value"))
        return PropertyFilter(name, op, value) if name is not None and op else None

    def window(self, raw: Mapping[str, Any], path: str) -> Window | None:
        days, between = raw.get("within_days"), raw.get("between")
        if days is not None and between is not None:
            self.report(path, SegmentProblemCode.TWO_WINDOWS)
            return None
        if between is not None:
            return self._period(between, join(path, "between"))
        if days is None:
            return None
        number = self.whole(days, join(path, "within_days"))
        return None if number is None else WithinDays(number)

    def whole(self, raw: Any, path: str) -> int | None:
        number = int(raw) if isinstance(raw, str) and raw.isdecimal() else raw
        if isinstance(number, int) and not isinstance(number, bool):
            return number
        self.report(path, SegmentProblemCode.NOT_WHOLE)
        return None

    def _period(self, raw: Any, path: str) -> Period | None:
        if not isinstance(raw, list) or len(raw) != 2:
            self.report(path, SegmentProblemCode.TWO_VALUES_NEEDED)
            return None
        ends = [_moment_or_day(item) for item in raw]
        for position, end in enumerate(ends):
            if end is None:
                self.report(f"{path}[{position}]", SegmentProblemCode.NOT_A_DATE)
        start, end = ends
        return None if start is None or end is None else Period(start, end)


@dataclass(frozen=True, slots=True)
class _Condition:
    """One condition of a special field, before it is understood."""

    path: str
    name: str
    rest: str
    operator: str
    value: Any


def _event(reader: _RuleParser, raw: _Condition) -> EventCondition | None:
    path = join(raw.path, "value")
    if raw.operator != Op.EQUAL:
        reader.report(join(raw.path, "operator"), SegmentProblemCode.OPERATOR_NOT_ALLOWED)
    data = raw.value
    if not isinstance(data, Mapping):
        reader.report(path, SegmentProblemCode.WRONG_TYPE, expected="object")
        return None
    reader.keys(data, path, _EVENT_KEYS)
    event = reader.text(data, "event", path)
    aggregate = data.get("aggregate", Aggregate.COUNT)
    if not isinstance(aggregate, str) or aggregate not in set(Aggregate):
        reader.report(join(path, "aggregate"), SegmentProblemCode.UNKNOWN_AGGREGATE)
        return None
    op = reader.operator(data.get("operator", Op.AT_LEAST), join(path, "operator"))
    value = reader.value(data.get("value", 1), op, join(path, "value"))
    window = reader.window(data, path)
    where = reader.filters(data.get("where", []), join(path, "where"))
    if event is None or op is None:
        return None
    return EventCondition(event, Aggregate(aggregate), op, value, window, where)


def _sequence(reader: _RuleParser, raw: _Condition) -> SequenceCondition | None:
    path = join(raw.path, "value")
    if raw.operator != Op.EQUAL:
        reader.report(join(raw.path, "operator"), SegmentProblemCode.OPERATOR_NOT_ALLOWED)
    data = raw.value
    if not isinstance(data, Mapping):
        reader.report(path, SegmentProblemCode.WRONG_TYPE, expected="object")
        return None
    reader.keys(data, path, _SEQUENCE_KEYS)
    event, then = (reader.text(data, key, path) for key in ("event", "then"))
    is_followed = data.get("followed", False)
    if not isinstance(is_followed, bool):
        reader.report(join(path, "followed"), SegmentProblemCode.WRONG_TYPE, expected="boolean")
    days = reader.whole(data.get("days"), join(path, "days"))
    window = reader.window(data, path)
    where = reader.filters(data.get("where", []), join(path, "where"))
    then_where = reader.filters(data.get("then_where", []), join(path, "then_where"))
    if event is None or then is None or days is None:
        return None
    return SequenceCondition(event, then, days, is_followed is True, window, where, then_where)


def _segment(reader: _RuleParser, raw: _Condition) -> SegmentCondition | None:
    if raw.operator not in MEMBER_OPERATORS:
        reader.report(join(raw.path, "operator"), SegmentProblemCode.OPERATOR_NOT_ALLOWED)
        return None
    if not isinstance(raw.value, str):
        reader.report(join(raw.path, "value"), SegmentProblemCode.NOT_TEXT)
        return None
    return SegmentCondition(raw.value, MEMBER_OPERATORS[raw.operator])


def _consent(reader: _RuleParser, raw: _Condition) -> ConsentCondition | None:
    channel, _, purpose = raw.rest.partition(".")
    if raw.value not in (None, "", True):
        reader.report(join(raw.path, "value"), SegmentProblemCode.VALUE_NOT_EXPECTED)
    if raw.operator not in CONSENT_OPERATORS:
        reader.report(join(raw.path, "operator"), SegmentProblemCode.OPERATOR_NOT_ALLOWED)
        return None
    return ConsentCondition(channel, purpose, CONSENT_OPERATORS[raw.operator])


def _score(reader: _RuleParser, raw: _Condition) -> ScoreCondition | None:
    op = reader.operator(raw.operator, join(raw.path, "operator"))
    value = reader.value(raw.value, op, join(raw.path, "value"))
    return ScoreCondition(raw.rest, op, value) if op else None


def _loan_property(reader: _RuleParser, raw: _Condition) -> LoanCondition | None:
    op = reader.operator(raw.operator, join(raw.path, "operator"))
    value = reader.value(raw.value, op, join(raw.path, "value"))
    return LoanCondition((PropertyFilter(raw.rest, op, value),)) if op else None


def _same_loan(reader: _RuleParser, raw: _Condition) -> LoanCondition | None:
    path = join(raw.path, "value")
    if raw.operator != Op.EQUAL:
        reader.report(join(raw.path, "operator"), SegmentProblemCode.OPERATOR_NOT_ALLOWED)
    if not isinstance(raw.value, Mapping):
        reader.report(path, SegmentProblemCode.WRONG_TYPE, expected="object")
        return None
    reader.keys(raw.value, path, frozenset({"where"}))
    where = reader.filters(raw.value.get("where"), join(path, "where"))
    if len(where) < 2:
        reader.report(join(path, "where"), SegmentProblemCode.TWO_VALUES_NEEDED)
        return None
    return LoanCondition(where)


_SPECIAL: Mapping[str, Callable[[_RuleParser, _Condition], Leaf | None]] = {
    "event": _event,
    "sequence": _sequence,
    "segment": _segment,
    "loan": _same_loan,
    "loan.": _loan_property,
    "consent.": _consent,
    "score.": _score,
}


def _is_scalar(raw: Any) -> bool:
    return isinstance(raw, str | bool | int | float | Decimal)


def _moment_or_day(raw: Any) -> date | datetime | None:
    """Return a day for `2026-01-31`, a moment for anything with a time of day."""
    if not isinstance(raw, str):
        return None
    try:
        return date.fromisoformat(raw) if len(raw) == 10 else datetime.fromisoformat(raw)
    except ValueError:
        return None
