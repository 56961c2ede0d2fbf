"""Which events a rule asks about, and the entries into and exits from segments among them."""

from collections.abc import Iterator

from customers.domain.events.event import EventName
from customers.domain.fields.catalogue import Op
from customers.domain.segments.ast import (
    AllOf,
    AnyOf,
    EventCondition,
    Not,
    PropertyFilter,
    Rule,
    SequenceCondition,
)

SEGMENT_EVENTS = frozenset({EventName.SEGMENT_ENTERED, EventName.SEGMENT_LEFT})


def events_of(rule: Rule) -> Iterator[str]:
    """Yield the names of the events that a rule names itself, repeats included."""
    match rule:
        case EventCondition(event):
            yield event
        case SequenceCondition(event, then):
            yield from (event, then)
        case Not(child):
            yield from events_of(child)
        case AllOf(rules) | AnyOf(rules):
            for child in rules:
                yield from events_of(child)
        case _:
            return


def segments_asked_about(where: tuple[PropertyFilter, ...]) -> tuple[str, ...]:
    """Return the slugs that the filters of a segment's event name; none where left open."""
    named: tuple[str, ...] = ()
    for item in where:
        if item.property == "subject" and item.op in {Op.EQUAL, Op.IN}:
            values = item.value if isinstance(item.value, tuple) else (item.value,)
            named += tuple(str(value) for value in values)
    return named


def segments_of_events(rule: Rule) -> Iterator[str]:
    """Yield the slugs of the segments of which a rule asks who entered or left."""
    match rule:
        case EventCondition(event) if event in SEGMENT_EVENTS:
            yield from segments_asked_about(rule.where)
        case SequenceCondition():
            if rule.event in SEGMENT_EVENTS:
                yield from segments_asked_about(rule.where)
            if rule.then in SEGMENT_EVENTS:
                yield from segments_asked_about(rule.then_where)
        case Not(child):
            yield from segments_of_events(child)
        case AllOf(rules) | AnyOf(rules):
            for child in rules:
                yield from segments_of_events(child)
        case _:
            return
