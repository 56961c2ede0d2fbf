"""Events become triggers of the campaigns that wait for them: each once, whoever dies on the way.

The triggers and the place in the feed are written in one transaction, under a lease. Whoever dies
before it is shown the same people again, and an event is a trigger of a campaign once, by the
database's own constraint.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from campaigns.domain.campaigns.trigger import TriggerState, refusal_by_time
from campaigns.models import CampaignTrigger
from campaigns.selectors.triggers import listening
from campaigns.selectors.triggers.listening import Listening
from customers.models import EventType
from loancrm.kernel.changes import feed
from loancrm.kernel.changes.feed import Changes, Followed
from loancrm.kernel.database import leases
from loancrm.kernel.models import ChangeCursor

CONSUMER = "triggered campaigns"
EVENTS = "events"
LEASE = "campaigns.triggers"
LEASE_SECONDS = 60.0


def take_in(*, holder: str, now: datetime) -> int:
    """Note the new events of all campaigns that wait for some; return how many were noted.

    The caller holds the lease; whoever has lost it writes nothing.
    """
    waiting = listening.to_events()
    is_first = not ChangeCursor.objects.filter(consumer=CONSUMER, table=EVENTS).exists()
    if not (waiting or is_first):
        return 0
    if not feed.has_news(consumer=CONSUMER, tables=(EVENTS,), now=now):
        return 0
    changes = feed.read(consumer=CONSUMER, tables={EVENTS: _followed(waiting, now)}, now=now)
    # One that was launched meanwhile may wait for what was passed over: the next round reads again.
    if [one.campaign_id for one in waiting] != [one.campaign_id for one in listening.to_events()]:
        return 0
    people = changes.subjects if changes.is_complete and not is_first else None
    return _store(waiting, people, changes, holder, now)


def _followed(waiting: Iterable[Listening], now: datetime) -> Followed:
    names = {one.trigger.event for one in waiting}
    types = list(EventType.objects.filter(name__in=names).values_list("pk", flat=True))
    # One of this very second, or of a clock that runs ahead, is read when its moment has come.
    return Followed(Q(type_id__in=types), is_due=Q(occurred_at__lte=now))


def _store(
    waiting: Sequence[Listening],
    people: Sequence[int] | None,
    changes: Changes,
    holder: str,
    now: datetime,
) -> int:
    count = 0
    with transaction.atomic():
        if not leases.claim(name=LEASE, holder=holder, seconds=LEASE_SECONDS):
            return 0
        for one in waiting:
            if people is not None and not people:
                break
            for page in listening.new_events(one, customer_ids=people, now=now):
                CampaignTrigger.objects.bulk_create(
                    (_trigger(one, *row, now=now) for row in page), ignore_conflicts=True
                )
                count += len(page)
        feed.advance(changes)
    return count


def _trigger(
    one: Listening, event_id: int, customer_id: int, occurred_at: datetime, *, now: datetime
) -> CampaignTrigger:
    due_at = one.trigger.due_at(occurred_at)
    refusal = refusal_by_time(
        occurred_at=occurred_at,
        due_at=due_at,
        begins_at=one.begins_at,
        late_hours=one.late_limit_hours,
        now=now,
    )
    return CampaignTrigger(
        campaign_id=one.campaign_id,
        customer_id=customer_id,
        event_id=event_id,
        occurred_at=occurred_at,
        received_at=now,
        due_at=due_at,
        state=TriggerState.REFUSED if refusal else TriggerState.WAITING,
        reason=refusal or "",
    )
