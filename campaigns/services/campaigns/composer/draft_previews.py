"""A text as people would get it while it is being written: nothing is stored for it.

Written by the code that sends, as every other preview, for people who are made up: looking at one's
own text every half second opens nobody's data and fills no audit trail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from campaigns import labels
from campaigns.domain.content import email_html, sms_parts
from campaigns.domain.content.lint_problems import LintProblemCode
from campaigns.domain.content.sample_people import SamplePerson, example_of, sample_values
from campaigns.domain.content.texts import VARIABLES
from campaigns.domain.content.written import TextSpec
from campaigns.models import Campaign, Channel, ContentVersion, Dispatch, Touchpoint, Variant
from campaigns.selectors.content import current_texts, faults
from campaigns.selectors.content.current_texts import CurrentText
from campaigns.selectors.content.faults import TextFinding
from campaigns.selectors.content.rules import rules_at
from campaigns.services.campaigns.previews import readable
from campaigns.services.content.samples import sample_recipient
from campaigns.services.sending.composing import Composer, NotComposed
from customers.models import AttributeDefinition
from loancrm.kernel.errors import LoanCrmError

_UNSAVED = 0


@dataclass(frozen=True, slots=True)
class DraftText:
    """One text as it stands in a form.

    Attributes:
        name: What it may call the campaign by.
        unit_cost: Of a part; None takes the channel's price.
    """

    channel: Channel
    text: TextSpec
    purpose: str
    name: str
    variant: str
    unit_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DraftPreview:
    """What somebody would get, and what is wrong with the text so far.

    Attributes:
        problem: Why there is no message, in words; empty when there is one.
        characters: Of an SMS, with its signature and the way to refuse.
    """

    channel_kind: str
    findings: Sequence[TextFinding]
    problem: str = ""
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    parts: int = 0
    characters: int = 0
    cost: Decimal = Decimal(0)

    @property
    def unknown(self) -> list[str]:
        """Return the names between braces that no variable has."""
        return [
            str(finding.problem.facts["name"])
            for finding in self.findings
            if finding.problem.code is LintProblemCode.UNKNOWN_VARIABLE
        ]


def preview_draft(*, draft: DraftText, sample: SamplePerson, now: datetime) -> DraftPreview:
    """Return a text as one made-up person would get it, with every finding about it.

    Whoever asks has sent the text, and learns nothing of anybody: the page asks for the permission.
    """
    current = _unsaved(draft)
    kind = draft.channel.kind
    refusal = faults.unreadable(
        draft.text, kind=kind, variant=draft.variant, message=1, is_fallback=False
    )
    if refusal is not None:
        return DraftPreview(kind, (refusal,), problem=refusal.what)
    findings = faults.findings_of_texts([current], name=draft.name, purpose=draft.purpose, now=now)
    try:
        return _composed(draft, current, findings, sample, now)
    except LoanCrmError as error:
        return DraftPreview(kind, findings, problem=error.message)


@dataclass(frozen=True, slots=True)
class RenderedText:
    """A stored text of a campaign as a made-up person would get it."""

    current: CurrentText
    preview: DraftPreview


def rendered_texts(*, campaign: Campaign, now: datetime) -> list[RenderedText]:
    """Return every text of a campaign, variant by variant and language by language."""
    found: list[RenderedText] = []
    for current in current_texts.of_campaign(campaign):
        if current.channel is None:
            continue
        row = current.written
        draft = DraftText(
            channel=current.channel,
            text=TextSpec(row.locale, row.subject, row.text, row.html),
            purpose=campaign.purpose,
            name=campaign.name,
            variant=current.variant.key,
            unit_cost=campaign.cost_per_message,
        )
        found.append(RenderedText(current, _rendered(draft, now)))
    return found


def _rendered(draft: DraftText, now: datetime) -> DraftPreview:
    try:
        return _composed(draft, _unsaved(draft), (), SamplePerson.TYPICAL, now)
    except LoanCrmError as error:
        return DraftPreview(draft.channel.kind, (), problem=error.message)


def _composed(
    draft: DraftText,
    current: CurrentText,
    findings: Sequence[TextFinding],
    sample: SamplePerson,
    now: datetime,
) -> DraftPreview:
    channel, language = draft.channel, draft.text.locale
    plan = Dispatch(
        name=draft.name,
        purpose=draft.purpose,
        touchpoint=current.variant.touchpoint,
        channel=channel,
        channel_kind=channel.kind,
        unit_cost=channel.cost_per_part if draft.unit_cost is None else draft.unit_cost,
        due_at=now,
    )
    composer = Composer(plan, channel, rules=rules_at(now), unsaved=[current])
    recipient = sample_recipient(
        variant_id=_UNSAVED,
        language=language,
        kind=channel.kind,
        attributes=_attributes(composer.attribute_names, sample, language),
        sample=sample,
    )
    written = composer.compose(recipient, now=now)
    if isinstance(written, NotComposed):
        why = labels.SKIP_REASONS.label(written.reason)
        detail = f" ({written.detail})" if written.detail else ""
        return DraftPreview(channel.kind, findings, problem=f"{why}{detail}")
    subject, text, html = readable(written.outbound)
    return DraftPreview(
        channel.kind,
        findings,
        subject=subject,
        text=text,
        html=html,
        parts=written.parts,
        characters=sms_parts.measure(text).units if channel.kind == "sms" else 0,
        cost=written.cost,
    )


def _unsaved(draft: DraftText) -> CurrentText:
    variant = Variant(pk=_UNSAVED, key=draft.variant, touchpoint=Touchpoint(channel=draft.channel))
    text = draft.text
    html = email_html.prepare(text.html) if text.html else ""
    row = ContentVersion(
        variant=variant, locale=text.locale, subject=text.subject, text=text.text, html=html
    )
    return CurrentText(variant, row)


def _attributes(names: Sequence[str], sample: SamplePerson, language: str) -> Mapping[str, object]:
    """Return values for what a text names beside the person; nothing where she has none."""
    if not names or not sample_values(sample, language=language).is_complete:
        return {}
    known = {row.name: row for row in AttributeDefinition.objects.filter(name__in=names)}
    return {
        name: example_of(name, known[name].value_type, str(known[name]))
        if name in known
        else example_of(name)
        for name in names
        if name in known or name in VARIABLES
    }
