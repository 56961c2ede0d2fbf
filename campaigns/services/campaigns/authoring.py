"""Writing campaigns: create from a description, edit texts, submit for review."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.domain.campaigns.campaign import CAMPAIGN_MOVES, CampaignStatus
from campaigns.domain.campaigns.correction import CORRECTABLE, shapes_of
from campaigns.domain.campaigns.given import trigger_reading
from campaigns.domain.campaigns.given.changes import end_problem, parse_changes
from campaigns.domain.campaigns.given.exclusions_reading import stored_exclusions
from campaigns.domain.campaigns.given.problems import ValueProblem, ValueProblemCode, ValueProblems
from campaigns.domain.campaigns.given.recurrence_reading import stored
from campaigns.domain.campaigns.spec import CampaignSpec, parse_spec, parse_steps
from campaigns.domain.compliance.offers import is_offer_under_service, product_kind_for
from campaigns.domain.sending.service_messages import ServiceKind, kind_for
from campaigns.models import Campaign
from campaigns.selectors.campaigns import corrections
from campaigns.services.campaigns import content_tests, message_steps, parts, score_use
from campaigns.services.campaigns.audience import choosing
from campaigns.services.campaigns.composer import autosaves, readiness
from campaigns.services.campaigns.problems import refused
from campaigns.services.content.writing import Writer
from customers.domain.consents.consent import Purpose
from customers.models import Segment
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.errors import LoanCrmError

WRITES = "campaigns.author_campaign"
EDITABLE = frozenset({CampaignStatus.DRAFT})


class CampaignLocked(LoanCrmError):
    """The campaign is in a state in which it cannot be changed like this."""

    code = "campaign_locked"


def create_campaign(
    *, source: Mapping[str, Any], actor: Actor, now: datetime, is_autosave: bool = False
) -> Campaign:
    """Create a draft from its description; nothing is kept when any part is wrong.

    Raises:
        CampaignRefused: The description has problems; every one is named with its path.
        PermissionRefused: The actor may not write campaigns.
    """
    act = acting(actor, WRITES, now=now)
    try:
        spec = parse_spec(source)
    except ValueProblems as error:
        raise refused(error.problems) from error
    require_purpose(actor, purpose=spec.purpose, service_kind=spec.service_kind)
    with act:
        _check_references(spec)
        author = actor.user or User.objects.filter(username=spec.author).first()
        segment = parts.segment_of(spec, actor=actor, now=now)
        campaign = Campaign.objects.create(
            slug=spec.slug,
            name=spec.name,
            description=spec.description,
            purpose=spec.purpose,
            service_kind=spec.service_kind,
            product_kind=spec.product_kind,
            segment=segment,
            goal_event=spec.goal_event,
            goal_window_days=spec.goal_window_days,
            holdout_share=spec.holdout_share,
            stops_at_goal=spec.stops_at_goal,
            start_at=spec.start_at,
            end_at=spec.end_at,
            late_limit_hours=spec.late_limit_hours,
            recurrence=stored(spec.recurrence),
            message_limit=spec.message_limit,
            daily_message_limit=spec.daily_message_limit,
            exclusions=stored_exclusions(spec.exclusions),
            trigger=trigger_reading.stored(spec.trigger),
            budget=parts.budget_with(None, spec.budget_amount),
            cost_per_message=spec.cost_per_message,
            author=author,
            created_at=now,
            updated_at=now,
        )
        content_tests.write_plan(campaign, spec.content_test)
        message_steps.write_steps(campaign=campaign, steps=spec.steps, writer=Writer(author, now))
        autosaves.note_edit(act, campaign)
        parts.write_costs(campaign, spec, now=now)
        facts = {"slug": campaign.slug, "segment": segment.slug}
        quick = autosaves.fact(is_autosave=is_autosave)
        act.record("campaign.created", on=campaign, facts={**facts, **quick})
    return campaign


def update_campaign(
    *,
    campaign: Campaign,
    changes: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    is_autosave: bool = False,
) -> Campaign:
    """Change fields of a draft.

    Args:
        changes: Field names and values among name, description, segment, purpose, service_kind,
            product_kind, goal_event, goal_window_days, stops_at_goal, holdout_share, start_at,
            end_at, late_limit_hours, recurrence, trigger, budget_amount, cost_per_message,
            content_test, exclusions, message_limit and daily_message_limit.
        is_autosave: What was told lately of such saves is not told again.

    Raises:
        CampaignLocked: The campaign is no draft.
        CampaignRefused: A field is none of these, or cannot hold its value; nothing is changed.
        PermissionRefused: The actor may not write campaigns, or none of this purpose.
    """
    act = writing(campaign, actor=actor, now=now)
    try:
        checked = parse_changes(changes)
    except ValueProblems as error:
        raise refused(error.problems) from error
    segment = checked.values.get("segment")
    if segment is not None and not isinstance(segment, Segment):
        raise refused((ValueProblem("segment", ValueProblemCode.SEGMENT_EXPECTED),))
    if campaign.status == CampaignStatus.PAUSED:
        _require_correctable(campaign, checked.values)
    with act:
        values = _columns(campaign, checked.values)
        if "name" in values and autosaves.has_only_saved_itself(campaign):
            values["slug"] = autosaves.free_slug(campaign, values["name"])
        for name, value in values.items():
            setattr(campaign, name, value)
        require_purpose(actor, purpose=campaign.purpose, service_kind=campaign.service_kind)
        campaign.service_kind = kind_for(campaign.purpose, campaign.service_kind)
        if "purpose" in values and "product_kind" not in values:
            campaign.product_kind = product_kind_for(campaign.purpose, "")
        _require_consistent(campaign)
        campaign.updated_at = now
        campaign.save(update_fields=[*values, "service_kind", "product_kind", "updated_at"])
        course = autosaves.course_of(campaign, act, is_autosave=is_autosave)
        facts = {"fields": sorted(changes)}
        autosaves.record_edit(act, campaign, deed="updated", facts=facts, course=course)
    return campaign


def _require_consistent(campaign: Campaign) -> None:
    if late := end_problem(campaign.start_at, campaign.end_at):
        raise refused((late,))
    if is_offer_under_service(campaign.purpose, campaign.product_kind):
        raise refused((ValueProblem("product_kind", ValueProblemCode.OFFER_UNDER_SERVICE),))


def revise_messages(
    *,
    campaign: Campaign,
    messages: Sequence[Mapping[str, Any]],
    actor: Actor,
    now: datetime,
    is_autosave: bool = False,
) -> Campaign:
    """Make a draft's messages what is described: channels, fallbacks, variants and texts.

    Args:
        messages: As the `steps` of a campaign's description.
        is_autosave: A text that such a save wrote lately is written over, and not told again.

    Raises:
        CampaignLocked: The campaign is no draft.
        CampaignRefused: The description has problems; nothing is changed.
        PermissionRefused: The actor may not write campaigns, or none of this purpose.
    """
    act = writing(campaign, actor=actor, now=now)
    try:
        steps = parse_steps(messages)
    except ValueProblems as error:
        raise refused(error.problems) from error
    if problems := message_steps.channel_problems(steps, campaign):
        raise refused(problems)
    if campaign.status == CampaignStatus.PAUSED and list(shapes_of(steps)) != corrections.shapes(
        campaign
    ):
        raise CampaignLocked(
            _("A correction changes texts only: messages, channels and variants stay."),
            campaign=campaign.slug,
        )
    with act:
        course = autosaves.course_of(campaign, act, is_autosave=is_autosave)
        writer = Writer(actor.user, now, course.since if course else None)
        changed = message_steps.write_steps(campaign=campaign, steps=steps, writer=writer)
        if not changed:
            act.unchanged()
            return campaign
        campaign.updated_at = now
        campaign.save(update_fields=["updated_at"])
        facts = {"changed": changed}
        autosaves.record_edit(act, campaign, deed="messages_revised", facts=facts, course=course)
    return campaign


def submit_for_review(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Lock a draft for its approver.

    Raises:
        TextsFaulty: A text has faults that would stop the approval.
        ScoreNotUsable: A score that chooses its people may not do so now.
        AudienceUnfair: A model chooses some people too rarely, and no two people agreed to it.
        CampaignLocked: The campaign is no draft.
    """
    with acting(actor, WRITES, on=campaign, now=now) as act:
        stored_now = Campaign.objects.get(pk=campaign.pk)
        require_status(stored_now, _sources(CampaignStatus.IN_REVIEW))
        if stored_now.is_template:
            raise CampaignLocked(
                _("A template is copied and never sent itself."), campaign=campaign.slug
            )
        readiness.require_ready(campaign, now=now)
        uses = score_use.scores_of(campaign, now=now)
        return move(campaign, CampaignStatus.IN_REVIEW, act=act, facts=score_use.audit_facts(uses))


def return_to_draft(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Unlock a campaign for editing; approvals given so far no longer fit."""
    with acting(actor, WRITES, on=campaign, now=now) as act:
        return move(campaign, CampaignStatus.DRAFT, act=act)


def writing(campaign: Campaign, *, actor: Actor, now: datetime) -> Act:
    """Open the door to a draft for whoever may write it.

    Raises:
        PermissionRefused: The actor may not write campaigns, or none of this purpose.
        CampaignLocked: The campaign is no draft.
    """
    act = acting(actor, WRITES, on=campaign, now=now)
    stored = Campaign.objects.only("purpose", "service_kind").get(pk=campaign.pk)
    require_purpose(actor, purpose=stored.purpose, service_kind=stored.service_kind)
    require_draft(campaign)
    return act


def require_purpose(actor: Actor, *, purpose: str, service_kind: str) -> None:
    """Refuse service messages, which go past consent, caps and pauses, without their own right.

    Raises:
        PermissionRefused: The actor may write marketing only, or nothing that collects.
    """
    if purpose == Purpose.SERVICE:
        access.require(actor, "campaigns.send_service_messages")
    if service_kind == ServiceKind.COLLECTION:
        access.require(actor, "campaigns.send_collection_messages")


def require_draft(campaign: Campaign) -> None:
    """Refuse a change of anything but a draft, and of what a correction is being written for.

    Raises:
        CampaignLocked: The campaign is in review, approved, running or over.
    """
    if campaign.status == CampaignStatus.PAUSED and corrections.is_editing(campaign):
        return
    if campaign.status not in EDITABLE:
        raise CampaignLocked(
            _("The campaign is “%(status)s”; only a draft can be changed.")
            % {"status": labels.CAMPAIGN_STATUSES.label(campaign.status)},
            campaign=campaign.slug,
        )


def _require_correctable(campaign: Campaign, values: Mapping[str, Any]) -> None:
    """Refuse what a correction may not change.

    Raises:
        CampaignLocked: A field is none of these, or the budget is new, gone or others' too.
    """
    if set(values) - CORRECTABLE:
        raise CampaignLocked(
            _("A correction changes texts, the end and the budget; nothing else."),
            campaign=campaign.slug,
        )
    if "budget_amount" not in values:
        return
    budget = campaign.budget
    if budget is None or values["budget_amount"] is None or budget.campaigns.count() > 1:
        raise CampaignLocked(
            _("A correction changes the amount of a budget that the campaign has for itself."),
            campaign=campaign.slug,
        )


def move(
    campaign: Campaign,
    status: CampaignStatus,
    *,
    act: Act,
    sources: Collection[CampaignStatus] = (),
    facts: Mapping[str, object] | None = None,
) -> Campaign:
    """Move a campaign to another status, once, whoever else tries at the same time.

    Args:
        sources: From where this step may start, when that is not every legal move to `status`:
            what is paused goes on, but is never launched.
        facts: What the entry tells beside the status before.

    Raises:
        CampaignLocked: The move is not legal from where the campaign stands.
    """
    before = campaign.status
    sources = sources or _sources(status)
    moved = Campaign.objects.filter(pk=campaign.pk, status__in=sources).update(
        status=status, updated_at=act.now
    )
    if not moved:
        campaign.refresh_from_db()
        raise _illegal(campaign, sources)
    campaign.refresh_from_db()
    act.record(f"campaign.{status.value}", on=campaign, facts={"from": before, **(facts or {})})
    return campaign


def require_status(campaign: Campaign, sources: Collection[CampaignStatus]) -> None:
    """Refuse a step that cannot start from where the campaign, read just now, stands.

    Raises:
        CampaignLocked: As `move` would.
    """
    if campaign.status not in sources:
        raise _illegal(campaign, sources)


def _sources(status: CampaignStatus) -> list[CampaignStatus]:
    return [source for source, targets in CAMPAIGN_MOVES.items() if status in targets]


def _illegal(campaign: Campaign, sources: Collection[CampaignStatus]) -> CampaignLocked:
    needed = [labels.CAMPAIGN_STATUSES.label(source) for source in sorted(sources)]
    return CampaignLocked(
        _("This cannot be done now: the campaign is “%(status)s”; it must be “%(needed)s”.")
        % {
            "needed": _("” or “").join(needed),
            "status": labels.CAMPAIGN_STATUSES.label(campaign.status),
        },
        campaign=campaign.slug,
    )


def _check_references(spec: CampaignSpec) -> None:
    problems: list[ValueProblem] = []
    if Campaign.objects.filter(slug=spec.slug).exists():
        problems.append(ValueProblem("slug", ValueProblemCode.EXISTS))
    problems.extend(message_steps.channel_problems(spec.steps))
    problems.extend(choosing.reference_problems(spec.exclusions))
    if spec.author and not User.objects.filter(username=spec.author).exists():
        problems.append(ValueProblem("author", ValueProblemCode.UNKNOWN, spec.author))
    if spec.segment_rule is None and not Segment.objects.filter(slug=spec.segment_slug).exists():
        problems.append(ValueProblem("segment", ValueProblemCode.UNKNOWN, spec.segment_slug))
    if problems:
        raise refused(tuple(problems))


def _columns(campaign: Campaign, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes as the campaign's columns hold them; what has rows of its own is stored."""
    values = dict(given)
    if "recurrence" in values:
        values["recurrence"] = stored(values["recurrence"])
    if "exclusions" in values:
        if problems := choosing.reference_problems(values["exclusions"], path="exclusions"):
            raise refused(tuple(problems))
        values["exclusions"] = stored_exclusions(values["exclusions"])
    if "trigger" in values:
        values["trigger"] = trigger_reading.stored(values["trigger"])
    if "budget_amount" in values:
        values["budget"] = parts.budget_with(campaign.budget, values.pop("budget_amount"))
    if "content_test" in values:
        content_tests.write_plan(campaign, values.pop("content_test"))
    return values
