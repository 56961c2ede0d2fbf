"""Writing campaigns: create from a description, edit texts, submit for review."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.domain.campaigns.campaign import CAMPAIGN_MOVES, CampaignStatus
from campaigns.domain.campaigns.given.changes import parse_changes
from campaigns.domain.campaigns.given.problems import Problem, ProblemCode, ValueProblems
from campaigns.domain.campaigns.given.recurrence_reading import stored
from campaigns.domain.campaigns.spec import CampaignSpec, parse_spec, parse_steps
from campaigns.domain.sending.service_messages import kind_for
from campaigns.models import Budget, Campaign, CampaignCost, CampaignEdit
from campaigns.selectors.content import faults as content_faults
from campaigns.services.campaigns import message_steps
from campaigns.services.campaigns.problems import refused
from campaigns.services.content.writing import Writer
from customers.domain.consents.consent import Purpose
from customers.models import Segment
from customers.services.segments import versions
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.errors import LoanCrmError

EDITABLE = frozenset({CampaignStatus.DRAFT})


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
        raise refused(error.problems) from error
    require_purpose(actor, spec.purpose)
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
        recurrence=stored(spec.recurrence),
        budget=_budget(None, spec.budget_amount),
        cost_per_message=spec.cost_per_message,
        author=author,
        created_at=now,
        updated_at=now,
    )
    message_steps.write_steps(campaign=campaign, steps=spec.steps, writer=Writer(author, now))
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
def update_campaign(
    *, campaign: Campaign, changes: Mapping[str, Any], actor: Actor, now: datetime
) -> Campaign:
    """Change fields of a draft.

    Args:
        changes: Field names and values among name, description, segment, purpose, service_kind,
            goal_event, goal_window_days, holdout_share, start_at, late_limit_hours, recurrence,
            budget_amount and cost_per_message.

    Raises:
        CampaignLocked: The campaign is no draft.
        CampaignRefused: A field is none of these, or cannot hold its value; nothing is changed.
        PermissionRefused: The actor may not write campaigns, or none of this purpose.
    """
    require_writable(campaign, actor)
    try:
        checked = parse_changes(changes)
    except ValueProblems as error:
        raise refused(error.problems) from error
    segment = checked.values.get("segment")
    if segment is not None and not isinstance(segment, Segment):
        raise refused((Problem("segment", ProblemCode.SEGMENT_EXPECTED),))
    values = dict(checked.values)
    if "recurrence" in values:
        values["recurrence"] = stored(values["recurrence"])
    if "budget_amount" in values:
        values["budget"] = _budget(campaign.budget, values.pop("budget_amount"))
    for name, value in values.items():
        setattr(campaign, name, value)
    require_purpose(actor, campaign.purpose)
    campaign.service_kind = kind_for(campaign.purpose, campaign.service_kind)
    campaign.updated_at = now
    campaign.save(update_fields=[*values, "service_kind", "updated_at"])
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
def revise_messages(
    *, campaign: Campaign, messages: Sequence[Mapping[str, Any]], actor: Actor, now: datetime
) -> Campaign:
    """Make a draft's messages what is described: channels, fallbacks, variants and texts.

    Args:
        messages: As the `steps` of a campaign's description.

    Raises:
        CampaignLocked: The campaign is no draft.
        CampaignRefused: The description has problems; nothing is changed.
        PermissionRefused: The actor may not write campaigns, or none of this purpose.
    """
    require_writable(campaign, actor)
    try:
        steps = parse_steps(messages)
    except ValueProblems as error:
        raise refused(error.problems) from error
    if problems := message_steps.channel_problems(steps, campaign):
        raise refused(problems)
    changed = message_steps.write_steps(
        campaign=campaign, steps=steps, writer=Writer(actor.user, now)
    )
    if not changed:
        return campaign
    campaign.updated_at = now
    campaign.save(update_fields=["updated_at"])
    note_edit(campaign, actor, now=now)
    audit.record(
        actor=actor,
        action="campaign.messages_revised",
        object_type="campaign",
        object_id=campaign.pk,
        now=now,
        facts={"changed": changed},
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


def require_writable(campaign: Campaign, actor: Actor) -> None:
    """Refuse a change by whoever may not write this campaign, or of anything but a draft.

    Raises:
        PermissionRefused: The actor may not write campaigns, or none of this purpose.
        CampaignLocked: The campaign is no draft.
    """
    access.require(actor, "campaigns.author_campaign", campaign)
    require_purpose(actor, Campaign.objects.values_list("purpose", flat=True).get(pk=campaign.pk))
    require_draft(campaign)


def require_purpose(actor: Actor, purpose: str) -> None:
    """Refuse service messages, which go past consent, caps and pauses, without their own right.

    Raises:
        PermissionRefused: The actor may write marketing only.
    """
    if purpose == Purpose.SERVICE:
        access.require(actor, "campaigns.send_service_messages")


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


def _check_references(spec: CampaignSpec) -> None:
    problems: list[Problem] = []
    if Campaign.objects.filter(slug=spec.slug).exists():
        problems.append(Problem("slug", ProblemCode.EXISTS))
    problems.extend(message_steps.channel_problems(spec.steps))
    if spec.author and not User.objects.filter(username=spec.author).exists():
        problems.append(Problem("author", ProblemCode.UNKNOWN, spec.author))
    if spec.segment_rule is None and not Segment.objects.filter(slug=spec.segment_slug).exists():
        problems.append(Problem("segment", ProblemCode.UNKNOWN, spec.segment_slug))
    if problems:
        raise refused(tuple(problems))


def _budget(before: Budget | None, limit: Decimal | None) -> Budget | None:
    """Return a draft's budget with this limit; None without one."""
    if limit is None:
        return None
    if before is None:
        return Budget.objects.create(limit_amount=limit)
    before.limit_amount = limit
    before.save(update_fields=["limit_amount"])
    return before


def _segment(spec: CampaignSpec, *, actor: Actor, now: datetime) -> Segment:
    if spec.segment_rule is None:
        return Segment.objects.get(slug=spec.segment_slug)
    return versions.create_segment(
        slug=spec.segment_slug or f"{spec.slug}-audience",
        name=spec.name,
        rule=spec.segment_rule,
        actor=actor,
        now=now,
    )
