"""Where in a rule a problem lies, in words: which condition or group, and its field's label."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from customers.domain.fields.catalogue import CONSENT_FIELD, SPECIAL_FIELDS, Catalogue, Text
from customers.domain.segments.problems import SegmentProblem

_STEP = re.compile(r"(?:^|\.)rules\[(\d+)\]")
_FILTER = re.compile(r"\.(where|then_where)\[(\d+)\]")

_GROUP = Text("第 {number} 组", "Group {number}")
_CONDITION = Text("第 {number} 个条件", "Condition {number}")
_INNER = Text("第 {group} 组第 {number} 个条件", "Condition {number} of group {group}")
_ONLY = Text("条件", "The condition")
_NAMED = Text("{place}（{label}）", "{place} ({label})")
_FILTERS = {
    "where": Text("{place}，第 {number} 个筛选", "{place}, filter {number}"),
    "then_where": Text(
        "{place}，后一事件的第 {number} 个筛选", "{place}, filter {number} of the following event"
    ),
}
_SEGMENT = Text("人群“{name}”，{place}", "Segment “{name}”, {place}")
_SEGMENT_ALONE = Text("人群“{name}”", "Segment “{name}”")


def located(
    problems: Iterable[SegmentProblem], data: Any, catalogue: Catalogue
) -> tuple[SegmentProblem, ...]:
    """Return the problems of a rule's JSON with their places; one that has its place keeps it."""
    return tuple(
        problem if problem.place else replace(problem, place=_place(problem.path, data, catalogue))
        for problem in problems
    )


def inside_segment(problem: SegmentProblem, slug: str, catalogue: Catalogue) -> SegmentProblem:
    """Return a problem of another segment's rule, which already has its place in that rule."""
    name = catalogue.segments.get(slug, Text(slug, slug))
    pattern = _SEGMENT if problem.place else _SEGMENT_ALONE
    place = _filled(pattern, name=name, place=problem.place or Text("", ""))
    return SegmentProblem(f"segment[{slug}].{problem.path}", problem.code, problem.facts, place)


def _place(path: str, data: Any, catalogue: Catalogue) -> Text | None:
    """Return the place of a path; None where it is the whole rule."""
    numbers = [int(number) for number in _STEP.findall(path)]
    node = _node(data, numbers)
    label = _label(node, catalogue)
    if not numbers and label is None:
        return None
    place = _numbered(numbers, is_group="rules" in node or "combinator" in node)
    if label is not None:
        place = _filled(_NAMED, place=place, label=label)
    for kind, number in _FILTER.findall(path):
        place = _filled(_FILTERS[kind], place=place, number=int(number) + 1)
    return place


def _node(data: Any, numbers: Iterable[int]) -> Mapping[str, Any]:
    for number in numbers:
        rules = data.get("rules") if isinstance(data, Mapping) else None
        data = rules[number] if isinstance(rules, list) and number < len(rules) else None
    return data if isinstance(data, Mapping) else {}


def _numbered(numbers: list[int], *, is_group: bool) -> Text:
    """Return a number as the builder counts: from one, a dot between the groups."""
    counted = [str(number + 1) for number in numbers]
    if not counted:
        return _ONLY
    if is_group:
        return _filled(_GROUP, number=".".join(counted))
    if len(counted) == 1:
        return _filled(_CONDITION, number=counted[0])
    return _filled(_INNER, group=".".join(counted[:-1]), number=counted[-1])


def _label(node: Mapping[str, Any], catalogue: Catalogue) -> Text | None:
    """Return what the builder calls the field of a condition; None where it knows none."""
    name = node.get("field")
    if not isinstance(name, str):
        return None
    head, _, rest = name.partition(".")
    if head == "consent":
        return _consent(rest, catalogue)
    if head == "loan" and rest:
        loan_field = catalogue.loan_fields.get(rest)
        return loan_field.label if loan_field else None
    if head == "score":
        score = catalogue.scores.get(rest)
        return score.label if score else None
    spec = catalogue.fields.get(name)
    return spec.label if spec else SPECIAL_FIELDS.get(name)


def _consent(rest: str, catalogue: Catalogue) -> Text | None:
    channel, _, purpose = rest.partition(".")
    channels = {option.value: option.label for option in catalogue.consent_channels}
    purposes = {option.value: option.label for option in catalogue.consent_purposes}
    if channel not in channels or purpose not in purposes:
        return None
    return _filled(CONSENT_FIELD, channel=channels[channel], purpose=purposes[purpose])


def _filled(pattern: Text, **parts: Text | str | int) -> Text:
    """Return a text in both languages with its parts in both."""

    def read(language: str) -> str:
        told = {k: v.read(language) if isinstance(v, Text) else v for k, v in parts.items()}
        return pattern.read(language).format(**told)

    return Text(read("zh"), read("en"))
