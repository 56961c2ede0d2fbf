"""A launch without a launch: what becomes of everybody, person by person, and nothing is written.

Gates, texts, budget and their order are the worker's own. With the clock standing still and one
worker the list is what the launch writes; several workers share a budget in another order, so that
of them the sums before the budget hold.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from campaigns.domain.experiments import assignment
from campaigns.domain.experiments.assignment import Arm
from campaigns.domain.sending import budgeting, schedule, volumes
from campaigns.domain.sending.eligibility import MessagePlan, SkipReason, gate_of
from campaigns.domain.sending.states import HoldReason, MessageState
from campaigns.domain.sending.volumes import VolumePeriod
from campaigns.models import Campaign, Channel, Dispatch, Step
from campaigns.selectors.content.rules import rules_at
from campaigns.selectors.filing import standing
from campaigns.selectors.filing.standing import FiledNow
from campaigns.selectors.sending import contact_facts, message_plan
from campaigns.selectors.sending.contact_facts import Recipient
from campaigns.services.campaigns import content_tests, plans, recurring
from campaigns.services.campaigns.audience import choosing
from campaigns.services.campaigns.audience.choosing import CampaignAudience
from campaigns.services.campaigns.steps_freezing import CampaignNotReady
from campaigns.services.filing.filed import FilingLapsed, unfiled
from campaigns.services.sending import deciding, dispatch, outcomes
from campaigns.services.sending.composing import Composed, Composer
from campaigns.services.sending.freezing import CHUNK_SIZE
from campaigns.services.sending.outcomes import Closing
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

LISTS = "customers.export_customers"


@dataclass(frozen=True, slots=True)
class LaunchCourse:
    """What would be launched.

    Attributes:
        run: The first message's dispatch, planned and not stored.
        plan: What the gates need to know about it when it starts.
        is_late: The start lies further back than the campaign allows: it would be held.
    """

    campaign: Campaign
    step: Step
    channel: Channel
    run: Dispatch
    plan: MessagePlan
    audience: CampaignAudience
    starts_at: datetime
    is_late: bool


class DryRunLine(NamedTuple):
    """What would become of one person."""

    customer_id: int
    state: str
    reason: str
    variant: str
    parts: int
    cost: Decimal


@dataclass(slots=True)
class DryRun:
    """A launch that did not take place; all its people add up to those whom the segment chooses.

    Attributes:
        excluded: People whom each exclusion leaves out.
        later: People who wait for the end of a test of texts, or for what triggers the campaign.
        is_triggered: The launch writes to nobody: triggers choose the people, one by one.
        hold_reason: Why nothing would go out until a person has set it right; empty where it would.
            What the lines say is what happens then.
        lines: Everybody else, in the order in which they would be sent to.
    """

    segment: int
    excluded: Mapping[str, int]
    later: int
    starts_at: datetime
    is_late: bool
    is_triggered: bool = False
    hold_reason: str = ""
    lines: list[DryRunLine] = field(default_factory=list)

    @property
    def held_out(self) -> int:
        """Return how many are kept in the control group."""
        return sum(line.state == MessageState.HELD_OUT for line in self.lines)

    @property
    def waiting(self) -> dict[str, int]:
        """Return how many are put off, by reason."""
        waiting = (line.reason for line in self.lines if line.state == MessageState.PLANNED)
        return dict(Counter(waiting).most_common())

    @property
    def skipped(self) -> dict[str, int]:
        """Return how many get nothing, by reason."""
        skipped = (line.reason for line in self.lines if line.state == MessageState.SKIPPED)
        return dict(Counter(skipped).most_common())

    @property
    def to_send(self) -> list[DryRunLine]:
        """Return who would be sent to at once."""
        return [line for line in self.lines if line.state == MessageState.SENT]

    def to_json(self) -> dict[str, Any]:
        """Return the sums as plain values."""
        messages = self.to_send
        return {
            "segment": self.segment,
            "excluded": dict(self.excluded),
            "later": self.later,
            "audience": len(self.lines),
            "held_out": self.held_out,
            "skipped": self.skipped,
            "gates": _by_gate(self.skipped),
            "waiting": self.waiting,
            "messages": len(messages),
            "parts": sum(line.parts for line in messages),
            "cost": str(sum((line.cost for line in messages), Decimal(0))),
            "starts_at": self.starts_at.isoformat(),
            "is_late": self.is_late,
            "hold_reason": self.hold_reason,
        }


def _gate_of(reason: str) -> str:
    return gate_of(reason) or reason


def _by_gate(skipped: Mapping[str, int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for reason, count in skipped.items():
        found[str(_gate_of(reason))] += count
    return dict(found)


def course_of(campaign: Campaign, *, now: datetime) -> LaunchCourse:
    """Return what a launch at this moment would begin with.

    Raises:
        CampaignNotReady: The campaign has no segment or no message.
    """
    step = campaign.steps.select_related("touchpoint__channel").order_by("position").first()
    version = campaign.segment.current_version if campaign.segment else None
    if version is None or step is None or step.channel is None:
        raise CampaignNotReady(
            _("The campaign needs a segment and at least one message."), campaign=campaign.slug
        )
    run = plans.plan_step(campaign=campaign, step=step, version=version, due_at=now, now=now)
    due_at = recurring.first_due(campaign, now)
    return LaunchCourse(
        campaign=campaign,
        step=step,
        channel=step.channel,
        run=run,
        plan=message_plan.plan_of(run, now=max(due_at, now)),
        audience=choosing.audience_of(campaign, version=version, now=now),
        starts_at=max(due_at, now),
        is_late=schedule.is_too_late(
            due_at=due_at, now=now, late_limit_hours=campaign.late_limit_hours
        ),
    )


def dry_run_campaign(*, campaign: Campaign, actor: Actor, now: datetime) -> DryRun:
    """Return what a launch at this moment would write, person by person.

    Raises:
        CampaignNotReady: The campaign has no segment or no message, or was launched already.
        PermissionRefused: The actor may not see the campaign.
    """
    access.require(actor, "campaigns.view_campaign", campaign)
    if campaign.launched_at is not None:
        raise CampaignNotReady(_("The campaign was launched already."), campaign=campaign.slug)
    course = course_of(campaign, now=now)
    people = content_tests.first_people(campaign, course.audience.people)
    excluded = course.audience.excluded
    segment = course.audience.chosen.count()
    ids = list(people.order_by("pk").values_list("pk", flat=True))
    hold_reason, lines = _held_and_lines(course, ids)
    return DryRun(
        segment=segment,
        excluded=excluded,
        later=segment - sum(excluded.values()) - len(ids),
        starts_at=course.starts_at,
        is_late=course.is_late,
        is_triggered=campaign.trigger is not None,
        hold_reason=hold_reason or "",
        lines=lines,
    )


def list_dry_run(*, campaign: Campaign, actor: Actor, now: datetime) -> DryRun:
    """Return a dry run whose list leaves the system; an entry says who took it.

    Raises:
        CampaignNotReady: As `dry_run_campaign`.
        PermissionRefused: The actor may not see the campaign, or take people out as a file.
    """
    with acting(actor, LISTS, now=now) as act:
        found = dry_run_campaign(campaign=campaign, actor=actor, now=now)
        act.record("campaign.dry_run_listed", on=campaign, facts={"count": len(found.lines)})
    return found


def _held_and_lines(
    course: LaunchCourse, ids: Sequence[int]
) -> tuple[HoldReason | None, list[DryRunLine]]:
    """Return why the provider's filings would hold the dispatch, if they would, and the lines."""
    filed = standing.filed_now(course.channel, now=course.starts_at)
    reason = unfiled(filed)
    if reason is None:
        try:
            return None, list(_lines(course, ids, filed))
        except FilingLapsed:
            reason = HoldReason.TEMPLATE_NOT_FILED
    return reason, list(_lines(course, ids, standing.NOTHING))


def _lines(course: LaunchCourse, ids: Sequence[int], filed: FiledNow) -> Iterator[DryRunLine]:
    at = course.starts_at
    composer = Composer(course.run, course.channel, rules=rules_at(at))
    composer.filed = filed
    arms = {row.key: row for row in course.step.touchpoint.variants.order_by("key")}
    names = {row.pk: key for key, row in arms.items()}
    weights = [Arm(row.key, row.weight) for row in arms.values()]
    limits = _Limits.of(course.campaign)
    for page in _pages(course.channel, ids):
        prospects = contact_facts.load_prospects(
            customer_ids=page,
            plan=course.plan,
            now=at,
            attribute_names=composer.attribute_names,
        )
        people = [_as_frozen(person, course.campaign, weights, arms) for person in prospects]
        found = [
            deciding.decide_about(person, plan=course.plan, composer=composer, now=at)
            for person in people
        ]
        stops = limits.take([result for result in found if isinstance(result, Composed)], at)
        for person, result in zip(people, found, strict=True):
            variant = names.get(person.variant_id or 0, "")
            ending = stops.get(person.customer_id) if isinstance(result, Composed) else result
            yield _line(person, variant, ending or result)


def _line(person: Recipient, variant: str, result: Composed | Closing) -> DryRunLine:
    if isinstance(result, Composed):
        state = MessageState.SENT.value
        return DryRunLine(person.customer_id, state, "", variant, result.parts, result.cost)
    state, reason = result.state.value, str(result.reason)
    return DryRunLine(person.customer_id, state, reason, variant, 0, Decimal(0))


@dataclass(slots=True)
class _Limits:
    """What is left of budget and numbers while one worker goes on."""

    money: Decimal | None
    rooms: dict[str, int]

    @classmethod
    def of(cls, campaign: Campaign) -> "_Limits":
        budget = campaign.budget
        wanted = {
            VolumePeriod.IN_ALL: campaign.message_limit,
            VolumePeriod.DAY: campaign.daily_message_limit,
        }
        return cls(
            None if budget is None else budget.limit_amount - budget.committed_amount,
            {period.value: most for period, most in wanted.items() if most is not None},
        )

    def take(self, composed: Sequence[Composed], now: datetime) -> dict[int, Closing]:
        """Use up what messages need, in their order; return the ending of each that is stopped."""
        periods = volumes.stopped_by([1] * len(composed), self.rooms)
        pairs = list(zip(composed, periods, strict=True))
        ends = {
            item.recipient.customer_id: outcomes.over_volume(item.recipient, period=period, now=now)
            for item, period in pairs
            if period
        }
        passing = [item for item, period in pairs if not period]
        allowed = len(passing)
        if self.money is not None:
            costs = [item.cost for item in passing]
            allowed, spent = budgeting.affordable(costs, self.money)
            self.money -= spent
        for item in passing[allowed:]:
            ends[item.recipient.customer_id] = outcomes.not_sent(item.recipient, SkipReason.BUDGET)
        self.rooms = {period: room - allowed for period, room in self.rooms.items()}
        return ends


def _pages(channel: Channel, ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Return the people as a worker takes them: chunk by chunk, page by page of a slow channel."""
    most = dispatch.page_size(channel) or CHUNK_SIZE
    for first in range(0, len(ids), CHUNK_SIZE):
        chunk = ids[first : first + CHUNK_SIZE]
        for start in range(0, len(chunk), most):
            yield chunk[start : start + most]


def _as_frozen(
    person: Recipient, campaign: Campaign, weights: Sequence[Arm], arms: Mapping[str, Any]
) -> Recipient:
    """Return a person with the variant and the group that the freeze would give her."""
    salt = campaign.experiment_salt
    key = assignment.assign(salt, person.customer_id, weights)
    is_control = assignment.is_held_out(salt, person.customer_id, campaign.holdout_share)
    return replace(
        person, variant_id=arms[key].pk, facts=replace(person.facts, is_control=is_control)
    )
