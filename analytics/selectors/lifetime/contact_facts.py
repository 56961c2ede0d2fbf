"""When customers are there and what they respond to, counted by the database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import ExtractHour

from campaigns.domain.sending.schedule import zone_of
from customers.domain.events.event import EventName
from customers.models import Customer, Event

HABIT_DAYS = 365
# What shows that a person is there; what others do to them does not.
PRESENT = (EventName.LINK_CLICKED, EventName.APP_LOGIN, EventName.PAGE_VIEWED)
_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class HourCount:
    """How often a customer was there in one hour of the day, in their own time zone."""

    customer_id: int
    group: str
    hour: int
    count: int


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """Messages to a customer on one kind of channel, and clicks in them."""

    customer_id: int
    group: str
    channel: str
    messages: int
    responses: int


def hour_counts(*, now: datetime, company_zone: ZoneInfo) -> Iterator[HourCount]:
    """Yield the hours of everybody who was there in the last year, in no order of people.

    One query, and one more for every time zone that customers live in. A zone that there is not
    counts as the company's. People who switched personal recommendations off are left out.
    """
    names = _people().order_by().values_list("time_zone", flat=True).distinct()
    zones: dict[str, list[str]] = {}
    for name in names:
        zones.setdefault((zone_of(name) or company_zone).key, []).append(name)
    for key, own in sorted(zones.items()):
        rows = (
            _events(now)
            .filter(type__name__in=PRESENT, customer__time_zone__in=own)
            .annotate(hour=ExtractHour("occurred_at", tzinfo=ZoneInfo(key)))
            .values_list("customer_id", "customer__lifecycle_stage", "hour")
            .annotate(found=Count("pk"))
            .order_by("customer_id", "hour")
        )
        for customer_id, group, hour, count in rows.iterator(chunk_size=_CHUNK):
            yield HourCount(customer_id, group, hour, count)


def channel_counts(*, now: datetime) -> Iterator[ChannelCount]:
    """Yield what everybody who was written to in the last year clicked, by channel (1 query).

    Several links of one campaign are one response. People who switched personal recommendations off
    are left out.
    """
    rows = (
        _events(now)
        .filter(type__name__in=(EventName.MESSAGE_SENT, EventName.LINK_CLICKED))
        .exclude(channel="")
        .values_list("customer_id", "customer__lifecycle_stage", "channel")
        .annotate(
            messages=Count("pk", filter=Q(type__name=EventName.MESSAGE_SENT)),
            responses=Count("subject", filter=Q(type__name=EventName.LINK_CLICKED), distinct=True),
        )
        .order_by("customer_id", "channel")
    )
    for row in rows.iterator(chunk_size=_CHUNK):
        yield ChannelCount(*row)


def _people() -> QuerySet[Customer]:
    return Customer.objects.live().filter(personalisation_allowed=True)


def _events(now: datetime) -> QuerySet[Event]:
    return Event.objects.filter(
        customer__in=_people(),
        occurred_at__gte=now - timedelta(days=HABIT_DAYS),
        occurred_at__lte=now,
    )
