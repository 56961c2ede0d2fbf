"""People and scores by gender, age band and region: the chosen, and whom they are chosen from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import sqrt
from typing import Any, TypeAlias

from django.db.models import Case, Count, F, FloatField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast

from campaigns.domain.campaigns import base_population
from campaigns.domain.campaigns.base_population import EVERYBODY, KnownSegments
from campaigns.domain.campaigns.fairness import (
    AGE_BANDS,
    UNDER_AGE,
    UNKNOWN,
    FairnessAttribute,
    Moments,
)
from campaigns.models import ModelAudience
from customers.domain.segments.ast import Rule
from customers.models import Customer, Score
from customers.selectors.segments import query, references
from loancrm.kernel import clock

# Values of the three attributes, in the order of `FairnessAttribute`.
Cell: TypeAlias = tuple[str, str, str]
_COLUMNS = ("group_gender", "group_age", "group_region")


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """An audience that a model chose.

    Attributes:
        chosen, base: Customers in it, and those it was chosen from (its own people among them).
        models: Whose scores decided.
    """

    chosen: QuerySet[Customer]
    base: QuerySet[Customer]
    models: tuple[str, ...]


def choice_of(rule_json: Any, *, now: datetime) -> ModelChoice | None:
    """Return whom a rule chooses and from whom; None where no model decides about anybody.

    Raises:
        SegmentRuleInvalid: The rule, or one that it names, no longer fits the catalogue.
    """
    zone = clock.company_zone()
    rule, scope = references.load_rule(rule_json, now=now, zone=zone)
    rules, bases, models = dict(scope.rules), dict[str, Rule](), dict[str, list[str]]()
    named = _named(rule, rules)
    # What a list was chosen from may name lists that a model chose, too: a level a turn.
    while named:
        found = ModelAudience.objects.filter(segment__slug__in=named).select_related(
            "segment", "base__current_version"
        )
        named = set()
        for row in found:
            version = row.base.current_version if row.base else None
            bases[row.segment.slug] = EVERYBODY
            models[row.segment.slug] = list(row.score_models)
            if version is not None:
                base_rule, base_scope = references.load_rule(version.rule, now=now, zone=zone)
                bases[row.segment.slug] = base_rule
                rules |= base_scope.rules
                named |= _named(base_rule, base_scope.rules)
        named -= bases.keys()
    known = KnownSegments(rules=rules, bases=bases)
    if not base_population.is_by_model(rule, known):
        return None
    wide = replace(scope, rules=rules)
    chosen = query.to_q(rule, wide)
    base = query.to_q(base_population.base_of(rule, known), wide)
    used = set(base_population.models_of(rule, known))
    for slug in base_population.lists_of(rule, known):
        used |= set(models[slug])
    return ModelChoice(
        chosen=Customer.objects.live().filter(chosen),
        base=Customer.objects.live().filter(base | chosen),
        models=tuple(sorted(used)),
    )


def _named(rule: Rule, rules: Mapping[str, Rule]) -> set[str]:
    """Return the slugs of all segments that a rule names, itself or through those it refers to."""
    return {slug for one in (rule, *rules.values()) for slug in references.referred_slugs(one)}


def counts_of(people: QuerySet[Customer], *, today: date) -> dict[Cell, int]:
    """Return how many people there are by gender, age band and region."""
    rows = (
        people.order_by()
        .annotate(**_groups("", today))
        .values_list(*_COLUMNS)
        .annotate(count=Count("pk"))
    )
    return {_cell(row): int(row[-1]) for row in rows}


def moments_of(
    model: str, people: QuerySet[Customer], *, today: date
) -> dict[Cell, tuple[int, float, float]]:
    """Return number, sum and sum of squares of a model's latest scores by the same groups."""
    value = Cast("value", FloatField())
    rows = (
        Score.objects.filter(model_name=model, is_latest=True, customer__in=people)
        .order_by()
        .annotate(**_groups("customer__", today))
        .values_list(*_COLUMNS)
        .annotate(count=Count("pk"), total=Sum(value), squares=Sum(value * value))
    )
    return {_cell(row): (int(row[-3]), float(row[-2]), float(row[-1])) for row in rows}


def by_attribute(counts: Mapping[Cell, int]) -> dict[FairnessAttribute, dict[str, int]]:
    """Return the counts of each attribute's groups."""
    found: dict[FairnessAttribute, dict[str, int]] = {}
    for place, attribute in enumerate(FairnessAttribute):
        sums: dict[str, int] = defaultdict(int)
        for cell, count in counts.items():
            sums[cell[place]] += count
        found[attribute] = dict(sums)
    return found


def moments_by_attribute(
    cells: Mapping[Cell, tuple[int, float, float]],
) -> dict[FairnessAttribute, dict[str, Moments]]:
    """Return number, mean and deviation of the scores of each attribute's groups."""
    found: dict[FairnessAttribute, dict[str, Moments]] = {}
    for place, attribute in enumerate(FairnessAttribute):
        sums: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
        for cell, parts in cells.items():
            sums[cell[place]].append(parts)
        found[attribute] = {name: _moments(parts) for name, parts in sums.items()}
    return found


def _moments(parts: Iterable[tuple[int, float, float]]) -> Moments:
    rows = list(parts)
    count = sum(row[0] for row in rows)
    total, squares = sum(row[1] for row in rows), sum(row[2] for row in rows)
    mean = total / count
    spread = max(0.0, squares - count * mean * mean)
    return Moments(count, mean, sqrt(spread / (count - 1)) if count > 1 else 0.0)


def _groups(prefix: str, today: date) -> dict[str, Any]:
    born = f"{prefix}birth_date"
    bands = [
        When(Q(**{f"{born}__lte": years_before(today, first)}), then=Value(name))
        for first, name in reversed(AGE_BANDS)
    ]
    return {
        "group_gender": F(f"{prefix}gender"),
        "group_age": Case(
            When(Q(**{f"{born}__isnull": True}), then=Value(UNKNOWN)),
            *bands,
            default=Value(UNDER_AGE),
        ),
        "group_region": F(f"{prefix}province"),
    }


def _cell(row: tuple[Any, ...]) -> Cell:
    return str(row[0] or UNKNOWN), str(row[1] or UNKNOWN), str(row[2] or UNKNOWN)


def years_before(today: date, years: int) -> date:
    """Return the latest day of birth of somebody who has completed so many years."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        # Born on 29 February: a year older on 1 March.
        return today.replace(year=today.year - years, day=28)
