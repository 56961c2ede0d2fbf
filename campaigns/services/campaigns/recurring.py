"""Runs of a campaign by its calendar: when, once each, and whom again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from campaigns.domain.campaigns import recurrence as calendars
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.given.recurrence_reading import of_stored
from campaigns.domain.campaigns.recurrence import Again, Recurrence
from campaigns.domain.sending.states import HANDED_OVER_STATES, MessageState
from campaigns.models import Campaign, Dispatch, Message
from campaigns.selectors.campaigns.work_calendar import CompanyCalendar
from campaigns.services.campaigns import approval, plans
from campaigns.services.campaigns.steps_freezing import CampaignNotReady, freeze_first_step
from customers.models import Customer
from customers.services.segments import versions
from loancrm.kernel import clock

# What counts as having been in an earlier run: it went out, or still may.
_WAS_IN_IT = (*HANDED_OVER_STATES, MessageState.PLANNED, MessageState.SENDING)


def first_due(campaign: Campaign, now: datetime) -> datetime:
    """Return when the first run is due: at the start, or by the calendar from then on.

    Raises:
        CampaignNotReady: The calendar is over before the first run.
    """
    calendar, start = of_stored(campaign.recurrence), campaign.start_at or now
    if calendar is None:
        return start
    found = calendars.first_run(
        calendar, start=start, zone=clock.company_zone(), calendar=CompanyCalendar()
    )
    if found is None:
        raise CampaignNotReady(
            _("The calendar of the campaign ends before its first run."), campaign=campaign.slug
        )
    return found


def due_after(campaign: Campaign, due_at: datetime) -> datetime | None:
    """Return when the run after one is due; None when there is none."""
    calendar = of_stored(campaign.recurrence)
    if calendar is None:
        return None
    return _next(campaign, calendar, last=due_at, now=due_at).next_at


def due(now: datetime) -> Sequence[Campaign]:
    """Return the campaigns that are to run again now, in one query."""
    rows = Campaign.objects.filter(status=CampaignStatus.RUNNING, next_run_at__lte=now)
    return list(rows.order_by("next_run_at", "pk"))


def start_run(*, campaign: Campaign, now: datetime) -> Dispatch | None:
    """Freeze the next run of a campaign when it is due, once, whoever else looks at the same time.

    Who is in it is asked anew, by the rule that was approved; whoever was in an earlier run is in
    this one by the campaign's own rule.

    Returns:
        The run's first dispatch; None when it is not due any more, or too late by the calendar.

    Raises:
        CampaignNotReady: What was approved has changed since.
    """
    with transaction.atomic():
        # Two schedulers meet here: the second finds the next run in the future.
        locked = (
            Campaign.objects.select_for_update(of=("self",))
            .select_related("graph")
            .get(pk=campaign.pk)
        )
        calendar = of_stored(locked.recurrence)
        is_due = locked.next_run_at is not None and locked.next_run_at <= now
        if calendar is None or not is_due or locked.status != CampaignStatus.RUNNING:
            return None
        runs = Dispatch.objects.filter(campaign=locked, position=1).order_by("run_number")
        first, last = runs.first(), runs.last()
        if first is None or last is None:
            return None
        found = _next(locked, calendar, last=last.due_at, now=now)
        Campaign.objects.filter(pk=locked.pk).update(next_run_at=found.next_at)
        if found.due_at is None:
            return None
        return _freeze_run(locked, calendar, first, last, found.due_at, now)


def _freeze_run(
    campaign: Campaign,
    calendar: Recurrence,
    first: Dispatch,
    last: Dispatch,
    due_at: datetime,
    now: datetime,
) -> Dispatch:
    if not approval.is_approved(campaign):
        raise CampaignNotReady(
            _("The campaign was changed after its approval; have it approved again."),
            campaign=campaign.slug,
        )
    step = campaign.steps.select_related("touchpoint__channel").get(position=1)
    plan = plans.plan_run(campaign=campaign, step=step, first=first, due_at=due_at)
    plan.run_number = last.run_number + 1
    rule = first.segment_version.rule if first.segment_version else {}
    people = versions.audience_queryset(rule, now=now)
    return freeze_first_step(
        plan=plan, campaign=campaign, audience=_not_again(people, campaign, calendar, now), now=now
    )


def _not_again(
    people: QuerySet[Customer], campaign: Campaign, calendar: Recurrence, now: datetime
) -> QuerySet[Customer]:
    """Leave out whom the campaign's rule keeps from another message, also under a merged record."""
    if calendar.again is Again.EVERY_RUN:
        return people
    before = Message.objects.filter(
        Q(customer=OuterRef("pk")) | Q(customer__merged_into=OuterRef("pk")),
        dispatch__campaign=campaign,
        dispatch__position=1,
        state__in=_WAS_IN_IT,
    )
    if calendar.again is Again.NOT_WITHIN_DAYS:
        since = now - timedelta(days=calendar.again_after_days)
        before = before.filter(Q(attempted_at__gt=since) | Q(attempted_at__isnull=True))
    return people.exclude(Exists(before))


def _start_of(campaign: Campaign) -> datetime:
    """Return the moment that gives the calendar its time of day and its day."""
    start = campaign.start_at or campaign.launched_at
    if start is None:
        raise CampaignNotReady(_("The campaign is not launched."), campaign=campaign.slug)
    return start


def _next(
    campaign: Campaign, calendar: Recurrence, *, last: datetime, now: datetime
) -> calendars.NextRun:
    return calendars.next_run(
        calendar,
        start=_start_of(campaign),
        last=last,
        now=now,
        late_limit_hours=campaign.late_limit_hours,
        zone=clock.company_zone(),
        calendar=CompanyCalendar(),
    )
