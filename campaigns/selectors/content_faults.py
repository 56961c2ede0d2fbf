"""What keeps a campaign's texts from being approved, and what an approver should look at."""

from dataclasses import dataclass

from campaigns import labels
from campaigns.domain import content_lint
from campaigns.domain.content_lint import Problem, Severity
from campaigns.models import Campaign, ContentVersion
from customers.domain.consent import Purpose
from customers.models import AttributeDefinition


@dataclass(frozen=True, slots=True)
class TextFinding:
    """One finding about one text."""

    variant: str
    locale: str
    problem: Problem

    @property
    def is_blocking(self) -> bool:
        """Return whether it stops an approval."""
        return self.problem.severity is Severity.BLOCK

    def __str__(self) -> str:
        """Return the finding as a sentence in the language of the reader."""
        where = f"{self.variant}/{self.locale}/{self.problem.where}"
        return f"{where}: {labels.describe(self.problem)}"


def findings_of(campaign: Campaign) -> list[TextFinding]:
    """Return every finding about the campaign's current texts."""
    usable = AttributeDefinition.objects.filter(is_risk_only=False)
    known_names = frozenset(usable.values_list("name", flat=True))
    rows = (
        ContentVersion.objects.filter(variant__step__campaign=campaign, is_current=True)
        .select_related("variant__step__channel")
        .order_by("variant__step__position", "variant__key", "locale")
    )
    is_marketing = campaign.purpose == Purpose.MARKETING
    return [
        TextFinding(row.variant.key, row.locale, problem)
        for row in rows
        for problem in _problems(row, is_marketing=is_marketing, known_names=known_names)
    ]


def blocking(campaign: Campaign) -> list[str]:
    """Return one sentence a fault that stops an approval; empty when the texts may go out."""
    return [str(finding) for finding in findings_of(campaign) if finding.is_blocking]


def _problems(
    row: ContentVersion, *, is_marketing: bool, known_names: frozenset[str]
) -> tuple[Problem, ...]:
    channel = row.variant.step.channel
    if channel is not None and channel.kind == "email":
        return content_lint.check_email(
            subject=row.subject,
            text=row.text,
            html_source=row.html,
            language=row.locale,
            is_marketing=is_marketing,
            known_names=known_names,
        )
    return content_lint.check_sms(
        text=row.text,
        language=row.locale,
        signature=channel.sender if channel else "",
        is_marketing=is_marketing,
        known_names=known_names,
    )
