"""Which campaigns wait for triggers, which events are theirs, and what waits of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.given.trigger_reading import of_stored
from campaigns.domain.campaigns.trigger import Trigger, TriggerKind, TriggerState
from campaigns.models import Campaign, CampaignTrigger
from campaigns.selectors.campaigns import ends
from customers.models import Event

_LIVE = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)
_PAGE = 1_000
_OVER = (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Listening:
    """A campaign that waits for events.

    Attributes:
        begins_at: Since when; what happened before is noted and begins nothing.
    """

    campaign_id: int
    trigger: Trigger
    begins_at: datetime
    late_limit_hours: int


@dataclass(frozen=True, slots=True)
class TriggerCounts:
    """What became of the triggers of a campaign: `received` of all, and each refusal's count."""

    received: int
    waiting: int
    enrolled: int
    refused: Mapping[str, int]


def to_events() -> Sequence[Listening]:
    """Return the campaigns that wait for events, those that are paused too, in one query."""
    rows = Campaign.objects.filter(
        ends.not_over(),
        status__in=_LIVE,
        trigger__isnull=False,
        next_run_at__isnull=False,
    ).order_by("pk")
    found = []
    for pk, value, begins_at, hours in rows.values_list(
        "pk", "trigger", "next_run_at", "late_limit_hours"
    ):
        trigger = of_stored(value)
        if trigger is not None and begins_at is not None and trigger.kind is TriggerKind.EVENT:
            found.append(Listening(pk, trigger, begins_at, hours))
    return found


def new_events(
    listening: Listening, *, customer_ids: Sequence[int] | None, now: datetime
) -> Iterator[Sequence[tuple[int, int, datetime]]]:
    """Yield, page by page, key, person and moment of events that are no triggers of a campaign yet.

    Args:
        customer_ids: Whom to look at; None for everybody, then as far back as a message may still
            begin.
    """
    trigger = listening.trigger
    known = CampaignTrigger.objects.filter(
        campaign_id=listening.campaign_id, event_id=OuterRef("pk")
    )
    rows = Event.objects.filter(
        ~Exists(known),
        type__name=trigger.event,
        received_at__gte=listening.begins_at,
        occurred_at__lte=now,
    )
    if customer_ids is None:
        reach = timedelta(minutes=trigger.delay_minutes, hours=listening.late_limit_hours)
        rows = rows.filter(occurred_at__gte=max(listening.begins_at, now - reach))
    else:
        rows = rows.filter(customer_id__in=customer_ids)
    for name in ("channel", "subject"):
        if wanted := getattr(trigger, name):
            rows = rows.filter(**{name: wanted})
    if trigger.amount_at_least is not None:
        rows = rows.filter(amount__gte=trigger.amount_at_least)
    if trigger.amount_at_most is not None:
        rows = rows.filter(amount__lte=trigger.amount_at_most)
    rows = rows.order_by("pk")
    last = 0
    while page := list(
        rows.filter(pk__gt=last).values_list("pk", "customer_id", "occurred_at")[:_PAGE]
    ):
        last = page[-1][0]
        yield page


def with_due_triggers(now: datetime) -> Sequence[Campaign]:
    """Return the running campaigns that have triggers to follow now, in one query."""
    due = waiting().filter(campaign=OuterRef("pk"), due_at__lte=now)
    rows = Campaign.objects.filter(
        Exists(due),
        ends.not_over(),
        status=CampaignStatus.RUNNING,
        trigger__isnull=False,
        next_run_at__lte=now,
        run_hold_reason="",
    )
    return list(rows.order_by("pk"))


def waiting() -> QuerySet[CampaignTrigger]:
    """Return what waits, of all campaigns."""
    return CampaignTrigger.objects.filter(state=TriggerState.WAITING)


def orphaned() -> QuerySet[CampaignTrigger]:
    """Return what waits for campaigns that are over."""
    return waiting().filter(Q(campaign__status__in=_OVER) | ends.over("campaign__"))


def counts_of(campaign: Campaign) -> TriggerCounts | None:
    """Return what became of a campaign's triggers, in one query; None where it has none to get."""
    if campaign.trigger is None:
        return None
    rows = CampaignTrigger.objects.filter(campaign=campaign).order_by()
    found = list(rows.values_list("state", "reason").annotate(count=Count("pk")))
    by_state = {
        state: sum(count for of, _reason, count in found if of == state) for state in TriggerState
    }
    return TriggerCounts(
        received=sum(by_state.values()),
        waiting=by_state[TriggerState.WAITING],
        enrolled=by_state[TriggerState.ENROLLED],
        refused={
            reason: count
            for state, reason, count in sorted(found, key=lambda row: -row[2])
            if state == TriggerState.REFUSED
        },
    )
