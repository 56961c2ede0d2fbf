"""What changed from one rule to the next, condition by condition, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from customers.domain.fields.catalogue import Catalogue, Text
from customers.domain.segments.ast import (
    AllOf,
    AnyOf,
    Compare,
    ConsentCondition,
    EventCondition,
    LoanCondition,
    Not,
    Rule,
    ScoreCondition,
    SegmentCondition,
    SequenceCondition,
)
from customers.domain.segments.explain import explain


class RuleChangeKind(StrEnum):
    """What happened to a condition or a group."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    JOINED = "joined"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One difference; `old` is None where something was added, `new` where it was removed.

    A group that is joined or negated otherwise is one change of its own; what changed inside
    follows it.
    """

    kind: RuleChangeKind
    old: Rule | None
    new: Rule | None


_WORDS = {
    RuleChangeKind.ADDED: Text("新增：{new}", "added: {new}"),
    RuleChangeKind.REMOVED: Text("删除：{old}", "removed: {old}"),
    RuleChangeKind.CHANGED: Text("“{old}”改为“{new}”", "“{old}” became “{new}”"),
    RuleChangeKind.JOINED: Text(
        "条件组由“{old}”改为“{new}”", "a group of “{old}” became one of “{new}”"
    ),
}
_JOINTS = {
    (True, False): Text("全部满足", "all of"),
    (False, False): Text("任一满足", "any of"),
    (True, True): Text("并非全部满足", "not all of"),
    (False, True): Text("均不满足", "none of"),
}


def compare(old: Rule, new: Rule) -> list[RuleChange]:
    """Return the differences between two checked rules; the same rules have none.

    Equal conditions of a group cancel out wherever they stand in it. Of the rest, two conditions
    on the same field are one that changed, two groups are compared inside, and what is left over
    was removed or added.
    """
    return list(_compare(old, new))


def describe_change(change: RuleChange, *, catalogue: Catalogue, language: str) -> str:
    """Return a difference in words."""
    if change.kind is RuleChangeKind.JOINED and change.old is not None and change.new is not None:
        old, new = (_JOINTS[_shape(rule)].read(language) for rule in (change.old, change.new))
    else:
        old, new = (
            explain(rule, catalogue=catalogue, language=language) if rule is not None else ""
            for rule in (change.old, change.new)
        )
    return _WORDS[change.kind].read(language).format(old=old, new=new)


def _compare(old: Rule, new: Rule) -> Iterator[RuleChange]:
    if old == new:
        return
    if not _is_group(old) or not _is_group(new):
        yield RuleChange(RuleChangeKind.CHANGED, old, new)
        return
    if _shape(old) != _shape(new):
        yield RuleChange(RuleChangeKind.JOINED, old, new)
    yield from _compare_lists(_children(old), _children(new))


def _compare_lists(olds: Sequence[Rule], news: Sequence[Rule]) -> Iterator[RuleChange]:
    gone, come = list(olds), list(news)
    for rule in olds:
        if rule in come:
            come.remove(rule)
            gone.remove(rule)
    for rule in list(gone):
        match = next((other for other in come if _subject(other) == _subject(rule)), None)
        if match is not None:
            gone.remove(rule)
            come.remove(match)
            yield from _compare(rule, match)
    yield from (RuleChange(RuleChangeKind.REMOVED, rule, None) for rule in gone)
    yield from (RuleChange(RuleChangeKind.ADDED, None, rule) for rule in come)


def _is_group(rule: Rule) -> bool:
    inner = rule.rule if isinstance(rule, Not) else rule
    return isinstance(inner, AllOf | AnyOf)


def _shape(rule: Rule) -> tuple[bool, bool]:
    """Return whether a group asks for all of its rules, and whether it is negated."""
    inner = rule.rule if isinstance(rule, Not) else rule
    return isinstance(inner, AllOf), isinstance(rule, Not)


def _children(rule: Rule) -> tuple[Rule, ...]:
    inner = rule.rule if isinstance(rule, Not) else rule
    return inner.rules if isinstance(inner, AllOf | AnyOf) else ()


def _subject(rule: Rule) -> tuple[str, ...]:
    """Return what a condition is about, whatever it asks of it."""
    match rule:
        case Compare(field):
            found: tuple[str, ...] = ("field", field)
        case EventCondition(event, aggregate):
            found = ("event", event, aggregate)
        case SequenceCondition(event, then):
            found = ("sequence", event, then)
        case LoanCondition(where):
            found = ("loan", *(item.property for item in where))
        case ConsentCondition(channel, purpose):
            found = ("consent", channel, purpose)
        case ScoreCondition(model):
            found = ("score", model)
        case SegmentCondition(slug):
            found = ("segment", slug)
        case _:
            found = ("group",)
    return found
