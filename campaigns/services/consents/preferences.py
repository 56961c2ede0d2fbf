"""Opting out: a stop, the consent withdrawn, and an event, each exactly once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from campaigns.domain.receipts.stops import Stop, StopReason
from campaigns.models import Message, Suppression
from campaigns.selectors.receipts import targets
from campaigns.services.consents import stop_list
from customers.domain.events.event import EventName, ReportedEvent
from customers.selectors.identity import keys
from customers.services.consents import ledger
from customers.services.consents.ledger import Withdrawal
from customers.services.events import log
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

EVENT_SOURCE = "campaigns"


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
        .values_list("customer_id", "dispatch__channel_kind", "dispatch__subject")
        .first()
    )
    if message is None:
        return False
    customer_id, channel, slug = message
    stop = Stop(
        customer_id=customer_id,
        # Whoever has the address later, under another record, is not written to either.
        value_index=targets.indexes_written_to({message_id}).get(message_id, ""),
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
    with acting(actor, "campaigns.add_suppression", now=now) as act:
        added = append_stops(stops=stops, now=now)
        if added:
            act.record("contacts.stop", on=(Suppression, "batch"), facts={"added": added})
        else:
            act.unchanged()
    return added


def append_stops(*, stops: Sequence[Stop], now: datetime) -> int:
    """Stop contacts for a service that checks the permission and writes the audit entry itself.

    Whoever was merged into another customer is that customer now.
    """
    if not stops:
        return 0
    with transaction.atomic():
        stops = _of_survivors(stops)
        added = stop_list.append(stops=stops, now=now)
        told = [
            (stop, stop.customer_id)
            for stop in stops
            if stop.reason in _EVENTS and stop.customer_id is not None
        ]
        ledger.append_withdrawals(
            withdrawals=[
                Withdrawal(customer_id, stop.channel, stop.purpose, stop.source, stop.key)
                for stop, customer_id in told
            ],
            now=now,
        )
        log.append_events(
            events=[
                ReportedEvent(
                    source=EVENT_SOURCE,
                    external_id="",
                    customer_id=customer_id,
                    name=_EVENTS[stop.reason],
                    occurred_at=min(stop.occurred_at, now),
                    dedup_key=stop.key,
                    channel=stop.channel,
                    subject=stop.subject,
                )
                for stop, customer_id in told
            ],
            now=now,
        )
    return added


def _of_survivors(stops: Sequence[Stop]) -> list[Stop]:
    became = keys.survivors({stop.customer_id for stop in stops if stop.customer_id is not None})
    return [
        replace(stop, customer_id=became.get(stop.customer_id, stop.customer_id))
        if stop.customer_id is not None
        else stop
        for stop in stops
    ]
