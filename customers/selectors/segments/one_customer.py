"""How the conditions of a rule stand with one customer: now, and at an earlier moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from customers.domain.fields.catalogue import FieldSpec, FieldType, Store
from customers.domain.segments import evaluate
from customers.domain.segments.ast import (
    AllOf,
    Compare,
    EventCondition,
    Rule,
    SequenceCondition,
)
from customers.domain.segments.explain import explain
from customers.domain.segments.scope import RuleScope
from customers.domain.values.spells import PROFILE_COLUMNS, value_at
from customers.models import SegmentVersion
from customers.selectors import spells
from customers.selectors.segments import query, references
from customers.selectors.spells import Cell, Spells

_ATTRIBUTE = "attribute."
# What spells can say: a day or a flag is no cell of a model.
_CELLS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.TEXT, FieldType.CHOICE})


@dataclass(frozen=True, slots=True)
class ConditionStand:
    """One condition of a rule and how it stands with a customer.

    Attributes:
        words: The condition in the reader's language.
        held: Whether it held at the earlier moment; None where that is not known any more.
        holds: Whether it holds now.
        past_value: What was compared then, as it is shown; empty where it is not known.
        value: Likewise now.
    """

    words: str
    held: bool | None
    holds: bool
    past_value: str = ""
    value: str = ""


def conditions_of(
    *,
    version: SegmentVersion,
    customer_id: int,
    moment: datetime,
    now: datetime,
    zone: ZoneInfo,
    language: str,
) -> list[ConditionStand]:
    """Return the top conditions of a rule, all of which must hold; one that is no "and" is one.

    What is known of the past: events, and values that have a history (attributes of numbers and
    texts, the profile). One query a condition, and four for the past values.

    Raises:
        SegmentRuleInvalid: The rule names what is not there any more.
    """
    rule, scope = references.load_rule(version.rule, now=now, zone=zone)
    conditions = rule.rules if isinstance(rule, AllOf) else (rule,)
    then = RuleScope(scope.catalogue, moment, zone, scope.rules)
    past = _past_of(conditions, scope, customer_id)
    return [_stand(one, scope, then, past, customer_id, language) for one in conditions]


def _stand(
    condition: Rule,
    scope: RuleScope,
    then: RuleScope,
    past: Mapping[str, Spells],
    customer_id: int,
    language: str,
) -> ConditionStand:
    words = explain(condition, catalogue=scope.catalogue, language=language)
    holds = _holds(condition, scope, customer_id)
    if isinstance(condition, Compare) and condition.field in past:
        spec = scope.catalogue.fields[condition.field]
        spells_of = past[condition.field].get(customer_id, ())
        before = value_at(spells_of, then.now)
        # What is in force comes last, whatever time its writer gave.
        is_in_force = bool(spells_of) and spells_of[-1].ended is None
        today = spells_of[-1].value if is_in_force else None
        held = evaluate.satisfies(_typed(before), condition.op, condition.value, then.today)
        return ConditionStand(
            words, held, holds, _shown(before, spec, language), _shown(today, spec, language)
        )
    is_event = isinstance(condition, EventCondition | SequenceCondition)
    return ConditionStand(words, _holds(condition, then, customer_id) if is_event else None, holds)


def _holds(condition: Rule, scope: RuleScope, customer_id: int) -> bool:
    narrow = RuleScope(scope.catalogue, scope.now, scope.zone, scope.rules, (customer_id,))
    return query.customers_matching(condition, narrow).filter(pk=customer_id).exists()


def _past_of(
    conditions: Sequence[Rule], scope: RuleScope, customer_id: int
) -> Mapping[str, Spells]:
    """Return the values over time that conditions compare, by the name of the field."""
    named = {
        one.field: scope.catalogue.fields[one.field]
        for one in conditions
        if isinstance(one, Compare)
    }
    attributes = [
        name.removeprefix(_ATTRIBUTE)
        for name, spec in named.items()
        if spec.store is Store.ATTRIBUTE and spec.type in _CELLS
    ]
    columns = {
        name: spec.column
        for name, spec in named.items()
        if spec.store is Store.PLAIN and spec.column in PROFILE_COLUMNS
    }
    found: dict[str, Spells] = {}
    if attributes:
        of_names = spells.attribute_spells(customer_ids=[customer_id], names=attributes)
        found |= {f"{_ATTRIBUTE}{name}": of_names[name] for name in attributes}
    if columns:
        profiles = spells.profile_spells(customer_ids=[customer_id])
        found |= {name: profiles[column] for name, column in columns.items()}
    return found


def _typed(cell: Cell | None) -> Decimal | str | None:
    return Decimal(str(cell)) if isinstance(cell, float) else cell


def _shown(cell: Cell | None, spec: FieldSpec, language: str) -> str:
    if cell is None:
        return ""
    unit = spec.unit.read(language) if spec.unit else ""
    if isinstance(cell, float):
        return f"{Decimal(str(cell)).normalize():f}{unit}"
    labels = {option.value: option.label for option in spec.options}
    return labels[cell].read(language) if cell in labels else f"{cell}{unit}"
