"""Whose value survives, where two records become one and where a file brings another value.

One rule a field decides both. A merge picks between two stored records. An import may overwrite
what is stored unless the rule ranks sources and the stored value's source ranks before the file's;
sources that the rule does not name rank last, all alike. With every source named, the outcome is
the same in whatever order the files come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from customers.domain.consents.consent import ConsentFact
from customers.domain.imports.mapping import PARSED_FIELDS, TEXT_FIELDS
from customers.domain.values.person import Gender, MarketingStatus

_BLANK: Final = (None, "", Gender.UNKNOWN.value)
# What bars more stands further back.
_BARS: Final = tuple(status.value for status in MarketingStatus)


class MergeState(StrEnum):
    """What became of a proposal to merge two customers."""

    PROPOSED = "proposed"
    MERGED = "merged"
    REFUSED = "refused"


class Prefer(StrEnum):
    """Whose value survives where both records have one."""

    KEPT = "kept"
    NEWEST = "newest"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field survives; `sources` names the trusted ones, best first.

    `prefer` other than SOURCE is about merges only.
    """

    prefer: Prefer = Prefer.KEPT
    sources: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A value with where it came from and when it was last written."""

    value: Any = field(repr=False)
    source: str
    updated_at: datetime


DEFAULT_RULE: Final = Rule()
# The rule of every field that has none of its own.
EVERY_FIELD: Final = "*"


RULE_FIELDS: Final = frozenset(
    {EVERY_FIELD, *TEXT_FIELDS, *PARSED_FIELDS, "contact.phone", "contact.email"}
)


def rule_for(rules: Mapping[str, Rule], field_name: str) -> Rule:
    """Return the rule of a field, such as `city`, `contact.phone` or `attribute.income`."""
    return rules.get(field_name) or rules.get(EVERY_FIELD, DEFAULT_RULE)


def outranks(one: str, other: str, rule: Rule) -> bool:
    """Return whether a source is trusted more than another one."""
    return rule.prefer is Prefer.SOURCE and _rank(one, rule) < _rank(other, rule)


def is_blank(value: object) -> bool:
    """Return whether a value says nothing."""
    return value in _BLANK


def is_other_better(kept: Held, other: Held, rule: Rule) -> bool:
    """Return whether the other record's value survives; at equal standing the kept one does."""
    if is_blank(other.value) or kept.value == other.value:
        return False
    if is_blank(kept.value):
        return True
    match rule.prefer:
        case Prefer.KEPT:
            return False
        case Prefer.NEWEST:
            return other.updated_at > kept.updated_at
        case Prefer.SOURCE:
            return _rank(other.source, rule) < _rank(kept.source, rule)


def stricter_status(one: str, other: str) -> str:
    """Return the marketing status that bars more."""
    return max(one, other, key=_BARS.index)


def narrowest(facts: Sequence[ConsentFact]) -> ConsentFact:
    """Return the consent of one person whose records say different things.

    A withdrawal anywhere wins, the latest of them; of several grants the one that expires first.
    """
    withdrawn = [fact for fact in facts if not fact.is_granted]
    if withdrawn:
        return max(withdrawn, key=lambda fact: fact.at)
    ending = [fact for fact in facts if fact.expires_at is not None]
    if ending:
        return min(ending, key=_ends_at)
    return max(facts, key=lambda fact: fact.at)


def merged_consents(
    kept: Mapping[tuple[str, str], ConsentFact], other: Mapping[tuple[str, str], ConsentFact]
) -> dict[tuple[str, str], ConsentFact]:
    """Return the consents, by channel and purpose, that the merge changes for the kept record."""
    changed = {}
    for key, fact in other.items():
        facts = [fact, kept[key]] if key in kept else [fact]
        result = narrowest(facts)
        if key not in kept or kept[key] != result:
            changed[key] = result
    return changed


def _ends_at(fact: ConsentFact) -> datetime:
    return fact.expires_at or fact.at


def _rank(source: str, rule: Rule) -> int:
    return rule.sources.index(source) if source in rule.sources else len(rule.sources)
