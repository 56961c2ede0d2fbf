"""What people were sent before, also under records that were merged into theirs since."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Count

from campaigns.domain.sending import frequency
from campaigns.domain.sending.eligibility import MessagePlan
from campaigns.domain.sending.frequency import PastSend
from campaigns.domain.sending.states import HANDED_OVER_STATES, MessageState
from campaigns.models import Dispatch, Message
from customers.models import Customer

# What may have reached somebody: a message that bounced reached nobody, and must not use up the cap
# of the fallback that is sent in its place.
COUNTED_STATES = (
    *(state for state in HANDED_OVER_STATES if state is not MessageState.BOUNCED),
    MessageState.SENDING,
)


def records_of(customer_ids: Sequence[int]) -> dict[int, int]:
    """Return {record: customer} of the records that were merged into these people.

    A message that both records were planned for in one dispatch stays with the record it had.
    """
    merged = Customer.objects.filter(merged_into_id__any_of=customer_ids)
    return dict(merged.values_list("pk", "merged_into_id"))


def by_person(records: Mapping[int, int]) -> Mapping[int, Sequence[int]]:
    """Return {customer: records} of {record: customer}."""
    found: dict[int, list[int]] = defaultdict(list)
    for record, customer_id in records.items():
        found[customer_id].append(record)
    return found


def sent_already(*, records: Mapping[int, int], message_id: int) -> set[int]:
    """Return who has had the messages of a dispatch under a record of theirs.

    Args:
        message_id: One of the dispatch's messages; 0 for none.
    """
    if not records or not message_id:
        return set()
    had = Message.objects.filter(
        customer_id__any_of=list(records),
        dispatch=Message.objects.filter(pk=message_id).values("dispatch_id")[:1],
        state__in=[*HANDED_OVER_STATES, MessageState.SENDING],
    )
    return {records[customer_id] for customer_id in had.values_list("customer_id", flat=True)}


def reached_before(*, customer_ids: Sequence[int], dispatch_id: int) -> set[int]:
    """Return whom of these people a dispatch has reached after all.

    A report that came late says so: who bounced for a while may be delivered in the end.
    """
    reached = Message.objects.filter(
        dispatch_id=dispatch_id,
        customer_id__any_of=customer_ids,
        state__in=[MessageState.SENT, MessageState.DELIVERED],
    )
    return set(reached.values_list("customer_id", flat=True))


def past_sends(
    customer_ids: Sequence[int],
    plan: MessagePlan,
    now: datetime,
    *,
    limits: Iterable[int | None],
    records: Mapping[int, int] | None = None,
) -> dict[int, list[PastSend]]:
    """Return the marketing messages handed over within the longest window of the caps.

    People who had fewer messages than the lowest cap allows are left out: reading everybody's took
    10 microseconds a message sent.

    Args:
        limits: The limits a week that these people chose for themselves.
        records: {record: customer} of the records merged into them; None looks them up.
    """
    own = [limit for limit in limits if limit is not None]
    hours = max([frequency.longest_window_hours(plan.caps), frequency.WEEK_HOURS * bool(own)])
    if not hours or not customer_ids:
        return {}
    handed_over = Message.objects.filter(
        attempted_at__gt=now - timedelta(hours=hours), state__in=COUNTED_STATES
    )
    merged = records_of(customer_ids) if records is None else records
    least = min([cap.max_count for cap in plan.caps] + own)
    near = (
        handed_over.filter(customer_id__any_of=customer_ids)
        .values_list("customer_id")
        .annotate(count=Count("pk"))
        .filter(count__gte=least)
    )
    near_ids = {customer_id for customer_id, _count in near}
    if merged:
        # Few: what came to several records of one person only counts together.
        near_ids |= {*merged, *merged.values()}
    if not near_ids:
        return {}
    rows = list(
        handed_over.filter(customer_id__any_of=list(near_ids)).values_list(
            "customer_id", "dispatch_id", "attempted_at"
        )
    )
    channels = _counted_channels({row[1] for row in rows}, plan)
    found: dict[int, list[PastSend]] = defaultdict(list)
    for customer_id, dispatch_id, at in rows:
        channel = channels[dispatch_id]
        if channel is not None and at is not None:
            found[merged.get(customer_id, customer_id)].append(PastSend(channel=channel, at=at))
    return found


def _counted_channels(dispatch_ids: set[int], plan: MessagePlan) -> dict[int, str | None]:
    """Return the channel of each dispatch; None for those that frequency caps do not count.

    Asked for once a batch instead of joined to every message: with the join, checking the caps cost
    a quarter of the time of sending.
    """
    channels: dict[int, str | None] = dict.fromkeys(dispatch_ids)
    if dispatch_ids:
        counted = Dispatch.objects.filter(pk__in=dispatch_ids, purpose=plan.purpose)
        channels.update(counted.values_list("pk", "channel_kind"))
    return channels
