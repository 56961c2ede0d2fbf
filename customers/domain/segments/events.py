"""Which events a rule asks about."""

from collections.abc import Iterator

from customers.domain.segments.ast import AllOf, AnyOf, EventCondition, Not, Rule, SequenceCondition


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
