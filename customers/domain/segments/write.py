"""The rule tree to its stored JSON, which `parse.py` reads back to the same tree."""

from datetime import date
from decimal import Decimal
from typing import Any, assert_never

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
from customers.domain.segments.parse import VERSION


def to_json(rule: Rule) -> dict[str, Any]:
    """Return the stored form of a rule: one group with its version, without ids."""
    node = _node_json(rule)
    if "rules" not in node:
        node = {"combinator": "and", "rules": [node]}
    return {"version": VERSION, **node}


def _node_json(rule: Rule) -> dict[str, Any]:
    match rule:
        case AllOf(rules):
            return {"combinator": "and", "rules": [_node_json(child) for child in rules]}
        case AnyOf(rules):
            return {"combinator": "or", "rules": [_node_json(child) for child in rules]}
        case Not(child):
            inner = _node_json(child)
            if "rules" not in inner or inner.get("not"):
                inner = {"combinator": "and", "rules": [inner]}
            return {"combinator": inner["combinator"], "not": True, "rules": inner["rules"]}
        case _:
            name, operator, value = _leaf_json(rule)
            return {"field": name, "operator": operator, "value": value}


def _leaf_json(leaf: Leaf) -> tuple[str, str, Any]:
    match leaf:
        case Compare(name, op, value):
            found = (name, op.value, _value_json(value))
        case ScoreCondition(model, op, value):
            found = (f"score.{model}", op.value, _value_json(value))
        case ConsentCondition(channel, purpose, granted):
            operator = "granted" if granted else "not_granted"
            found = (f"consent.{channel}.{purpose}", operator, None)
        case SegmentCondition(slug, is_member):
            found = ("segment", "=" if is_member else "!=", slug)
        case LoanCondition((only,)):
            found = (f"loan.{only.property}", only.op.value, _value_json(only.value))
        case LoanCondition(where):
            found = ("loan", "=", {"where": _filters_json(where)})
        case EventCondition() | SequenceCondition():
            found = _history_json(leaf)
        case _:
            assert_never(leaf)
    return found


def _history_json(leaf: EventCondition | SequenceCondition) -> tuple[str, str, Any]:
    if isinstance(leaf, EventCondition):
        return "event", "=", _event_json(leaf)
    return "sequence", "=", _sequence_json(leaf)


def _event_json(leaf: EventCondition) -> dict[str, Any]:
    content: dict[str, Any] = {
        "event": leaf.event,
        "aggregate": leaf.aggregate.value,
        "operator": leaf.op.value,
        "value": _value_json(leaf.value),
    }
    content |= _window_json(leaf.window)
    if leaf.where:
        content["where"] = _filters_json(leaf.where)
    return content


def _sequence_json(leaf: SequenceCondition) -> dict[str, Any]:
    content: dict[str, Any] = {
        "event": leaf.event,
        "then": leaf.then,
        "followed": leaf.is_followed,
        "days": leaf.days,
        **_window_json(leaf.window),
    }
    if leaf.where:
        content["where"] = _filters_json(leaf.where)
    if leaf.then_where:
        content["then_where"] = _filters_json(leaf.then_where)
    return content


def _window_json(window: Window | None) -> dict[str, Any]:
    match window:
        case WithinDays(days):
            return {"within_days": days}
        case Period(start, end):
            return {"between": [start.isoformat(), end.isoformat()]}
        case None:
            return {}


def _filters_json(where: tuple[PropertyFilter, ...]) -> list[dict[str, Any]]:
    return [
        {"property": item.property, "operator": item.op.value, "value": _value_json(item.value)}
        for item in where
    ]


def _value_json(value: Value) -> Any:
    if isinstance(value, tuple):
        return [_scalar_json(item) for item in value]
    return None if value is None else _scalar_json(value)


def _scalar_json(value: Scalar) -> str | bool | int | float:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else str(value)
        case date():
            return value.isoformat()
        case _:
            return value
