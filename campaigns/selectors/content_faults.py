"""What keeps a campaign's texts from being approved, and what a reader should look at."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.domain import content_lint, fault_places
from campaigns.domain.content_lint import Problem
from campaigns.domain.fault_places import Place
from campaigns.domain.spec import TextSpec
from campaigns.domain.word_search import Severity
from campaigns.models import Campaign, ContentVersion
from campaigns.selectors.constants import constants
from customers.domain.consent import Purpose
from customers.models import AttributeDefinition


@dataclass(frozen=True, slots=True)
class TextFinding:
    """One finding about one text.

    Attributes:
        position: Of the step, from 1.
        variant: Key of the variant.
        locale: Language of the text.
    """

    position: int
    is_fallback: bool
    variant: str
    locale: str
    place: Place
    problem: Problem

    @property
    def is_blocking(self) -> bool:
        """Return whether it stops a submission and an approval."""
        return self.problem.severity is Severity.BLOCK

    @property
    def where(self) -> str:
        """Return where it stands, as its author would say it."""
        names = [_("Version %(key)s") % {"key": self.variant}]
        if self.is_fallback:
            names.insert(0, _("Fallback message"))
        names += [
            labels.read(labels.TEXT_LANGUAGES, self.locale),
            labels.read(labels.TEXT_PARTS, self.place.part),
        ]
        if self.place.line:
            names.append(_("line %(number)s") % {"number": self.place.line})
        return " · ".join(names)

    @property
    def what(self) -> str:
        """Return what is wrong, without where."""
        return labels.describe(self.problem)

    def __str__(self) -> str:
        """Return the finding as a sentence in the language of the reader."""
        return _("%(where)s: %(what)s") % {"where": self.where, "what": self.what}


def findings_of(campaign: Campaign) -> list[TextFinding]:
    """Return every finding about the campaign's current texts, each once."""
    usable = AttributeDefinition.objects.filter(is_risk_only=False)
    known_names = frozenset(usable.values_list("name", flat=True))
    rows = (
        ContentVersion.objects.filter(variant__step__campaign=campaign, is_current=True)
        .select_related("variant__step__channel", "variant__step__campaign")
        .order_by("variant__step__position", "variant__key", "locale")
    )
    is_marketing = campaign.purpose == Purpose.MARKETING
    found: dict[tuple[object, ...], TextFinding] = {}
    for row in rows:
        parts = _parts(row)
        for problem in _problems(row, is_marketing=is_marketing, known_names=known_names):
            finding = TextFinding(
                position=row.variant.step.position,
                is_fallback=row.variant.step.is_fallback,
                variant=row.variant.key,
                locale=row.locale,
                place=fault_places.place_of(problem, parts, language=row.locale),
                problem=problem,
            )
            found.setdefault((row.pk, finding.place.part, finding.what), finding)
    return list(found.values())


def blocking(campaign: Campaign) -> list[str]:
    """Return one sentence a fault that stops an approval; empty when the texts may go out."""
    return [str(finding) for finding in findings_of(campaign) if finding.is_blocking]


def _parts(row: ContentVersion) -> Mapping[str, str]:
    if _is_email(row):
        return {"subject": row.subject, "text": row.text, "html": row.html}
    return {"text": row.text}


def _is_email(row: ContentVersion) -> bool:
    channel = row.variant.step.channel
    return channel is not None and channel.kind == "email"


def unreadable(text: TextSpec, *, kind: str) -> str:
    """Return why a text cannot even be kept, as a sentence; empty when it can.

    Args:
        text: As its author has written it.
        kind: Of the channel.
    """
    parts = ("subject", "text", "html") if kind == "email" else ("text",)
    for part in parts:
        problem = content_lint.refusal(getattr(text, part), language=text.locale, where=part)
        if problem is not None:
            return f"{labels.TEXT_PARTS[part]}: {labels.describe(problem)}"
    return ""


def _problems(
    row: ContentVersion, *, is_marketing: bool, known_names: frozenset[str]
) -> tuple[Problem, ...]:
    channel = row.variant.step.channel
    # Asked for only where a text reads them.
    listed = {"products"} if "products" in f"{row.subject}{row.text}{row.html}" else set()
    told = constants(row.variant.step.campaign.name, frozenset(listed), language=row.locale)
    if _is_email(row):
        return content_lint.check_email(
            subject=row.subject,
            text=row.text,
            html_source=row.html,
            language=row.locale,
            is_marketing=is_marketing,
            known_names=known_names,
            constants=told,
        )
    return content_lint.check_sms(
        text=row.text,
        language=row.locale,
        signature=channel.sender if channel else "",
        is_marketing=is_marketing,
        known_names=known_names,
        constants=told,
    )
