"""Runs of a campaign by its calendar: when, once each, and whom again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from campaigns.domain.campaigns import recurrence as calendars
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.given.recurrence_reading import of_stored
from campaigns.domain.campaigns.recurrence import Again, Recurrence
from campaigns.domain.content.approval import ApprovedPart
from campaigns.domain.sending import schedule
from campaigns.domain.sending.states import DispatchStatus, HoldReason
from campaigns.models import Campaign, Dispatch
from campaigns.selectors.campaigns import approved_state, earlier_runs, ends
from campaigns.selectors.campaigns.used_scores import used_scores
from campaigns.selectors.campaigns.work_calendar import CompanyCalendar
from campaigns.services.campaigns import approval, fairness, plans
from campaigns.services.campaigns.audience import choosing
from campaigns.services.campaigns.steps_freezing import CampaignNotReady, freeze_first_step
from customers.models import Customer, SegmentVersion
from loancrm.kernel import clock


def first_due(campaign: Campaign, now: datetime) -> datetime:
    """Return when the first run is due: at the start, or by the calendar from then on.

    Raises:
        CampaignNotReady: The calendar is over before the first run.
    """
    if campaign.trigger is not None:
        # It listens from its launch on at the earliest: what happened before began nothing.
        return max(campaign.start_at or now, now)
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
    if found is None or (campaign.end_at is not None and found >= campaign.end_at):
        raise CampaignNotReady(
            _("The calendar of the campaign ends before its first run."), campaign=campaign.slug
        )
    return found


def coming_runs(campaign: Campaign, *, after: datetime, count: int = 3) -> list[datetime]:
    """Return when the next runs after one are due, at most so many; none without a calendar."""
    calendar = of_stored(campaign.recurrence)
    if calendar is None:
        return []
    dates = calendars.occurrences(
        calendar,
        start=campaign.start_at or after,
        zone=clock.company_zone(),
        calendar=CompanyCalendar(),
    )
    end = campaign.end_at
    coming = takewhile(lambda date: end is None or date < end, dates)
    return list(islice((date for date in coming if date > after), count))


def due_after(campaign: Campaign, due_at: datetime) -> datetime | None:
    """Return when the run after one is due; None when there is none."""
    calendar = of_stored(campaign.recurrence)
    if calendar is None:
        return None
    return _next(campaign, calendar, last=due_at, now=due_at).next_at


def write_next_run(*, campaign: Campaign) -> None:
    """Work out anew when a campaign runs next, after its end was changed; in a transaction."""
    if campaign.recurrence is not None and campaign.last_run_at is not None:
        campaign.next_run_at = due_after(campaign, campaign.last_run_at)
        campaign.save(update_fields=["next_run_at"])


def due(now: datetime) -> Sequence[Campaign]:
    """Return the campaigns that are to run again now, in one query."""
    rows = Campaign.objects.filter(
        ends.not_over(), status=CampaignStatus.RUNNING, next_run_at__lte=now, run_hold_reason=""
    ).filter(trigger__isnull=True)
    return list(rows.order_by("next_run_at", "pk"))


def hold_runs(*, campaigns: QuerySet[Campaign], reason: HoldReason = HoldReason.RUN_FAILS) -> int:
    """Let no further run of these begin until a person releases them; return how many."""
    waiting = campaigns.filter(next_run_at__isnull=False, run_hold_reason="")
    return waiting.update(run_hold_reason=reason)


def release_runs(*, campaign: Campaign) -> int:
    """Let runs begin again; return whether they were held."""
    held = Campaign.objects.filter(pk=campaign.pk).exclude(run_hold_reason="")
    return held.update(
        run_hold_reason="",
        is_run_hold_told=False,
        run_hold_mail_failures=0,
        run_hold_mail_after=None,
    )


def start_run(*, campaign: Campaign, now: datetime) -> Dispatch | None:
    """Freeze the next run of a campaign when it is due, once, whoever else looks at the same time.

    A run begins when the one before is over, its fallbacks too: nobody is in two at a time. Who is
    in it is asked anew, by the rule that was approved; whoever was in an earlier run is in this one
    by the campaign's own rule.

    Returns:
        The run's first dispatch; None when it is not due any more, must wait, is too late by the
        calendar, or is held because a rule behind the approved one has changed, a model chooses
        some people too rarely or a score may not choose people now.
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
        reason = reason_to_hold(locked, first=first, now=now)
        if reason is None:
            return started
        # After everything was read, as at the launch: nobody may be chosen by a rule that changed.
        transaction.set_rollback(True)
    hold_runs(campaigns=Campaign.objects.filter(pk=campaign.pk), reason=reason)
    return None


def reason_to_hold(campaign: Campaign, *, first: Dispatch, now: datetime) -> HoldReason | None:
    """Return why a further run of a campaign may not begin; None when it may.

    Args:
        first: The dispatch of the first run.
    """
    if not is_as_approved(campaign, first):
        return HoldReason.CHANGED_AUDIENCE
    measured = fairness.measure(campaign, now=now)
    if _has_faulty_scores(first, now):
        return HoldReason.SCORE_NOT_USABLE
    is_fair = measured is None or not fairness.not_agreed(campaign, measured)
    return None if is_fair else HoldReason.UNFAIR_AUDIENCE


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
        campaign=campaign, step=step, first=first, due_at=now if is_late else date, now=now
    )
    plan.run_number = newest.run_number + 1
    audience = choosing.audience_of(campaign, version=first.segment_version, now=now)
    audience.note_on(plan)
    return freeze_first_step(
        plan=plan,
        campaign=campaign,
        audience=_not_again(audience.people, campaign, calendar, date),
        now=now,
    )


def _has_faulty_scores(first: Dispatch, now: datetime) -> bool:
    left_out = SegmentVersion.objects.filter(pk__in=first.excluded_versions or [])
    rules = [row.rule for row in (first.segment_version, *left_out) if row is not None]
    return any(use.fault for rule in rules for use in used_scores(rule, now=now))


def is_as_approved(campaign: Campaign, first: Dispatch) -> bool:
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
    before = earlier_runs.barring(campaign, calendar, date=date)
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
    found = calendars.next_run(
        calendar,
        start=_start_of(campaign),
        last=last,
        now=now,
        late_limit_hours=campaign.late_limit_hours,
        zone=clock.company_zone(),
        calendar=CompanyCalendar(),
    )
    if campaign.end_at is None:
        return found
    # What would begin after the end does not begin.
    return calendars.NextRun(
        *(
            at if at is not None and at < campaign.end_at else None
            for at in (found.due_at, found.next_at)
        )
    )
