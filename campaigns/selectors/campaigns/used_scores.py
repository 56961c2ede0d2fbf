"""The models whose scores decide who gets a campaign, and whether they may do so now."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.models import ModelAudience
from customers.domain.score_standing import ScoreFault, StandingFacts
from customers.domain.segments.ast import AllOf, AnyOf, Not, Rule, ScoreCondition
from customers.models import ScoreStanding
from customers.selectors.segments import references
from loancrm.kernel import clock


@dataclass(frozen=True, slots=True)
class ScoreUse:
    """One model that a rule asks.

    Attributes:
        standing: None of a model that nobody here watches, such as one from outside.
        fault: Why it may not choose anybody now; None where it may.
    """

    model_name: str
    standing: StandingFacts | None
    fault: ScoreFault | None


def used_scores(rule_json: Any, *, now: datetime) -> list[ScoreUse]:
    """Return the models that choose the people of a rule, by name.

    It asks them itself, through other segments, or names a list that was made by them.

    Raises:
        SegmentRuleInvalid: The rule, or one that it names, no longer fits the catalogue.
    """
    rule, scope = references.load_rule(rule_json, now=now, zone=clock.company_zone())
    names: set[str] = set()
    named: set[str] = set()
    for each in (rule, *scope.rules.values()):
        names |= set(_models_of(each))
        named |= set(references.referred_slugs(each))
    for models in ModelAudience.objects.filter(segment__slug__in=named).values_list(
        "score_models", flat=True
    ):
        names |= set(models)
    return uses_of(names, now=now)


def uses_of(names: Collection[str], *, now: datetime) -> list[ScoreUse]:
    """Return how these models stand now, by name (1 query)."""
    if not names:
        return []
    known = {
        row.model_name: row.facts for row in ScoreStanding.objects.filter(model_name__in=names)
    }
    return [
        ScoreUse(name, known.get(name), known[name].fault(now=now) if name in known else None)
        for name in sorted(names)
    ]


def _models_of(rule: Rule) -> Iterator[str]:
    match rule:
        case ScoreCondition(model):
            yield model
        case Not(child):
            yield from _models_of(child)
        case AllOf(rules) | AnyOf(rules):
            for child in rules:
                yield from _models_of(child)
        case _:
            return
