"""The numbers of the first page: who can be reached, what is going on, what came of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.db.models.functions import TruncDate

from campaigns.domain.sending.states import MessageState
from campaigns.models import Campaign, Dispatch, Message
from campaigns.selectors.campaigns import last_messages
from customers.models import Customer, Event
from customers.selectors import reach
from loancrm.kernel import clock

DAYS = 30
GOALS = ("application_submitted", "loan_disbursed")


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts as of one moment; days are the company's.

    Attributes:
        until: End of the 30 days: now, or 30 days after the last launch where that is longer ago,
            so that a quiet company sees its last campaigns and not an empty page.
        reachable: Persons whom a channel reaches, as `customers.selectors.reach` says, by channel.
        reachable_count: Persons whom at least one channel reaches.
        joined_by_day: New customers of the last 30 days.
        sends_by_day: {channel kind: {day: messages handed over}} of the last 30 days.
        goals_by_day: {event name: {day: events}} of the last 30 days.
        skips: (reason, people whom no step served) of the last 30 days, largest first.
    """

    as_of: datetime
    until: datetime
    days: Sequence[date]
    customer_count: int
    new_customer_count: int
    joined_by_day: Mapping[date, int]
    reachable: Mapping[str, int]
    reachable_count: int
    sent_count: int
    goal_counts: Mapping[str, int]
    sends_by_day: Mapping[str, Mapping[date, int]]
    goals_by_day: Mapping[str, Mapping[date, int]]
    skips: Sequence[tuple[str, int]]


def load(*, now: datetime) -> Overview:
    """Return the overview of the last 30 days in which something could happen (10 queries)."""
    until = _until(now)
    last_day = until.astimezone(clock.company_zone()).date()
    days = [last_day - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    since = until - timedelta(days=DAYS)
    sends = _sends_by_day(since, until)
    goals = _goals_by_day(since, until)
    joined = _joined_by_day(since, until)
    return Overview(
        as_of=now,
        until=until,
        days=days,
        customer_count=Customer.objects.live().count(),
        new_customer_count=sum(joined.values()),
        joined_by_day=joined,
        reachable={
            channel.value: _persons(reach.reached_by([channel], now=now))
            for channel in reach.COUNTED
        },
        reachable_count=_persons(reach.reached_by(reach.COUNTED, now=now)),
        sent_count=sum(sum(found.values()) for found in sends.values()),
        goal_counts={name: sum(goals.get(name, {}).values()) for name in GOALS},
        sends_by_day=sends,
        goals_by_day=goals,
        skips=_skips(since, until),
    )


def reported_campaigns() -> Sequence[Campaign]:
    """Return the campaigns that have something to report, newest first."""
    reported = Campaign.objects.filter(Exists(Dispatch.objects.filter(campaign=OuterRef("pk"))))
    return list(reported.order_by("-launched_at", "-pk")[:200])


def _until(now: datetime) -> datetime:
    """Return now, or a day short of 30 days after the last launch if that is in the past."""
    last = Campaign.objects.filter(launched_at__lte=now).aggregate(last=Max("launched_at"))["last"]
    return now if last is None else min(now, last + timedelta(days=DAYS - 1))


def _persons(condition: Q) -> int:
    return Customer.objects.live().filter(condition).count()


def _sends_by_day(since: datetime, now: datetime) -> Mapping[str, Mapping[date, int]]:
    rows = (
        Message.objects.filter(sent_at__gt=since, sent_at__lte=now)
        .annotate(day=TruncDate("sent_at", tzinfo=clock.company_zone()))
        .values_list("dispatch__channel_kind", "day")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return _by_name(list(rows))


def _joined_by_day(since: datetime, until: datetime) -> Mapping[date, int]:
    rows = (
        Customer.objects.live()
        .filter(created_at__gt=since, created_at__lte=until)
        .annotate(day=TruncDate("created_at", tzinfo=clock.company_zone()))
        .values_list("day")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return dict(rows)


def _goals_by_day(since: datetime, now: datetime) -> Mapping[str, Mapping[date, int]]:
    rows = (
        Event.objects.filter(type__name__in=GOALS, occurred_at__gt=since, occurred_at__lte=now)
        .annotate(day=TruncDate("occurred_at", tzinfo=clock.company_zone()))
        .values_list("type__name", "day")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return _by_name(list(rows))


def _by_name(rows: Sequence[tuple[str, date, int]]) -> Mapping[str, Mapping[date, int]]:
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for name, day, count in rows:
        found[name][day] = count
    return found


def _skips(since: datetime, now: datetime) -> Sequence[tuple[str, int]]:
    rows = (
        Message.objects.filter(
            state=MessageState.SKIPPED,
            closed_at__gt=since,
            closed_at__lte=now,
        )
        .filter(~last_messages.is_served_later())
        .values_list("reason")
        .annotate(count=Count("pk"))
        .order_by("-count", "reason")
    )
    return list(rows)
