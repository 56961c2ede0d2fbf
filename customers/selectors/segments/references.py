"""The door of a rule: JSON in, a checked tree and everything needed to read it out."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language

from customers.domain.fields.catalogue import Catalogue, RuleUse, Text
from customers.domain.segments import places
from customers.domain.segments.ast import AllOf, AnyOf, Not, Rule, SegmentCondition
from customers.domain.segments.events import segments_of_events
from customers.domain.segments.parse import parse_rule
from customers.domain.segments.problems import RuleRefused, SegmentProblem, SegmentProblemCode
from customers.domain.segments.scope import RuleScope
from customers.domain.segments.states import SegmentKind
from customers.domain.segments.validate import read_rule
from customers.models import Segment, SegmentVersion
from customers.selectors.segments import catalogue as segment_catalogue
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import Phrase
from loancrm.kernel.words.phrases import gettext as _

MAX_EXPANDED_NODES = 1_000
MAX_REFERENCES = 3
_BETWEEN = Text("；", "; ")


class SegmentRuleInvalid(LoanCrmError):
    """A rule cannot be used; `problems` lists why, each with its path."""

    code = "segment_rule_invalid"

    def __init__(self, problems: tuple[SegmentProblem, ...]) -> None:
        """Describe every problem in the active language."""
        self.problems = problems
        told = {code: self._listed(code) for code, _name in settings.LANGUAGES}
        message = _("The rule cannot be used: %(problems)s") % {"problems": Phrase.of(told)}
        super().__init__(message, problems=self.as_json(get_language() or "en"))

    def as_json(self, language: str) -> list[dict[str, str]]:
        """Return the problems for an API client."""
        return [problem.as_json(language) for problem in self.problems]

    def as_shown(self, language: str) -> list[dict[str, str]]:
        """Return the problems for the builder."""
        return [problem.as_shown(language) for problem in self.problems]

    def _listed(self, language: str) -> str:
        return _BETWEEN.read(language).join(problem.in_words(language) for problem in self.problems)


def load_rule(
    data: Any,
    *,
    now: datetime,
    zone: ZoneInfo,
    use: RuleUse = RuleUse.MARKETING,
    slug: str | None = None,
    catalogue: Catalogue | None = None,
) -> tuple[Rule, RuleScope]:
    """Check a rule's JSON and load what it refers to.

    Args:
        data: Decoded rule JSON.
        now: Aware moment that relative dates and windows count from.
        zone: Company's zone, in which a day begins.
        use: What the people are chosen for; also binds the segments referred to.
        slug: Segment that the rule belongs to, so that a rule leading back to it is refused.
        catalogue: Loaded already, where many rules are read.

    Raises:
        SegmentRuleInvalid: With every problem found.
    """
    if catalogue is None:
        parts = segment_catalogue.parts_of(data)
        catalogue = segment_catalogue.load_catalogue(parts)
    try:
        rule = read_rule(data, catalogue=catalogue, use=use)
        rules = _referred_rules(rule, catalogue, use)
        _refuse_excess(rule, rules, slug)
        if slug is not None:
            _refuse_circle(rule, rules, slug)
    except RuleRefused as refusal:
        problems = places.located(refusal.problems, data, catalogue)
        raise SegmentRuleInvalid(problems) from refusal
    return rule, RuleScope(catalogue, now, zone, rules)


def _referred_rules(rule: Rule, catalogue: Catalogue, use: RuleUse) -> dict[str, Rule]:
    """Return the rules of all segments reached from a rule; one query a level of reference."""
    rules: dict[str, Rule] = {}
    seen: set[str] = set()
    wanted = set(referred_slugs(rule))
    while wanted:
        seen |= wanted
        stored = Segment.objects.filter(
            slug__in=wanted, kind=SegmentKind.DYNAMIC, current_version__isnull=False
        ).values_list("slug", "current_version__rule")
        found = {slug: _inner(slug, data, catalogue, use) for slug, data in stored}
        rules |= found
        wanted = {slug for inner in found.values() for slug in referred_slugs(inner)} - seen
    return rules


def _inner(slug: str, data: Any, catalogue: Catalogue, use: RuleUse) -> Rule:
    try:
        return read_rule(data, catalogue=catalogue, use=use)
    except RuleRefused as refusal:
        problems = [
            places.inside_segment(problem, slug, catalogue)
            for problem in places.located(refusal.problems, data, catalogue)
        ]
        raise RuleRefused(problems) from refusal


def referred_slugs(rule: Rule) -> Iterator[str]:
    """Yield the slugs of the segments that a rule names itself."""
    match rule:
        case SegmentCondition(slug):
            yield slug
        case Not(child):
            yield from referred_slugs(child)
        case AllOf(rules) | AnyOf(rules):
            for child in rules:
                yield from referred_slugs(child)
        case _:
            return


def named_slugs(rule: Rule) -> Iterator[str]:
    """Yield the segments that a rule depends on: those it names, and those of whose events."""
    yield from referred_slugs(rule)
    yield from segments_of_events(rule)


def _refuse_circle(rule: Rule, rules: Mapping[str, Rule], slug: str) -> None:
    """Refuse a rule that asks, through however many segments, who entered or left its own.

    Such a segment would change by its own changes and might never come to rest. One query a level
    of segments that are reached through events alone.

    Raises:
        RuleRefused: With the one problem found.
    """
    seen: set[str] = set()
    wave = set(named_slugs(rule))
    while wave:
        if slug in wave:
            raise _leads_back(slug)
        seen |= wave
        found = [rules[name] for name in wave if name in rules]
        found += _stored_rules(wave - rules.keys())
        wave = {name for inner in found for name in named_slugs(inner)} - seen


def _leads_back(slug: str) -> RuleRefused:
    """Return the refusal of a circle; people know a segment by its name."""
    name = Segment.objects.filter(slug=slug).values_list("name", flat=True).first() or slug
    return RuleRefused([SegmentProblem("", SegmentProblemCode.SEGMENT_CYCLE, {"name": name})])


def rules_behind(data: Any) -> dict[str, Any]:
    """Return the rule JSON of every segment that a rule leads to, through others and events too.

    One query a level; a list of members has no rule of its own and stands with None.
    """
    found: dict[str, Any] = {}
    rule = parse_rule(data).rule if data is not None else None
    wanted = set(named_slugs(rule)) if rule is not None else set()
    while wanted:
        found |= dict.fromkeys(wanted)
        stored = dict(
            Segment.objects.filter(slug__in=wanted, kind=SegmentKind.DYNAMIC).values_list(
                "slug", "current_version__rule"
            )
        )
        found |= stored
        read = (parse_rule(inner).rule for inner in stored.values() if inner is not None)
        wanted = {slug for inner in read if inner is not None for slug in named_slugs(inner)}
        wanted -= found.keys()
    return found


def _stored_rules(slugs: Collection[str]) -> list[Rule]:
    if not slugs:
        return []
    stored = SegmentVersion.objects.filter(
        pk__in=Segment.objects.filter(slug__in=slugs, kind=SegmentKind.DYNAMIC).values(
            "current_version"
        )
    ).values_list("rule", flat=True)
    read = (parse_rule(data).rule for data in stored)
    return [rule for rule in read if rule is not None]


def _refuse_excess(rule: Rule, rules: Mapping[str, Rule], slug: str | None) -> None:
    """Refuse a rule that leads in a circle, through too many segments, or grows too large.

    Raises:
        RuleRefused: With the one problem found.
    """
    size, levels = _extent(rule, rules, (slug,) if slug else (), {})
    if levels > MAX_REFERENCES:
        facts = {"limit": MAX_REFERENCES}
        raise RuleRefused([SegmentProblem("", SegmentProblemCode.REFERENCES_TOO_DEEP, facts)])
    if size > MAX_EXPANDED_NODES:
        facts = {"limit": MAX_EXPANDED_NODES}
        raise RuleRefused([SegmentProblem("", SegmentProblemCode.TOO_MANY_RULES, facts)])


def _extent(
    rule: Rule,
    rules: Mapping[str, Rule],
    way: tuple[str, ...],
    known: dict[str, tuple[int, int]],
) -> tuple[int, int]:
    """Return how many conditions and groups a rule expands to, and through how many segments.

    Args:
        way: Segments that led here.
        known: Extents of the segments already walked; filled on the way.
    """
    match rule:
        case SegmentCondition(slug):
            if slug in way:
                raise _leads_back(slug)
            if slug not in rules:
                return 1, 0
            if slug not in known:
                known[slug] = _extent(rules[slug], rules, (*way, slug), known)
            size, levels = known[slug]
            return size + 1, levels + 1
        case Not(child):
            return _extent(child, rules, way, known)
        case AllOf(children) | AnyOf(children):
            extents = [_extent(child, rules, way, known) for child in children]
            size = 1 + sum(size for size, _levels in extents)
            return size, max((levels for _size, levels in extents), default=0)
        case _:
            return 1, 0
