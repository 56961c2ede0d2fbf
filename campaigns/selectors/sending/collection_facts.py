"""What collection needs to know: how often people were tried today, and whose address it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from django.db.models import Max

from campaigns.domain.compliance.collection import unanswered_tries
from campaigns.domain.sending.eligibility import MessagePlan
from campaigns.domain.sending.service_messages import ServiceKind
from campaigns.models import Dispatch, Message, UnclearReply
from campaigns.selectors.sending import past_messages
from customers.domain.consents.consent import contact_kind_of
from customers.models import ContactPoint

# The longest day of a zone whose clocks are put back.
_LONGEST_DAY = timedelta(hours=25)


class Addressed(Protocol):
    """An address as it is looked at here."""

    @property
    def value_index(self) -> str:
        """Return its blind index."""


def of_people(
    points: Mapping[int, Addressed],
    zones: Mapping[int, ZoneInfo | None],
    records: Mapping[int, int],
    plan: MessagePlan,
    now: datetime,
) -> tuple[set[int], dict[int, int]]:
    """Return whose address is another's too, and how often each was tried; of collection only.

    Args:
        points: {customer: address that is written to}.
        zones: {customer: zone of the person}; where it is not known, the company's day counts.
        records: {record: customer} of the records merged into them.
    """
    if not plan.is_collection:
        return set(), {}
    values = {customer_id: point.value_index for customer_id, point in points.items()}
    days = {customer_id: zone or plan.company_zone for customer_id, zone in zones.items()}
    return shared_addresses(values, plan.channel), tries_of(days, now, records=records)


def tries_of(
    zones: Mapping[int, ZoneInfo], now: datetime, *, records: Mapping[int, int] | None = None
) -> dict[int, int]:
    """Return how many unanswered tries to collect each person has had today, over all channels.

    Args:
        zones: {customer: zone of the person's day}.
        records: {record: customer} of the records merged into them; None looks them up.
    """
    ids = list(zones)
    merged = past_messages.records_of(ids) if records is None else records
    rows = list(
        Message.objects.filter(
            customer_id__any_of=[*ids, *merged],
            attempted_at__gt=now - _LONGEST_DAY,
            state__in=past_messages.COUNTED_STATES,
        ).values_list("customer_id", "dispatch_id", "attempted_at")
    )
    if not rows:
        return {}
    collecting = set(
        Dispatch.objects.filter(
            pk__in={row[1] for row in rows}, service_kind=ServiceKind.COLLECTION
        ).values_list("pk", flat=True)
    )
    tried: dict[int, list[datetime]] = {}
    for customer_id, dispatch_id, at in rows:
        if dispatch_id in collecting and at is not None:
            tried.setdefault(merged.get(customer_id, customer_id), []).append(at)
    answered = _answers([*tried, *merged], merged)
    return {
        customer_id: unanswered_tries(
            tries, answered_at=answered.get(customer_id), now=now, zone=zones[customer_id]
        )
        for customer_id, tries in tried.items()
    }


def _answers(customer_ids: Sequence[int], merged: Mapping[int, int]) -> dict[int, datetime]:
    rows = UnclearReply.objects.filter(customer_id__any_of=customer_ids)
    found: dict[int, datetime] = {}
    for customer_id, at in rows.values_list("customer_id").annotate(last=Max("occurred_at")):
        person = merged.get(customer_id, customer_id)
        found[person] = max(at, found.get(person, at))
    return found


def shared_addresses(values: Mapping[int, str], channel: str) -> set[int]:
    """Return whose address stands with another person, too, who has not been merged into them.

    Args:
        values: {customer: blind index of the address}.
    """
    others: dict[str, set[int]] = {}
    rows = ContactPoint.objects.filter(
        kind=contact_kind_of(channel),
        value_index__any_of=[value for value in values.values() if value],
    )
    for value, customer_id, merged_into in rows.values_list(
        "value_index", "customer_id", "customer__merged_into_id"
    ):
        others.setdefault(value, set()).add(merged_into or customer_id)
    return {
        customer_id
        for customer_id, value in values.items()
        if others.get(value, set()) - {customer_id}
    }
