"""Writing a campaign's messages as described: steps, variants and texts, old and new alike.

What is described replaces what is there: a channel changes, a variant that is no longer named goes,
a language that was emptied has no text any more. A text that changed becomes a new version.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils.translation import gettext as _

from campaigns.domain.campaigns.given.problems import Problem, ProblemCode
from campaigns.domain.campaigns.spec import StepSpec, TextSpec, VariantSpec
from campaigns.domain.content import email_html
from campaigns.models import Campaign, Channel, ContentVersion, Step, Touchpoint, Variant
from campaigns.selectors.content import faults
from campaigns.selectors.content.faults import TextFinding
from campaigns.services.campaigns.problems import CampaignRefused


class TextUnreadable(CampaignRefused):
    """Nothing could ever be made of a text; `finding` says which and why."""

    def __init__(self, finding: TextFinding) -> None:
        """Say where and why, as the author would."""
        self.finding = finding
        super().__init__(
            _("The text cannot be saved: %(where)s · %(fault)s")
            % {"where": finding.where, "fault": finding.what},
            problems=((finding.where, finding.what),),
        )


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and when."""

    author: User | None
    now: datetime


def channel_problems(steps: Sequence[StepSpec], campaign: Campaign | None = None) -> list[Problem]:
    """Return which steps name a channel that is not there or switched off.

    Args:
        steps: As described.
        campaign: The draft that is changed; a channel that it has already may stay.
    """
    known = set(Channel.objects.filter(is_active=True).values_list("slug", flat=True))
    if campaign is not None:
        known |= set(campaign.steps.values_list("touchpoint__channel__slug", flat=True))
    problems: list[Problem] = []
    message = -1
    for step in steps:
        message += not step.is_fallback
        if step.channel not in known:
            name = "fallback_channel" if step.is_fallback else "channel"
            path = f"steps[{message}].{name}"
            problems.append(Problem(path, ProblemCode.UNKNOWN, step.channel))
    return problems


def number_of(step: Step) -> int:
    """Return which message of its campaign a step is, from 1; a fallback counts as its message."""
    before = Step.objects.filter(campaign_id=step.campaign_id, position__lte=step.position)
    return before.filter(is_fallback=False).count()


def write_steps(*, campaign: Campaign, steps: Sequence[StepSpec], writer: Writer) -> list[str]:
    """Make a draft's messages what is described, and return what changed, for the audit trail."""
    channels = {
        channel.slug: channel
        for channel in Channel.objects.filter(slug__in=[step.channel for step in steps])
    }
    there = {step.position: step for step in campaign.steps.select_related("touchpoint__channel")}
    changed: list[str] = []
    for position, described in enumerate(steps, start=1):
        channel = channels[described.channel]
        wanted = {
            "is_fallback": described.is_fallback,
            "wait_minutes": described.wait_minutes,
        }
        step = there.pop(position, None)
        if step is None:
            touchpoint = Touchpoint.objects.create(channel=channel)
            step = Step.objects.create(
                campaign=campaign, position=position, touchpoint=touchpoint, **wanted
            )
            changed.append(f"step {position}")
        else:
            names = [*_set(step.touchpoint, {"channel": channel}), *_set(step, wanted)]
            changed += [f"step {position}: {name}" for name in names]
        changed += _write_variants(step, described.variants, writer)
    for position, step in sorted(there.items()):
        step.delete()
        step.touchpoint.delete()
        changed.append(f"step {position}: removed")
    return changed


def _write_variants(step: Step, variants: Iterable[VariantSpec], writer: Writer) -> list[str]:
    touchpoint = step.touchpoint
    there = {variant.key: variant for variant in touchpoint.variants.all()}
    changed: list[str] = []
    for described in variants:
        where = f"step {step.position} {described.key}"
        wanted = {"weight": described.weight, "follows_message": described.follows_message}
        variant = there.pop(described.key, None)
        if variant is None:
            variant = Variant.objects.create(touchpoint=touchpoint, key=described.key, **wanted)
            changed.append(where)
        else:
            variant.touchpoint = touchpoint
            changed += [f"{where}: {name}" for name in _set(variant, wanted)]
        changed += [f"{where}: {name}" for name in _write_texts(variant, described.texts, writer)]
    for key, variant in sorted(there.items()):
        variant.delete()
        changed.append(f"step {step.position} {key}: removed")
    return changed


def _set(row: Step | Touchpoint | Variant, wanted: Mapping[str, object]) -> list[str]:
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, wanted[name])
    if changed:
        row.save(update_fields=changed)
    return changed


def _write_texts(variant: Variant, texts: Sequence[TextSpec], writer: Writer) -> list[str]:
    there = {row.locale: row for row in variant.contents.filter(is_current=True)}
    changed: list[str] = []
    for text in texts:
        before = there.pop(text.locale, None)
        if before is None or not _is_same(before, text):
            write_text(variant=variant, text=text, writer=writer)
            changed.append(text.locale)
    # Kept as history; nobody gets a text that its author has taken out.
    variant.contents.filter(is_current=True, locale__in=there).update(is_current=False)
    return [*changed, *(f"{locale} removed" for locale in there)]


def _is_same(before: ContentVersion, text: TextSpec) -> bool:
    # What is stored was cleaned when it was written.
    return (before.subject, before.text) == (text.subject, text.text) and before.html in {
        text.html,
        email_html.prepare(text.html) if text.html else "",
    }


def write_text(*, variant: Variant, text: TextSpec, writer: Writer) -> ContentVersion:
    """Store a text as the newest version in its language and make it the current one.

    Raises:
        TextUnreadable: Nothing could ever be made of the text.
    """
    _require_readable(variant, text)
    html = email_html.prepare(text.html) if text.html else ""
    # Cleaning takes out what is active, and may take one end of a condition with it.
    _require_readable(variant, replace(text, html=html))
    versions = ContentVersion.objects.filter(variant=variant, locale=text.locale)
    last = versions.aggregate(last=Max("number"))["last"] or 0
    versions.filter(is_current=True).update(is_current=False)
    joined = f"{text.locale}\x00{text.subject}\x00{text.text}\x00{html}"
    return ContentVersion.objects.create(
        variant=variant,
        locale=text.locale,
        number=last + 1,
        subject=text.subject,
        text=text.text,
        html=html,
        digest=hashlib.sha256(joined.encode()).hexdigest(),
        author=writer.author,
        created_at=writer.now,
    )


def _require_readable(variant: Variant, text: TextSpec) -> None:
    """Refuse a text that nothing could be made of, before it is stored."""
    step = variant.touchpoint.step
    finding = faults.unreadable(
        text,
        kind=step.channel.kind if step.channel else "",
        variant=variant.key,
        message=number_of(step),
        is_fallback=step.is_fallback,
    )
    if finding is not None:
        raise TextUnreadable(finding)
