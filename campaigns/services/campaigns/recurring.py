"""Runs of a campaign by its calendar: when, once each, and whom again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from campaigns.domain.campaigns import recurrence as calendars
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.given.recurrence_reading import of_stored
from campaigns.domain.campaigns.recurrence import Again, Recurrence
from campaigns.domain.content.approval import ApprovedPart
from campaigns.domain.sending import schedule
from campaigns.domain.sending.states import DispatchStatus, MessageState
from campaigns.models import Campaign, Dispatch, Message
from campaigns.selectors.campaigns import approved_state
from campaigns.selectors.campaigns.work_calendar import CompanyCalendar
from campaigns.selectors.sending.past_messages import COUNTED_STATES
from campaigns.services.campaigns import approval, plans
from campaigns.services.campaigns.steps_freezing import CampaignNotReady, freeze_first_step
from customers.models import Customer
from customers.services.segments import versions
from loancrm.kernel import clock

# What counts as having been in an earlier run: a message that may have reached somebody or still
# may, and the control group, whose part of the experiment it is to get none.
_WAS_IN_IT = (*COUNTED_STATES, MessageState.PLANNED, MessageState.HELD_OUT)
HOLD_REASON = "run_fails"
_CHANGED = f"changed_{ApprovedPart.AUDIENCE}"


def first_due(campaign: Campaign, now: datetime) -> datetime:
    """Return when the first run is due: at the start, or by the calendar from then on.

    Raises:
        CampaignNotReady: The calendar is over before the first run.
    """
    calendar = of_stored(campaign.recurrence)
    if calendar is None:
        return campaign.start_at or now
    limit = timedelta(hours=campaign.late_limit_hours)
    dates = calendars.occurrences(
        calendar,
        start=campaign.start_at or now,
        zone=clock.company_zone(),
        calendar=CompanyCalendar(),
    )
    # Dates that had passed before anybody launched it are nobody's.
    found = next((date for date in dates if date + limit >= now), None)
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
    rows = Campaign.objects.filter(
        status=CampaignStatus.RUNNING, next_run_at__lte=now, run_hold_reason=""
    )
    return list(rows.order_by("next_run_at", "pk"))


def hold_runs(*, campaigns: QuerySet[Campaign], reason: str = HOLD_REASON) -> int:
    """Let no further run of these begin until a person releases them; return how many."""
    waiting = campaigns.filter(next_run_at__isnull=False, run_hold_reason="")
    return waiting.update(run_hold_reason=reason)


def release_runs(*, campaign: Campaign) -> int:
    """Let runs begin again; return whether they were held."""
    held = Campaign.objects.filter(pk=campaign.pk).exclude(run_hold_reason="")
    return held.update(run_hold_reason="")


def start_run(*, campaign: Campaign, now: datetime) -> Dispatch | None:
    """Freeze the next run of a campaign when it is due, once, whoever else looks at the same time.

    A run begins when the one before is over, its fallbacks too: nobody is in two at a time. Who is
    in it is asked anew, by the rule that was approved; whoever was in an earlier run is in this one
    by the campaign's own rule.

    Returns:
        The run's first dispatch; None when it is not due any more, must wait, is too late by the
        calendar, or is held because a rule behind the approved one has changed.
    """
    with transaction.atomic():
        # Two schedulers meet here: the second finds the next run in the future.
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        calendar = of_stored(locked.recurrence)
        runs = Dispatch.objects.filter(campaign=locked, position=1).order_by("run_number")
        first, newest = runs.first(), runs.last()
        if calendar is None or first is None or newest is None or not _may_run(locked, newest, now):
            return None
        last = locked.last_run_at or first.due_at
        found = _next(locked, calendar, last=last, now=now)
        locked.next_run_at = found.next_at
        locked.last_run_at = found.due_at or last
        locked.save(update_fields=["next_run_at", "last_run_at"])
        if found.due_at is None:
            return None
        started = _freeze_run(locked, calendar, first, newest, found.due_at, now)
        if _is_as_approved(locked, first):
            return started
        # After everything was read, as at the launch: nobody may be chosen by a rule that changed.
        transaction.set_rollback(True)
    hold_runs(campaigns=Campaign.objects.filter(pk=campaign.pk), reason=_CHANGED)
    return None


def _may_run(campaign: Campaign, newest: Dispatch, now: datetime) -> bool:
    """Return whether a run is due and the one before is over, with every step that follows."""
    is_due = campaign.next_run_at is not None and campaign.next_run_at <= now
    if not is_due or campaign.status != CampaignStatus.RUNNING or campaign.run_hold_reason:
        return False
    over = [DispatchStatus.COMPLETED, DispatchStatus.CANCELLED]
    of_run = Dispatch.objects.filter(campaign=campaign, run_number=newest.run_number)
    is_open = Dispatch.objects.filter(campaign=campaign).exclude(status__in=over).exists()
    return not is_open and of_run.count() >= campaign.steps.count()


def _freeze_run(
    campaign: Campaign,
    calendar: Recurrence,
    first: Dispatch,
    newest: Dispatch,
    date: datetime,
    now: datetime,
) -> Dispatch:
    step = campaign.steps.select_related("touchpoint__channel").get(position=1)
    # The calendar has decided that it takes place; it is not late a second time.
    is_late = schedule.is_too_late(due_at=date, now=now, late_limit_hours=campaign.late_limit_hours)
    plan = plans.plan_run(
        campaign=campaign, step=step, first=first, due_at=now if is_late else date
    )
    plan.run_number = newest.run_number + 1
    rule = first.segment_version.rule if first.segment_version else {}
    people = versions.audience_queryset(rule, now=now)
    return freeze_first_step(
        plan=plan,
        campaign=campaign,
        audience=_not_again(people, campaign, calendar, date),
        now=now,
    )


def _is_as_approved(campaign: Campaign, first: Dispatch) -> bool:
    """Return whether the rules behind the approved one still are what was approved.

    The rule itself, price and terms were frozen at the launch; texts, constants and channels are
    compared by the worker.
    """
    approved = approval.approved_parts(campaign).get(ApprovedPart.AUDIENCE)
    return approved == approved_state.audience_digest(campaign, first.segment_version)


def _not_again(
    people: QuerySet[Customer], campaign: Campaign, calendar: Recurrence, date: datetime
) -> QuerySet[Customer]:
    """Leave out whom the campaign's rule keeps from another message, also under a merged record."""
    if calendar.again is Again.EVERY_RUN:
        return people
    before = Message.objects.filter(dispatch__campaign=campaign, state__in=_WAS_IN_IT)
    if calendar.again is Again.NOT_WITHIN_DAYS:
        # By the runs' dates: how fast a run was sent decides about nobody.
        since = date - timedelta(days=calendar.again_after_days)
        before = before.filter(dispatch__due_at__gt=since)
    # Two conditions and no OR: each becomes one anti join.
    return people.exclude(Exists(before.filter(customer=OuterRef("pk")))).exclude(
        Exists(before.filter(customer__merged_into=OuterRef("pk")))
    )


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
