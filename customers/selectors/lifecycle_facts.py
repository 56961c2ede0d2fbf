"""The facts of many customers from which their lifecycle stages follow."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models.functions import Coalesce

from customers.domain.events.event import EventName
from customers.domain.events.lifecycle_history import LoanSpan, StageFacts
from customers.models import Event, Loan

STAGE_EVENTS = (
    EventName.APPLICATION_SUBMITTED,
    EventName.APPLICATION_APPROVED,
    EventName.APPLICATION_DECLINED,
    EventName.LOAN_DISBURSED,
    EventName.LOAN_SETTLED,
)


def load_facts(
    *, known_from: Mapping[int, datetime], as_of: datetime, zone: ZoneInfo
) -> dict[int, StageFacts]:
    """Return the facts of each customer up to `as_of`, in two queries.

    Args:
        known_from: {customer id: when first known}, at most some thousands.
        as_of: Later events and loans are left out.
        zone: Zone in which the dates of loans are read.
    """
    occurred: dict[int, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    seen = Event.objects.filter(
        customer_id__in=known_from, type__name__in=STAGE_EVENTS, occurred_at__lte=as_of
    ).values_list("customer_id", "type__name", "occurred_at")
    for customer_id, name, at in seen:
        occurred[customer_id][name].append(at)
    spans: dict[int, list[LoanSpan]] = defaultdict(list)
    loans = (
        Loan.objects.filter(
            customer_id__in=known_from, disbursed_on__lte=as_of.astimezone(zone).date()
        )
        .annotate(end_on=Coalesce("settled_on", "closed_on"))
        .values_list("customer_id", "disbursed_on", "end_on")
    )
    for customer_id, drawn_on, end_on in loans:
        ended_at = _start_of(end_on, zone) if end_on else None
        spans[customer_id].append(LoanSpan(_start_of(drawn_on, zone), ended_at))
    return {
        customer_id: StageFacts(
            known_from=since,
            occurred=occurred.get(customer_id, {}),
            loans=spans.get(customer_id, ()),
        )
        for customer_id, since in known_from.items()
    }


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
