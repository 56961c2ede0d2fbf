"""What customers spent and received, added up by the database; people come one after another."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate, TruncMonth

from analytics.domain.spending import MONTHS, DailyIncome, Spent
from customers.domain.events.event import LOAN_PAYMENT, EventName
from customers.models import Customer, Event

SPENT = (EventName.PURCHASE_MADE, EventName.ACCOUNT_DEBITED)
RECEIVED = (EventName.ACCOUNT_CREDITED,)
_CHUNK = 5000
_LONGEST_MONTH = timedelta(days=31)


def spending_facts(
    *, until: date, zone: ZoneInfo
) -> Iterator[tuple[int, list[Spent], list[DailyIncome]]]:
    """Yield (customer, spent, received) of everybody who spent, in the order of their keys.

    Two queries. Instalments of loans are no spending. People who switched personal recommendations
    off are left out.

    Args:
        until: The month of this day is not read.
        zone: Zone in which days and months begin.
    """
    end = datetime(until.year, until.month, 1, tzinfo=zone)
    start = end - MONTHS * _LONGEST_MONTH
    spent = (
        _events(SPENT, start, end)
        .exclude(subject=LOAN_PAYMENT)
        .annotate(month=TruncMonth("occurred_at", tzinfo=zone))
        .values_list("customer_id", "month", "subject")
        .annotate(total=Sum("amount"))
        .order_by("customer_id", "month", "subject")
    )
    received = (
        _events(RECEIVED, start, end)
        .annotate(day=TruncDate("occurred_at", tzinfo=zone))
        .values_list("customer_id", "day")
        .annotate(total=Sum("amount"))
        .order_by("customer_id", "day")
    )
    credits_ = _by_customer(received)
    held: tuple[int, list[Any]] | None = next(credits_, None)
    for key, rows in _by_customer(spent):
        while held is not None and held[0] < key:
            held = next(credits_, None)
        own = held[1] if held is not None and held[0] == key else []
        yield (
            key,
            [Spent(month.date(), subject, float(total)) for _key, month, subject, total in rows],
            [DailyIncome(day, float(total)) for _key, day, total in own],
        )


def _events(names: tuple[EventName, ...], start: datetime, end: datetime) -> QuerySet[Event]:
    return Event.objects.filter(
        type__name__in=names,
        occurred_at__gte=start,
        occurred_at__lt=end,
        amount__isnull=False,
        customer__in=Customer.objects.live().filter(personalisation_allowed=True),
    )


def _by_customer(rows: QuerySet[Any, Any]) -> Iterator[tuple[int, list[Any]]]:
    found = groupby(rows.iterator(chunk_size=_CHUNK), key=itemgetter(0))
    return ((key, list(group)) for key, group in found)
