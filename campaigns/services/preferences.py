"""Opting out: a stop, the consent withdrawn, and an event, each exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from campaigns.models import Message, Suppression
from customers.domain.consent import Purpose
from customers.domain.events import EventName, ReportedEvent
from customers.selectors import identity
from customers.services import consents, events
from customers.services.consents import Withdrawal
from loancrm.kernel import audit
from loancrm.kernel.access import Actor, require

EVENT_SOURCE = "campaigns"


class StopReason(StrEnum):
    """Why somebody must not be contacted any more."""

    OPTED_OUT = "opted_out"
    COMPLAINED = "complained"
    UNDER_REVIEW = "under_review"


@dataclass(frozen=True, slots=True)
class Stop:
    """One person does not want messages of a purpose through a channel.

    Attributes:
        key: Names the occasion; the same key makes one event.
        source: `unsubscribe_link`, `sms_reply`, `complaint`, ...
        subject: Slug of the campaign that was answered, may be empty.
    """

    customer_id: int
    channel: str
    key: str
    source: str
    occurred_at: datetime
    reason: StopReason = StopReason.OPTED_OUT
    purpose: str = Purpose.MARKETING
    subject: str = ""


_EVENTS = {
    StopReason.OPTED_OUT: EventName.OPTED_OUT,
    StopReason.COMPLAINED: EventName.COMPLAINT_MADE,
}


def opt_out(*, actor: Actor, message_id: int, source: str, now: datetime) -> bool:
    """Stop all marketing through the channel of a message for the person who got it.

    Safe to repeat: the second time changes nothing.

    Returns:
        Whether there is such a message.

    Raises:
        PermissionRefused: The actor may not stop contacts.
    """
    message = (
        Message.objects.filter(pk=message_id)
        .values_list("customer_id", "dispatch__channel_kind", "dispatch__campaign__slug")
        .first()
    )
    if message is None:
        return False
    customer_id, channel, slug = message
    stop = Stop(
        customer_id=customer_id,
        channel=channel,
        key=f"opt_out:{message_id}",
        source=source,
        occurred_at=now,
        subject=slug,
    )
    stop_contacts(actor=actor, stops=[stop], now=now)
    return True


def stop_contacts(*, actor: Actor, stops: Sequence[Stop], now: datetime) -> int:
    """Put people on the stop list, withdraw their consent, and record what they did.

    Returns:
        How many stops are new.

    Raises:
        PermissionRefused: The actor may not stop contacts.
    """
    require(actor, "campaigns.add_suppression")
    with transaction.atomic():
        added = append_stops(stops=stops, now=now)
        if added:
            audit.record(
                actor=actor,
                action="contacts.stop",
                object_type="suppression",
                object_id="batch",
                now=now,
                facts={"added": added},
            )
    return added


def append_stops(*, stops: Sequence[Stop], now: datetime) -> int:
    """Stop contacts for a service that checks the permission and writes the audit entry itself.

    Whoever was merged into another customer is that customer now.
    """
    if not stops:
        return 0
    with transaction.atomic():
        stops = _of_survivors(stops)
        known = set(
            Suppression.objects.filter(
                customer_id__in={stop.customer_id for stop in stops}, lifted_at__isnull=True
            ).values_list("customer_id", "channel", "purpose")
        )
        wanted = {(stop.customer_id, stop.channel, stop.purpose): stop for stop in stops}
        added = [stop for key, stop in wanted.items() if key not in known]
        Suppression.objects.bulk_create(
            [
                Suppression(
                    customer_id=stop.customer_id,
                    channel=stop.channel,
                    purpose=stop.purpose,
                    reason=stop.reason,
                    source=stop.source,
                    at=now,
                )
                for stop in added
            ],
            ignore_conflicts=True,
        )
        consents.append_withdrawals(
            withdrawals=[
                Withdrawal(stop.customer_id, stop.channel, stop.purpose, stop.source, stop.key)
                for stop in stops
                if stop.reason in _EVENTS
            ],
            now=now,
        )
        events.append_events(
            events=[
                ReportedEvent(
                    source=EVENT_SOURCE,
                    external_id="",
                    customer_id=stop.customer_id,
                    name=_EVENTS[stop.reason],
                    occurred_at=min(stop.occurred_at, now),
                    dedup_key=stop.key,
                    channel=stop.channel,
                    subject=stop.subject,
                )
                for stop in stops
                if stop.reason in _EVENTS
            ],
            now=now,
        )
    return len(added)


def _of_survivors(stops: Sequence[Stop]) -> list[Stop]:
    became = identity.survivors({stop.customer_id for stop in stops})
    return [
        replace(stop, customer_id=became.get(stop.customer_id, stop.customer_id)) for stop in stops
    ]
