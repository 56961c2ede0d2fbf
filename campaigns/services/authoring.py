"""Writing campaigns: create from a description, edit texts, submit for review."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.domain import email_html
from campaigns.domain.campaign import CAMPAIGN_MOVES, CampaignStatus
from campaigns.domain.given.changes import parse_changes
from campaigns.domain.given.problems import Problem, ProblemCode, ValueProblems
from campaigns.domain.spec import CampaignSpec, StepSpec, TextSpec, parse_spec
from campaigns.models import (
    Campaign,
    CampaignCost,
    CampaignEdit,
    Channel,
    ContentVersion,
    Step,
    Variant,
)
from campaigns.selectors import content_faults
from customers.domain.consent import Purpose
from customers.models import Segment
from customers.services import segments
from loancrm.kernel import access, audit, clock
from loancrm.kernel.access import Actor
from loancrm.kernel.errors import LoanCrmError

EDITABLE = frozenset({CampaignStatus.DRAFT})


class CampaignRefused(LoanCrmError):
    """The description of a campaign is not usable; facts hold `problems`."""

    code = "campaign_invalid"


class CampaignLocked(LoanCrmError):
    """The campaign is in a state in which it cannot be changed like this."""

    code = "campaign_locked"


class TextsFaulty(LoanCrmError):
    """The texts have faults that somebody has to mend first; facts hold `faults`."""

    code = "campaign_texts_faulty"


@transaction.atomic
def create_campaign(*, source: Mapping[str, Any], actor: Actor, now: datetime) -> Campaign:
    """Create a draft from its description; nothing is kept when any part is wrong.

    Raises:
        CampaignRefused: The description has problems; every one is named with its path.
        PermissionRefused: The actor may not write campaigns.
    """
    access.require(actor, "campaigns.author_campaign")
    try:
        spec = parse_spec(source)
    except ValueProblems as error:
        raise _refused(error.problems) from error
    if spec.purpose is Purpose.SERVICE:
        # They go past consent, caps and pauses.
        access.require(actor, "campaigns.send_service_messages")
    _check_references(spec)
    author = actor.user or User.objects.filter(username=spec.author).first()
    segment = _segment(spec, actor=actor, now=now)
    campaign = Campaign.objects.create(
        slug=spec.slug,
        name=spec.name,
        description=spec.description,
        purpose=spec.purpose,
        service_kind=spec.service_kind,
        segment=segment,
        goal_event=spec.goal_event,
        goal_window_days=spec.goal_window_days,
        holdout_share=spec.holdout_share,
        start_at=spec.start_at,
        late_limit_hours=spec.late_limit_hours,
        budget_amount=spec.budget_amount,
        cost_per_message=spec.cost_per_message,
        author=author,
        created_at=now,
        updated_at=now,
    )
    for position, step in enumerate(spec.steps, start=1):
        _create_step(campaign, step, position=position, author=author, now=now)
    note_edit(campaign, actor, now=now)
    CampaignCost.objects.bulk_create(
        CampaignCost(
            campaign=campaign,
            category=cost.category,
            amount=cost.amount,
            note=cost.note,
            incurred_on=(spec.start_at or now).astimezone(clock.company_zone()).date(),
        )
        for cost in spec.costs
    )
    audit.record(
        actor=actor,
        action="campaign.created",
        object_type="campaign",
        object_id=campaign.pk,
        now=now,
        facts={"slug": campaign.slug, "segment": segment.slug},
    )
    return campaign


@transaction.atomic
def revise_content(
    *, variant: Variant, text: TextSpec, actor: Actor, now: datetime
) -> ContentVersion:
    """Store a new version of a variant's text and make it the current one.

    Raises:
        CampaignLocked: The campaign is no draft.
        PermissionRefused: The actor may not write campaigns.
    """
    campaign = variant.step.campaign
    access.require(actor, "campaigns.author_campaign", campaign)
    require_draft(campaign)
    last = (
        ContentVersion.objects.filter(variant=variant, locale=text.locale)
        .order_by("-number")
        .first()
    )
    ContentVersion.objects.filter(variant=variant, locale=text.locale, is_current=True).update(
        is_current=False
    )
    content = _content(variant, text, author=actor.user, now=now)
    content.number = last.number + 1 if last else 1
    content.save()
    note_edit(campaign, actor, now=now)
    audit.record(
        actor=actor,
        action="campaign.content_revised",
        object_type="campaign",
        object_id=campaign.pk,
        now=now,
        facts={"variant": variant.key, "locale": text.locale, "digest": content.digest},
    )
    return content


@transaction.atomic
def update_campaign(
    *, campaign: Campaign, changes: Mapping[str, Any], actor: Actor, now: datetime
) -> Campaign:
    """Change fields of a draft.

    Args:
        changes: Field names and values among name, description, segment, goal_event,
            goal_window_days, holdout_share, start_at, late_limit_hours, budget_amount and
            cost_per_message.

    Raises:
        CampaignLocked: The campaign is no draft.
        CampaignRefused: A field is none of these, or cannot hold its value; nothing is changed.
    """
    access.require(actor, "campaigns.author_campaign", campaign)
    require_draft(campaign)
    try:
        checked = parse_changes(changes)
    except ValueProblems as error:
        raise _refused(error.problems) from error
    segment = checked.values.get("segment")
    if segment is not None and not isinstance(segment, Segment):
        raise _refused((Problem("segment", ProblemCode.SEGMENT_EXPECTED),))
    for name, value in checked.values.items():
        setattr(campaign, name, value)
    campaign.updated_at = now
    campaign.save(update_fields=[*checked.values, "updated_at"])
    note_edit(campaign, actor, now=now)
    audit.record(
        actor=actor,
        action="campaign.updated",
        object_type="campaign",
        object_id=campaign.pk,
        now=now,
        facts={"fields": sorted(changes)},
    )
    return campaign


@transaction.atomic
def submit_for_review(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Lock a draft for its approver.

    Raises:
        TextsFaulty: A text has faults that would stop the approval.
        CampaignLocked: The campaign is no draft.
    """
    access.require(actor, "campaigns.author_campaign", campaign)
    require_status(Campaign.objects.get(pk=campaign.pk), _sources(CampaignStatus.IN_REVIEW))
    faults = content_faults.blocking(campaign)
    if faults:
        raise TextsFaulty(
            _("The texts have faults: %(faults)s") % {"faults": "; ".join(faults)},
            campaign=campaign.slug,
            faults=tuple(faults),
        )
    return move(campaign, CampaignStatus.IN_REVIEW, actor=actor, now=now)


@transaction.atomic
def return_to_draft(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Unlock a campaign for editing; approvals given so far no longer fit."""
    access.require(actor, "campaigns.author_campaign", campaign)
    return move(campaign, CampaignStatus.DRAFT, actor=actor, now=now)


def require_draft(campaign: Campaign) -> None:
    """Refuse a change of anything but a draft.

    Raises:
        CampaignLocked: The campaign is in review, approved, running or over.
    """
    if campaign.status not in EDITABLE:
        raise CampaignLocked(
            _("The campaign is “%(status)s”; only a draft can be changed.")
            % {"status": labels.read(labels.CAMPAIGN_STATUSES, campaign.status)},
            campaign=campaign.slug,
        )


def move(
    campaign: Campaign,
    status: CampaignStatus,
    *,
    actor: Actor,
    now: datetime,
    sources: Collection[CampaignStatus] = (),
) -> Campaign:
    """Move a campaign to another status, once, whoever else tries at the same time.

    Args:
        sources: From where this step may start, when that is not every legal move to `status`:
            what is paused goes on, but is never launched.

    Raises:
        CampaignLocked: The move is not legal from where the campaign stands.
    """
    before = campaign.status
    sources = sources or _sources(status)
    moved = Campaign.objects.filter(pk=campaign.pk, status__in=sources).update(
        status=status, updated_at=now
    )
    if not moved:
        campaign.refresh_from_db()
        raise _illegal(campaign, sources)
    campaign.refresh_from_db()
    audit.record(
        actor=actor,
        action=f"campaign.{status.value}",
        object_type="campaign",
        object_id=campaign.pk,
        now=now,
        facts={"from": before},
    )
    return campaign


def require_status(campaign: Campaign, sources: Collection[CampaignStatus]) -> None:
    """Refuse a step that cannot start from where the campaign, read just now, stands.

    Raises:
        CampaignLocked: As `move` would.
    """
    if campaign.status not in sources:
        raise _illegal(campaign, sources)


def note_edit(campaign: Campaign, actor: Actor, *, now: datetime) -> None:
    """Keep who changed a campaign: they may not approve it."""
    if actor.user is not None:
        CampaignEdit.objects.create(campaign=campaign, editor=actor.user, at=now)


def _sources(status: CampaignStatus) -> list[CampaignStatus]:
    return [source for source, targets in CAMPAIGN_MOVES.items() if status in targets]


def _illegal(campaign: Campaign, sources: Collection[CampaignStatus]) -> CampaignLocked:
    needed = [labels.read(labels.CAMPAIGN_STATUSES, source) for source in sorted(sources)]
    return CampaignLocked(
        _("This cannot be done now: the campaign is “%(status)s”; it must be “%(needed)s”.")
        % {
            "needed": _("” or “").join(needed),
            "status": labels.read(labels.CAMPAIGN_STATUSES, campaign.status),
        },
        campaign=campaign.slug,
    )


def _refused(problems: tuple[Problem, ...]) -> CampaignRefused:
    listed = "; ".join(f"{problem.path}: {labels.problem(problem)}" for problem in problems)
    return CampaignRefused(
        _("The campaign cannot be stored: %(problems)s") % {"problems": listed},
        problems=[(problem.path, problem.code.value) for problem in problems],
    )


def _check_references(spec: CampaignSpec) -> None:
    problems: list[Problem] = []
    if Campaign.objects.filter(slug=spec.slug).exists():
        problems.append(Problem("slug", ProblemCode.EXISTS))
    known = set(Channel.objects.filter(is_active=True).values_list("slug", flat=True))
    problems.extend(
        Problem(f"steps[{index}].channel", ProblemCode.UNKNOWN, step.channel)
        for index, step in enumerate(spec.steps)
        if step.channel not in known
    )
    if spec.author and not User.objects.filter(username=spec.author).exists():
        problems.append(Problem("author", ProblemCode.UNKNOWN, spec.author))
    if spec.segment_rule is None and not Segment.objects.filter(slug=spec.segment_slug).exists():
        problems.append(Problem("segment", ProblemCode.UNKNOWN, spec.segment_slug))
    if problems:
        raise _refused(tuple(problems))


def _segment(spec: CampaignSpec, *, actor: Actor, now: datetime) -> Segment:
    if spec.segment_rule is None:
        return Segment.objects.get(slug=spec.segment_slug)
    return segments.create_segment(
        slug=spec.segment_slug or f"{spec.slug}-audience",
        name=spec.name,
        rule=spec.segment_rule,
        actor=actor,
        now=now,
    )


def _create_step(
    campaign: Campaign, step: StepSpec, *, position: int, author: User | None, now: datetime
) -> None:
    row = Step.objects.create(
        campaign=campaign,
        position=position,
        channel=Channel.objects.get(slug=step.channel),
        is_fallback=step.is_fallback,
        wait_minutes=step.wait_minutes,
    )
    for variant_spec in step.variants:
        variant = Variant.objects.create(step=row, key=variant_spec.key, weight=variant_spec.weight)
        ContentVersion.objects.bulk_create(
            _content(variant, text, author=author, now=now) for text in variant_spec.texts
        )


def _content(
    variant: Variant, text: TextSpec, *, author: User | None, now: datetime
) -> ContentVersion:
    _require_readable(variant, text)
    html = email_html.prepare(text.html) if text.html else ""
    # Cleaning takes out what is active, and may take one end of a condition with it.
    _require_readable(variant, replace(text, html=html))
    joined = f"{text.locale}\x00{text.subject}\x00{text.text}\x00{html}"
    return ContentVersion(
        variant=variant,
        locale=text.locale,
        subject=text.subject,
        text=text.text,
        html=html,
        digest=hashlib.sha256(joined.encode()).hexdigest(),
        author=author,
        created_at=now,
    )


def _require_readable(variant: Variant, text: TextSpec) -> None:
    """Refuse a text that nothing could be made of, before it is stored."""
    channel = variant.step.channel
    fault = content_faults.unreadable(text, kind=channel.kind if channel else "")
    if fault:
        where = f"{variant.key} · {dict(settings.LANGUAGES).get(text.locale, '')}"
        raise CampaignRefused(
            _("The text cannot be saved: %(where)s · %(fault)s") % {"where": where, "fault": fault},
            problems=((where, fault),),
        )
