"""The rule tree in words, Chinese or English, for approvers, history and screens."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

from customers.domain.fields.catalogue import (
    Aggregate,
    Catalogue,
    FieldSpec,
    FieldType,
    Op,
    Text,
    operator_label,
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
    Scalar,
    ScoreCondition,
    SegmentCondition,
    SequenceCondition,
    Value,
    Window,
    WithinDays,
)
from customers.domain.segments.columns import event_properties

_PLAIN = Text("{name}{operator} {value}{unit}", "{name} {operator} {value}{unit}")
_BARE = Text("{name}{operator}", "{name} {operator}")
_SPECIAL: Mapping[Op, Text] = {
    Op.NULL: _BARE,
    Op.NOT_NULL: _BARE,
    Op.BETWEEN: Text("{name}介于 {value}{unit}之间", "{name} is between {value}{unit}"),
    Op.NOT_BETWEEN: Text("{name}不介于 {value}{unit}之间", "{name} is not between {value}{unit}"),
    Op.IN_LAST_DAYS: Text("{name}在最近 {value} 天内", "{name} is in the last {value} days"),
    Op.IN_NEXT_DAYS: Text("{name}在未来 {value} 天内", "{name} is in the next {value} days"),
    Op.MORE_THAN_DAYS_AGO: Text("{name}早于 {value} 天前", "{name} is more than {value} days ago"),
}
_RANGES = frozenset({Op.BETWEEN, Op.NOT_BETWEEN})
_FLAGS = {True: Text("是", "yes"), False: Text("否", "no")}
_ALL_CUSTOMERS = Text("所有客户", "all customers")
_NOBODY = Text("没有客户", "no customers")
_NEGATED = Text("并非（{rule}）", "not ({rule})")
_BRACKETS = Text("（{rule}）", "({rule})")
_AND = Text("，且", " and ")
_OR = Text("，或", " or ")
_COMMA = Text("、", ", ")
_TO = Text(" 和 ", " and ")
_CONSENT = Text("{state}{channel}{purpose}", "{state} to {purpose} by {channel}")
_GRANTED = {True: Text("已同意", "has consented"), False: Text("未同意", "has not consented")}
_MEMBER = {True: Text("属于人群“{name}”", "is in the segment “{name}”")}
_MEMBER[False] = Text("不属于人群“{name}”", "is not in the segment “{name}”")
_SCORE = Text("评分 {name} ", "score {name}")
_ONE_LOAN = Text("任意一笔贷款的{rule}", "any loan's {rule}")
_NO_LOAN = Text("没有任何贷款有{name}", "no loan has a {name}")
_SAME_LOAN = Text("有一笔贷款同时满足：{rule}", "one loan has all of: {rule}")
_WITHIN = Text("最近 {days} 天内", "in the last {days} days")
_PERIOD = Text("{start} 至 {end} 期间", "from {start} to {end}")
_EVENT_FILTERS = Text("（{rule}）", " ({rule})")
_EVENTS: Mapping[Aggregate, Text] = {
    Aggregate.COUNT: Text("{event}的次数", "the number of {event}"),
    Aggregate.SUM_AMOUNT: Text("{event}的金额合计", "the total amount of {event}"),
    Aggregate.DAYS_SINCE_LAST: Text("距最近一次{event}的天数", "days since the last of {event}"),
    Aggregate.DAYS_SINCE_FIRST: Text("距首次{event}的天数", "days since the first of {event}"),
}
_EVENT = Text("{window}“{event}”{where}", "“{event}”{where} {window}")
_SEQUENCE: Mapping[bool, Text] = {
    True: Text(
        "{first}之后 {days} 天内有{then}", "after {first} there was {then} within {days} days"
    ),
    False: Text(
        "{first}之后 {days} 天内没有{then}", "after {first} there was no {then} within {days} days"
    ),
}
_MEASURED = Text("{measure}{operator} {value}", "{measure} {operator} {value}")


_MEASURE = FieldSpec("", FieldType.DECIMAL, Text("", ""), "")


def explain(rule: Rule, *, catalogue: Catalogue, language: str) -> str:
    """Return a checked rule as a sentence without a full stop."""
    return _Teller(catalogue, language).node(rule, is_inner=False)


class _Teller:
    """Puts nodes into words in one language."""

    def __init__(self, catalogue: Catalogue, language: str) -> None:
        self.catalogue = catalogue
        self.language = language

    def say(self, text: Text, **parts: object) -> str:
        return text.read(self.language).format(**parts)

    def node(self, rule: Rule, *, is_inner: bool = True) -> str:
        match rule:
            case Not(child):
                return self.say(_NEGATED, rule=self.node(child, is_inner=False))
            case AllOf(rules):
                return self._group(rules, _AND, _ALL_CUSTOMERS, is_inner=is_inner)
            case AnyOf(rules):
                return self._group(rules, _OR, _NOBODY, is_inner=is_inner)
            case _:
                return self.leaf(rule)

    def _group(self, rules: tuple[Rule, ...], joint: Text, empty: Text, *, is_inner: bool) -> str:
        if not rules:
            return self.say(empty)
        if len(rules) == 1:
            return self.node(rules[0], is_inner=is_inner)
        joined = self.say(joint).join(self.node(child) for child in rules)
        return self.say(_BRACKETS, rule=joined) if is_inner else joined

    def leaf(self, leaf: Leaf) -> str:
        match leaf:
            case Compare(name, op, value):
                told = self.condition(self.catalogue.fields[name], op, value)
            case ScoreCondition(model, op, value):
                score = self.catalogue.scores[model]
                name = self.say(_SCORE, name=score.label.read(self.language))
                told = self.condition(score.spec, op, value, name=name)
            case ConsentCondition():
                told = self._consent(leaf)
            case SegmentCondition(slug, is_member):
                label = self.catalogue.segments.get(slug, Text(slug, slug))
                told = self.say(_MEMBER[is_member], name=label.read(self.language))
            case LoanCondition(where):
                told = self._loan(where)
            case EventCondition():
                told = self._event(leaf)
            case SequenceCondition():
                told = self.say(
                    _SEQUENCE[leaf.is_followed],
                    first=self._named(leaf.event, leaf.window, leaf.where),
                    then=self._named(leaf.then, None, leaf.then_where),
                    days=leaf.days,
                )
            case _:
                assert_never(leaf)
        return told

    def condition(self, spec: FieldSpec, op: Op, value: Value, *, name: str = "") -> str:
        unit = spec.unit.read(self.language) if spec.unit else ""
        return self.say(
            _SPECIAL.get(op, _PLAIN),
            name=name or spec.label.read(self.language),
            operator=operator_label(op, spec.type).read(self.language),
            value=self._value(value, spec, op),
            unit=f" {unit}" if unit else "",
        )

    def _value(self, value: Value, spec: FieldSpec, op: Op) -> str:
        if isinstance(value, tuple):
            joint = _TO if op in _RANGES else _COMMA
            return self.say(joint).join(self._scalar(item, spec) for item in value)
        return "" if value is None else self._scalar(value, spec)

    def _scalar(self, value: Scalar, spec: FieldSpec) -> str:
        if isinstance(value, bool):
            return self.say(_FLAGS[value])
        if spec.type is FieldType.CHOICE:
            labels = {option.value: option.label for option in spec.options}
            return self.say(labels.get(str(value), Text(str(value), str(value))))
        return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)

    def _consent(self, leaf: ConsentCondition) -> str:
        channels = {o.value: o.label for o in self.catalogue.consent_channels}
        purposes = {o.value: o.label for o in self.catalogue.consent_purposes}
        return self.say(
            _CONSENT,
            state=self.say(_GRANTED[leaf.granted]),
            channel=channels[leaf.channel].read(self.language),
            purpose=purposes[leaf.purpose].read(self.language),
        )

    def _loan(self, where: tuple[PropertyFilter, ...]) -> str:
        specs = self.catalogue.loan_fields
        if len(where) > 1:
            return self.say(_SAME_LOAN, rule=self._filters(where, specs))
        only = where[0]
        if only.op is Op.NULL:
            label = specs[only.property].label.read(self.language)
            return self.say(_NO_LOAN, name=label)
        told = self.condition(specs[only.property], only.op, only.value)
        return self.say(_ONE_LOAN, rule=told)

    def _filters(self, where: tuple[PropertyFilter, ...], specs: Mapping[str, FieldSpec]) -> str:
        return self.say(_COMMA).join(
            self.condition(specs[item.property], item.op, item.value) for item in where
        )

    def _event(self, leaf: EventCondition) -> str:
        event = self._named(leaf.event, leaf.window, leaf.where)
        return self.say(
            _MEASURED,
            measure=self.say(_EVENTS[leaf.aggregate], event=event),
            operator=operator_label(leaf.op, FieldType.INTEGER).read(self.language),
            value=self._value(leaf.value, _MEASURE, leaf.op),
        )

    def _named(self, name: str, window: Window | None, where: tuple[PropertyFilter, ...]) -> str:
        filters = self._filters(where, event_properties(self.catalogue, name))
        told = self.say(
            _EVENT,
            event=self.catalogue.events[name].label.read(self.language),
            window=self._window(window),
            where=self.say(_EVENT_FILTERS, rule=filters) if filters else "",
        )
        return told.strip()

    def _window(self, window: Window | None) -> str:
        match window:
            case None:
                return ""
            case WithinDays(days):
                return self.say(_WITHIN, days=days)
            case Period(start, end):
                return self.say(_PERIOD, start=_shown(start), end=_shown(end))


def _shown(end: date | datetime) -> str:
    return end.isoformat(" ", "minutes") if isinstance(end, datetime) else end.isoformat()
