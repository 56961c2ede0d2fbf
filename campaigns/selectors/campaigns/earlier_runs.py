"""Who was in earlier runs of a campaign, and is not in the next one by the campaign's own rule."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from campaigns.domain.campaigns.given import trigger_reading
from campaigns.domain.campaigns.given.recurrence_reading import of_stored
from campaigns.domain.campaigns.recurrence import Again, Recurrence
from campaigns.domain.campaigns.trigger import Trigger
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import MessageState
from campaigns.models import Campaign, Dispatch, Message, Step
from campaigns.selectors.sending import past_messages
from customers.models import Customer
from loancrm.kernel.database import shared_clock

# What counts as having been in an earlier run: a message that may have reached somebody or still
# may, and the control group, whose part of the experiment it is to get none.
_WAS_IN_IT = (*past_messages.COUNTED_STATES, MessageState.PLANNED, MessageState.HELD_OUT)


def barring(
    campaign: Campaign, calendar: Recurrence | Trigger, *, date: datetime
) -> QuerySet[Message]:
    """Return the messages whose people are not in the run of a date, in no order.

    By the runs' dates: how fast a run was sent decides about nobody.
    """
    # Who was held out of all marketing is in no group of this campaign, and may be in the next run.
    before = Message.objects.filter(dispatch__campaign=campaign, state__in=_WAS_IN_IT).exclude(
        reason=SkipReason.GLOBAL_CONTROL
    )
    match calendar.again:
        case Again.EVERY_RUN:
            return before.none()
        case Again.NOT_WITHIN_DAYS:
            since = date - timedelta(days=calendar.again_after_days)
            return before.filter(dispatch__due_at__gt=since)
        case Again.NEVER_TWICE:
            return before


def excluded(campaign: Campaign, customer_ids: Sequence[int]) -> set[int]:
    """Return who of these people had their message and is not in the campaign's next run.

    By the messages of merged records too; who still waits for one of this run is not among them.
    """
    calendar = of_stored(campaign.recurrence) or trigger_reading.of_stored(campaign.trigger)
    if calendar is None or campaign.next_run_at is None:
        return set()
    records = past_messages.records_of(customer_ids)
    date = campaign.next_run_at if campaign.trigger is None else shared_clock.now()
    barred = barring(campaign, calendar, date=date)
    rows = barred.exclude(state=MessageState.PLANNED)
    found = rows.filter(customer_id__any_of=[*customer_ids, *records])
    return {records.get(pk, pk) for pk in found.values_list("customer_id", flat=True)}


def is_on_the_way(campaign: Campaign, step: Step, customer: Customer) -> bool:
    """Return whether a person is in the newest run, which has not come to a step of it yet."""
    newest = _newest(campaign)
    if newest is None or newest.position >= step.position:
        return False
    mine = Message.objects.filter(dispatch__campaign=campaign, customer=customer)
    return mine.filter(dispatch__run_number=newest.run_number).exists()


def is_held_out(campaign: Campaign, customer: Customer) -> bool:
    """Return whether a person, or a record of hers, is in the control group of the newest run."""
    newest = _newest(campaign)
    if newest is None:
        return False
    mine = Message.objects.filter(
        dispatch__campaign=campaign,
        dispatch__run_number=newest.run_number,
        customer_id__any_of=[customer.pk, *past_messages.records_of([customer.pk])],
    )
    return mine.filter(state=MessageState.HELD_OUT, reason=SkipReason.HOLDOUT).exists()


def _newest(campaign: Campaign) -> Dispatch | None:
    dispatches = Dispatch.objects.filter(campaign=campaign)
    return dispatches.order_by("-run_number", "-position").first()
