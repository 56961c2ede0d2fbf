"""The facts of many customers from which their lifecycle stages follow."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Coalesce

from customers.domain.events import EventName
from customers.domain.lifecycle import LifecycleFacts, Occurrences
from customers.models import Event, Loan

STAGE_EVENTS = (
    EventName.APPLICATION_SUBMITTED,
    EventName.APPLICATION_APPROVED,
    EventName.APPLICATION_DECLINED,
    EventName.LOAN_DISBURSED,
    EventName.LOAN_SETTLED,
)


def load_facts(
    *, customer_ids: Collection[int], as_of: datetime, zone: ZoneInfo
) -> dict[int, LifecycleFacts]:
    """Return the facts of each customer up to `as_of`, in two queries.

    Args:
        customer_ids: At most some thousands.
        as_of: Later events and loans are left out.
        zone: Zone in which the dates of loans are read.
    """
    occurrences: dict[int, dict[str, Occurrences]] = defaultdict(dict)
    seen = (
        Event.objects.filter(
            customer_id__in=customer_ids, type__name__in=STAGE_EVENTS, occurred_at__lte=as_of
        )
        .values_list("customer_id", "type__name")
        .annotate(n=Count("pk"), first=Min("occurred_at"), last=Max("occurred_at"))
        .order_by()
    )
    for customer_id, name, count, first, last in seen:
        occurrences[customer_id][name] = Occurrences(count, first, last)
    today = as_of.astimezone(zone).date()
    loans = (
        Loan.objects.filter(customer_id__in=customer_ids, disbursed_on__lte=today)
        .annotate(end_on=Coalesce("settled_on", "closed_on"))
        .values_list("customer_id")
        .annotate(
            n=Count("pk"),
            open=Count("pk", filter=Q(end_on__isnull=True) | Q(end_on__gt=today)),
            drawn=Max("disbursed_on"),
            settled=Max("end_on", filter=Q(end_on__lte=today)),
        )
        .order_by()
    )
    borrowed = {row[0]: row[1:] for row in loans}
    return {
        customer_id: _facts(
            occurrences.get(customer_id, {}), borrowed.get(customer_id, (0, 0, None, None)), zone
        )
        for customer_id in customer_ids
    }


def _facts(
    occurrences: dict[str, Occurrences],
    borrowed: tuple[int, int, date | None, date | None],
    zone: ZoneInfo,
) -> LifecycleFacts:
    count, open_count, drawn, settled = borrowed
    return LifecycleFacts(
        occurrences=occurrences,
        disbursed_loan_count=count,
        open_loan_count=open_count,
        last_disbursed_at=_start_of(drawn, zone),
        last_settled_at=_start_of(settled, zone),
    )


def _start_of(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time(), tzinfo=zone) if day else None
