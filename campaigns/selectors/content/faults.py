"""What keeps texts from being approved, and what a reader should look at."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from campaigns.domain.compliance.rules import RuleSeverity, RulesInForce
from campaigns.domain.content import fault_places, lint, rule_checks
from campaigns.domain.content.fault_places import TextPlace
from campaigns.domain.content.lint_problems import RULE_CODES, LintProblem
from campaigns.domain.content.written import TextSpec
from campaigns.labels import content as content_labels
from campaigns.models import Campaign, Touchpoint
from campaigns.selectors.content import current_texts
from campaigns.selectors.content.constants import constants, offered_products
from campaigns.selectors.content.current_texts import CurrentText
from campaigns.selectors.content.rules import rules_at
from campaigns.selectors.filing import faults as filing_faults
from customers.domain.consents.consent import Purpose
from customers.models import AttributeDefinition


@dataclass(frozen=True, slots=True)
class TextFinding:
    """One finding about one text.

    Attributes:
        message: Number of the message, from 1; a fallback has that of its message.
        variant: Key of the variant.
        locale: Language of the text.
        follows_message: The text is that of the message, and does not suit this channel.
    """

    message: int
    is_fallback: bool
    variant: str
    locale: str
    place: TextPlace
    problem: LintProblem
    follows_message: bool = False

    @property
    def is_blocking(self) -> bool:
        """Return whether it stops a submission and an approval."""
        return self.problem.severity is RuleSeverity.BLOCK

    @property
    def where(self) -> str:
        """Return where it stands, as its author would say it."""
        names = [_("Version %(key)s") % {"key": self.variant}]
        if self.is_fallback:
            names.insert(0, _("Fallback message"))
        if self.message > 1:
            names.insert(0, _("Message %(number)s") % {"number": self.message})
        names += [
            content_labels.TEXT_LANGUAGES.label(self.locale),
            self.part,
        ]
        if self.place.line:
            names.append(_("line %(number)s") % {"number": self.place.line})
        return " · ".join(names)

    @property
    def part(self) -> str:
        """Return in which part of the text it stands."""
        return content_labels.TEXT_PARTS.label(self.place.part)

    @property
    def what(self) -> str:
        """Return what is wrong, without where."""
        return content_labels.describe(self.problem)

    def __str__(self) -> str:
        """Return the finding as a sentence in the language of the reader."""
        return _("%(where)s: %(what)s") % {"where": self.where, "what": self.what}


@dataclass(frozen=True, slots=True)
class _Rules:
    """By what texts are looked at.

    Attributes:
        name: What they may call the campaign by.
        known_names: Variables beside the catalogue that will have values.
        filings: What providers have approved; left out where the engine asks itself.
    """

    name: str
    is_marketing: bool
    known_names: frozenset[str]
    rules: RulesInForce
    filings: filing_faults.Filings | None = None


def findings_of(campaign: Campaign, *, now: datetime) -> list[TextFinding]:
    """Return every finding about the campaign's texts by the rules of a moment, each once."""
    rules = _Rules(
        campaign.name,
        campaign.purpose == Purpose.MARKETING,
        attribute_names(),
        rules_at(now),
        filing_faults.Filings(now),
    )
    found: dict[tuple[object, ...], TextFinding] = {}
    texts = current_texts.of_campaign(campaign)
    ordinary = {
        t.variant.touchpoint.step.position
        for t in texts
        if not t.variant.touchpoint.step.is_fallback
    }
    for text in texts:
        parts = _parts(text)
        for problem in _problems(text, rules):
            finding = TextFinding(
                message=sum(p <= text.variant.touchpoint.step.position for p in ordinary),
                is_fallback=text.variant.touchpoint.step.is_fallback,
                variant=text.variant.key,
                locale=text.locale,
                place=fault_places.place_of(problem, parts, language=text.locale),
                problem=problem,
                follows_message=text.variant.follows_message,
            )
            # A text that others follow is named once; theirs is what only their channel finds.
            found.setdefault((text.written.pk, finding.place.part, finding.what), finding)
    return list(found.values())


def findings_of_touchpoint(
    touchpoint: Touchpoint, *, name: str, purpose: str, own_names: Collection[str], now: datetime
) -> list[TextFinding]:
    """Return every finding about the texts of a touchpoint that is no campaign's.

    Args:
        name: What its texts may call the campaign by.
        purpose: Why it is sent.
        own_names: Variables whose values come with every message.
        now: By the rules of which moment.
    """
    return findings_of_texts(
        current_texts.of_touchpoint(touchpoint),
        name=name,
        purpose=purpose,
        own_names=own_names,
        now=now,
    )


def findings_of_texts(
    texts: Sequence[CurrentText],
    *,
    name: str,
    purpose: str,
    now: datetime,
    own_names: Collection[str] = (),
) -> list[TextFinding]:
    """Return every finding about texts, which need not be stored.

    Args:
        name: What they may call the campaign by.
        purpose: Why they are sent.
        now: By the rules of which moment.
        own_names: Variables whose values come with every message.
    """
    names = attribute_names() | frozenset(own_names)
    filings = filing_faults.Filings(now)
    rules = _Rules(name, purpose == Purpose.MARKETING, names, rules_at(now), filings)
    return [
        TextFinding(
            message=1,
            is_fallback=False,
            variant=text.variant.key,
            locale=text.locale,
            place=fault_places.place_of(problem, _parts(text), language=text.locale),
            problem=problem,
        )
        for text in texts
        for problem in _problems(text, rules)
    ]


def breaches(
    texts: Sequence[CurrentText],
    *,
    name: str,
    purpose: str,
    own_names: Collection[str],
    rules: RulesInForce,
) -> list[LintProblem]:
    """Return what rules in force forbid about texts that were approved earlier.

    Args:
        name: What they may call the campaign by.
        purpose: Why they are sent.
        own_names: Variables whose values come with every message.
        rules: Those of the day on which they are sent.
    """
    is_marketing = purpose == Purpose.MARKETING
    looked_by = _Rules(name, is_marketing, attribute_names() | frozenset(own_names), rules)
    return [
        problem
        for text in texts
        for problem in _problems(text, looked_by)
        if problem.severity is RuleSeverity.BLOCK and problem.code in RULE_CODES
    ]


def attribute_names() -> frozenset[str]:
    """Return the typed attributes that texts may name."""
    usable = AttributeDefinition.objects.filter(is_risk_only=False)
    return frozenset(usable.values_list("name", flat=True))


def blocking(campaign: Campaign, *, now: datetime) -> list[str]:
    """Return one sentence a fault that stops an approval; empty when the texts may go out."""
    return [str(finding) for finding in findings_of(campaign, now=now) if finding.is_blocking]


def _parts(text: CurrentText) -> Mapping[str, str]:
    row = text.written
    if text.is_email:
        return {"subject": row.subject, "text": row.text, "html": row.html}
    return {"text": row.text}


def unreadable(
    text: TextSpec, *, kind: str, variant: str, message: int, is_fallback: bool
) -> TextFinding | None:
    """Return why a text cannot even be kept, and where; None when it can.

    Args:
        text: As its author has written it.
        kind: Of the channel.
        variant: Key of the variant.
        message: Number of the message, from 1; a fallback has that of its message.
        is_fallback: Whether it is the fallback's text.
    """
    parts = ("subject", "text", "html") if kind == "email" else ("text",)
    for part in parts:
        problem = lint.refusal(getattr(text, part), language=text.locale, where=part)
        if problem is not None:
            line = problem.facts.get("line")
            return TextFinding(
                message=message,
                is_fallback=is_fallback,
                variant=variant,
                locale=text.locale,
                place=TextPlace(part, line if isinstance(line, int) else 0),
                problem=problem,
            )
    return None


def _problems(text: CurrentText, rules: _Rules) -> tuple[LintProblem, ...]:
    row, channel = text.written, text.channel
    # Asked for only where a text reads them.
    listed = {"products"} if "products" in f"{row.subject}{row.text}{row.html}" else set()
    told = constants(rules.name, frozenset(listed), language=row.locale)
    if text.is_email:
        found = lint.check_email(
            subject=row.subject,
            text=row.text,
            html_source=row.html,
            language=row.locale,
            is_marketing=rules.is_marketing,
            known_names=rules.known_names,
            constants=told,
            rules=rules.rules,
        )
    else:
        found = lint.check_sms(
            text=row.text,
            language=row.locale,
            signature=channel.sender if channel else "",
            is_marketing=rules.is_marketing,
            known_names=rules.known_names,
            constants=told,
            rules=rules.rules,
        )
        if rules.filings is not None and channel is not None:
            found = (
                *found,
                *rules.filings.faults_of(
                    channel,
                    text=row.text,
                    language=row.locale,
                    constants=told,
                    is_marketing=rules.is_marketing,
                ),
            )
    offered = offered_products(row.locale) if listed else ()
    return (
        *found,
        *rule_checks.check_offers(offered, is_marketing=rules.is_marketing, rules=rules.rules),
    )
