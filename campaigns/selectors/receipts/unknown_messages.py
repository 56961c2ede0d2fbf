"""Messages of which it is not known whether they were sent: found by channel, campaign and day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate

from campaigns.domain.sending.states import MessageState
from campaigns.models import Campaign, Channel, Message
from campaigns.selectors.sending.ways import went_through
from loancrm.kernel import clock


@dataclass(frozen=True, slots=True)
class Filters:
    """Which of them somebody looks at; None leaves a filter open.

    Attributes:
        day: The company's day on which they were handed to the provider.
    """

    campaign: Campaign | None = None
    channel: Channel | None = None
    day: date | None = None


def found(filters: Filters) -> QuerySet[Message]:
    """Return the messages of unknown fate, the oldest first."""
    rows = Message.objects.filter(state=MessageState.UNKNOWN)
    if filters.campaign is not None:
        rows = rows.filter(dispatch__campaign=filters.campaign)
    if filters.channel is not None:
        rows = rows.filter(went_through(filters.channel))
    if filters.day is not None:
        start = datetime.combine(filters.day, time.min, tzinfo=clock.company_zone())
        end = datetime.combine(
            filters.day + timedelta(days=1), time.min, tzinfo=clock.company_zone()
        )
        rows = rows.filter(attempted_at__gte=start, attempted_at__lt=end)
    return rows.order_by("pk")


def count() -> int:
    """Return how many there are in all."""
    return found(Filters()).count()


def by_campaign(rows: QuerySet[Message]) -> Sequence[tuple[str, str, int]]:
    """Return (slug, name, how many) of each campaign that has some, by name."""
    return list(
        rows.filter(dispatch__campaign__isnull=False)
        .order_by("dispatch__campaign__name", "dispatch__campaign__pk")
        .values_list("dispatch__campaign__slug", "dispatch__campaign__name")
        .annotate(count=Count("pk"))
    )


def by_template(rows: QuerySet[Message]) -> Sequence[tuple[str, str, int]]:
    """Return (slug, name, how many) of each template whose messages a system asked for, by name."""
    template = "dispatch__request__template"
    return list(
        rows.filter(dispatch__request__isnull=False)
        .order_by(f"{template}__name", f"{template}__pk")
        .values_list(f"{template}__slug", f"{template}__name")
        .annotate(count=Count("pk"))
    )


def by_channel(rows: QuerySet[Message]) -> Sequence[tuple[str, str, int]]:
    """Return (slug, name, how many) of each channel that has some, by name."""
    return list(
        rows.order_by("dispatch__channel__name", "dispatch__channel__pk")
        .values_list("dispatch__channel__slug", "dispatch__channel__name")
        .annotate(count=Count("pk"))
    )


def by_day(rows: QuerySet[Message]) -> Sequence[tuple[date, int]]:
    """Return (the company's day, how many were handed over then), the newest first."""
    return list(
        rows.filter(attempted_at__isnull=False)
        .annotate(day=TruncDate("attempted_at", tzinfo=clock.company_zone()))
        .order_by("-day")
        .values_list("day")
        .annotate(count=Count("pk"))
    )
