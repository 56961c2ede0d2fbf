"""Whom a rule could have chosen, whatever a model said: the people an audience is compared with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from customers.domain.segments.ast import (
    AllOf,
    AnyOf,
    Not,
    Rule,
    ScoreCondition,
    SegmentCondition,
)

EVERYBODY = AllOf(())
NOBODY = AnyOf(())


@dataclass(frozen=True, slots=True)
class KnownSegments:
    """What is known of the segments that a rule names.

    Attributes:
        rules: Of dynamic segments, by slug.
        bases: Of lists that a model chose, the rule of those it chose from; by slug.
    """

    rules: Mapping[str, Rule]
    bases: Mapping[str, Rule]


def is_by_model(rule: Rule, known: KnownSegments) -> bool:
    """Return whether a score, or a list that a model chose, decides about anybody."""
    return any(True for _leaf in _by_model(rule, known, frozenset()))


def models_of(rule: Rule, known: KnownSegments) -> list[str]:
    """Return the names of the models whose scores the rule asks for, sorted."""
    found = _by_model(rule, known, frozenset())
    return sorted({leaf.model for leaf in found if isinstance(leaf, ScoreCondition)})


def lists_of(rule: Rule, known: KnownSegments) -> list[str]:
    """Return the slugs of the lists that a model chose and that the rule asks for, sorted."""
    found = _by_model(rule, known, frozenset())
    return sorted({leaf.slug for leaf in found if isinstance(leaf, SegmentCondition)})


def base_of(rule: Rule, known: KnownSegments) -> Rule:
    """Return the rule of everybody whom some scores would have let in.

    Conditions on scores count as met where that lets people in, and as not met where that keeps
    people out; everything else stays. What a list was chosen from may itself be chosen by a model:
    that counts likewise, down to the people that no model chose.
    """
    return _bound(rule, known, frozenset(), is_widest=True)


def _bound(rule: Rule, known: KnownSegments, seen: frozenset[str], *, is_widest: bool) -> Rule:
    match rule:
        case ScoreCondition():
            return EVERYBODY if is_widest else NOBODY
        case SegmentCondition(slug, is_member):
            wide = is_widest is is_member
            inner = _bound_segment(slug, known, seen, is_widest=wide)
            return inner if is_member else Not(inner)
        case Not(inner):
            return Not(_bound(inner, known, seen, is_widest=not is_widest))
        case AllOf(rules):
            return AllOf(tuple(_bound(one, known, seen, is_widest=is_widest) for one in rules))
        case AnyOf(rules):
            return AnyOf(tuple(_bound(one, known, seen, is_widest=is_widest) for one in rules))
        case _:
            return rule


def _bound_segment(
    slug: str, known: KnownSegments, seen: frozenset[str], *, is_widest: bool
) -> Rule:
    if slug in known.bases:
        if not is_widest:
            return NOBODY
        # A list that was chosen from itself: its earlier members came from nobody else knows where.
        if slug in seen:
            return EVERYBODY
        return _bound(known.bases[slug], known, seen | {slug}, is_widest=True)
    if slug in known.rules:
        return _bound(known.rules[slug], known, seen, is_widest=is_widest)
    return SegmentCondition(slug)


def _by_model(
    rule: Rule, known: KnownSegments, seen: frozenset[str]
) -> Iterator[ScoreCondition | SegmentCondition]:
    match rule:
        case ScoreCondition():
            yield rule
        case SegmentCondition(slug):
            if slug in known.bases:
                yield rule
            inner = known.bases.get(slug, known.rules.get(slug))
            if inner is not None and slug not in seen:
                yield from _by_model(inner, known, seen | {slug})
        case Not(inner):
            yield from _by_model(inner, known, seen)
        case AllOf(rules) | AnyOf(rules):
            for one in rules:
                yield from _by_model(one, known, seen)
        case _:
            return
