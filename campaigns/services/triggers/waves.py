"""Triggers that are due become a further run of their campaign.

A run is frozen, and its triggers are closed, in one transaction under the lock of the campaign's
row: two schedulers give a trigger one run, and whoever dies on the way gives it none.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from campaigns import jobs
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.given.trigger_reading import of_stored
from campaigns.domain.campaigns.recurrence import Again
from campaigns.domain.campaigns.trigger import (
    Trigger,
    TriggerRefusal,
    TriggerState,
    refusal_by_time,
)
from campaigns.domain.sending.states import HoldReason
from campaigns.models import Campaign, CampaignTrigger, Dispatch
from campaigns.selectors.campaigns import earlier_runs
from campaigns.selectors.campaigns.audience import exclusions
from campaigns.selectors.campaigns.ends import is_over
from campaigns.selectors.sending import past_messages
from campaigns.selectors.triggers import listening
from campaigns.services.campaigns import plans, recurring
from campaigns.services.campaigns.steps_freezing import freeze_first_step
from customers.models import Customer, Event
from customers.services.segments import versions
from loancrm.kernel.jobs import enqueue

WAVE = 2_000


class DueTrigger(NamedTuple):
    """A trigger that is due.

    Attributes:
        person_id: Of the record that speaks for the customer now.
    """

    pk: int
    customer_id: int
    person_id: int
    occurred_at: datetime
    due_at: datetime


def start_run(*, campaign: Campaign, now: datetime) -> Dispatch | None:
    """Freeze a run of whom the triggers that are due are about, and say of the others why not.

    Who is in the segment, was in an earlier run or has reached the goal since is asked now.

    Returns:
        The run's first dispatch; None when it is about nobody, the campaign does not run, or its
        runs are held because a rule behind the approved one has changed, a model chooses some
        people too rarely or a score may not choose people now.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        trigger = of_stored(locked.trigger)
        first = Dispatch.objects.filter(campaign=locked, position=1, run_number=1).first()
        if trigger is None or first is None or not _may_run(locked, now):
            return None
        reason = recurring.reason_to_hold(locked, first=first, now=now)
        if reason is None:
            started = _run(locked, trigger, first, now)
            if recurring.is_as_approved(locked, first):
                return started
            # After everything was read, as at the launch: nobody may be chosen, and no trigger
            # refused, by a rule that changed meanwhile.
            reason = HoldReason.CHANGED_AUDIENCE
            transaction.set_rollback(True)
    recurring.hold_runs(campaigns=Campaign.objects.filter(pk=campaign.pk), reason=reason)
    return None


def refuse_orphans() -> int:
    """Close what waits for campaigns that are over; return how many."""
    return listening.orphaned().update(
        state=TriggerState.REFUSED, reason=TriggerRefusal.CAMPAIGN_OVER
    )


def _may_run(campaign: Campaign, now: datetime) -> bool:
    begins_at = campaign.next_run_at
    has_begun = begins_at is not None and begins_at <= now
    is_running = campaign.status == CampaignStatus.RUNNING and not campaign.run_hold_reason
    return has_begun and is_running and not is_over(campaign)


def _run(campaign: Campaign, trigger: Trigger, first: Dispatch, now: datetime) -> Dispatch | None:
    due = listening.waiting().filter(campaign=campaign, due_at__lte=now).order_by("due_at", "pk")
    # A record that was merged away meanwhile speaks for the one that survived.
    person = Coalesce(F("customer__merged_into_id"), F("customer_id"))
    triggers = [
        DueTrigger(*row)
        for row in due.annotate(person_id=person).values_list(*DueTrigger._fields)[:WAVE]
    ]
    refused = _refused(campaign, trigger, first, triggers, now)
    for reason in sorted(set(refused.values())):
        keys = [pk for pk, found in refused.items() if found is reason]
        CampaignTrigger.objects.filter(pk__in=keys).update(
            state=TriggerState.REFUSED, reason=reason
        )
    good = {one.pk: one.person_id for one in triggers if one.pk not in refused}
    if not good:
        return None
    step = campaign.steps.select_related("touchpoint__channel").get(position=1)
    plan = plans.plan_run(campaign=campaign, step=step, first=first, due_at=now, now=now)
    plan.run_number = _newest_number(campaign) + 1
    people = Customer.objects.filter(pk__in=list(good.values()))
    dispatch = freeze_first_step(plan=plan, campaign=campaign, audience=people, now=now)
    CampaignTrigger.objects.filter(pk__in=list(good)).update(
        state=TriggerState.ENROLLED, dispatch=dispatch
    )
    enqueue(jobs.TICK)
    return dispatch


def _newest_number(campaign: Campaign) -> int:
    runs = Dispatch.objects.filter(campaign=campaign, position=1).order_by("-run_number")
    return runs.values_list("run_number", flat=True)[0]


def _refused(
    campaign: Campaign,
    trigger: Trigger,
    first: Dispatch,
    triggers: Sequence[DueTrigger],
    now: datetime,
) -> Mapping[int, TriggerRefusal]:
    """Return {trigger: why it begins nothing}."""
    people = {one.person_id for one in triggers}
    rule = first.segment_version.rule if first.segment_version else {}
    chosen = versions.audience_queryset(rule, now=now).filter(pk__in=people)
    left = exclusions.without(
        chosen, exclusions.of_campaign(campaign), exclusions.versions_of(campaign), now=now
    )
    members = set(chosen.values_list("pk", flat=True))
    wanted = set(left.values_list("pk", flat=True))
    earlier = _in_earlier_runs(campaign, trigger, people, now)
    reached = _goals(first, triggers)
    found: dict[int, TriggerRefusal] = {}
    seen: set[int] = set()
    for one in triggers:
        by_time = refusal_by_time(
            occurred_at=one.occurred_at,
            due_at=one.due_at,
            begins_at=campaign.next_run_at or one.occurred_at,
            late_hours=campaign.late_limit_hours,
            now=now,
        )
        if by_time is not None:
            found[one.pk] = by_time
        elif one.person_id not in members:
            found[one.pk] = TriggerRefusal.NOT_IN_SEGMENT
        elif one.person_id not in wanted:
            found[one.pk] = TriggerRefusal.EXCLUDED
        elif one.person_id in earlier:
            found[one.pk] = TriggerRefusal.IN_EARLIER_RUN
        elif reached.get(one.person_id, one.occurred_at) > one.occurred_at:
            found[one.pk] = TriggerRefusal.GOAL_REACHED
        elif one.person_id in seen:
            found[one.pk] = TriggerRefusal.SAME_PERSON
        else:
            seen.add(one.person_id)
    return found


def _in_earlier_runs(
    campaign: Campaign, trigger: Trigger, people: Collection[int], now: datetime
) -> set[int]:
    """Return whom the campaign's rule keeps from another message, also under a merged record."""
    if trigger.again is Again.EVERY_RUN:
        return set()
    records = past_messages.records_of(list(people))
    barred = earlier_runs.barring(campaign, trigger, date=now)
    found = barred.filter(customer_id__any_of=[*people, *records])
    return {records.get(pk, pk) for pk in found.values_list("customer_id", flat=True)}


def _goals(first: Dispatch, triggers: Sequence[DueTrigger]) -> Mapping[int, datetime]:
    """Return when people last reached the goal, of those who have since the oldest trigger.

    Sending asks the same from the freezing on; a delay lies before it.
    """
    if first.goal_since is None or not triggers:
        return {}
    people = {key for one in triggers for key in (one.person_id, one.customer_id)}
    person = Coalesce(F("customer__merged_into_id"), F("customer_id"))
    rows = (
        Event.objects.filter(
            type__name=first.goal_event,
            customer_id__any_of=list(people),
            occurred_at__gt=min(one.occurred_at for one in triggers),
        )
        .annotate(person_id=person)
        .order_by("occurred_at")
    )
    return dict(rows.values_list("person_id", "occurred_at"))
