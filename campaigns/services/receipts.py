"""Applying what providers report: once each, in any order, unknown messages set aside."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.channels.base import WebhookRequest
from campaigns.domain import replies
from campaigns.domain.campaign import MessageState
from campaigns.domain.receipts import (
    STATES_BY_STRENGTH,
    DeliveryEvent,
    DeliveryKind,
    state_reported,
    states_outranked_by,
    strongest,
)
from campaigns.domain.replies import ReplyMeaning
from campaigns.models import Channel, Message, Receipt
from campaigns.selectors import receipt_targets
from campaigns.selectors.receipt_targets import Found, Target
from campaigns.services import preferences, providers
from campaigns.services.preferences import EVENT_SOURCE, Stop, StopReason
from customers.domain.contact import ContactStatus
from customers.domain.events import EventName, ReportedEvent
from customers.models import ContactPoint
from customers.services import events as event_log
from loancrm.kernel import audit, bulk
from loancrm.kernel.access import Actor, require
from loancrm.kernel.errors import LoanCrmError

_BATCH = 500
_QUARANTINE_DAYS = 3
_EVENT_OF_STATE = {
    MessageState.DELIVERED: EventName.MESSAGE_DELIVERED,
    MessageState.BOUNCED: EventName.MESSAGE_BOUNCED,
}


class UnknownChannel(LoanCrmError):
    """A report came for a channel that does not exist."""

    code = "unknown_channel"


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of a batch of reports.

    Attributes:
        applied: New reports about known messages or people.
        repeated: Reports that were here before.
        unknown: New reports about no message of this channel; kept, not applied.
    """

    applied: int = 0
    repeated: int = 0
    unknown: int = 0


def receive(*, actor: Actor, slug: str, report: WebhookRequest, now: datetime) -> Tally:
    """Check who sent a report and apply it.

    Args:
        slug: The channel in the address that was called. A channel that is switched off still gets
            reports about what it has sent.

    Raises:
        UnknownChannel: There is no such channel.
        WebhookRefused: The report is forged, too old or unreadable.
        ChannelMisconfigured: The channel's options are wrong.
    """
    channel = Channel.objects.filter(slug=slug).first()
    if channel is None:
        raise UnknownChannel(_("There is no such channel."))
    provider = providers.provider_of(channel, must_be_active=False)
    return apply_events(
        actor=actor, channel=channel, events=provider.parse_webhook(report), now=now
    )


def apply_events(
    *, actor: Actor, channel: Channel, events: Sequence[DeliveryEvent], now: datetime
) -> Tally:
    """Store reports and let them take effect on messages, addresses, consents and the event log.

    A report counts once by its provider's id. A message only ever moves to a state that outranks
    its own, so late, early and repeated reports end in the same state. Only messages that went out
    through `channel` can be named.

    Args:
        actor: Who brings the reports, usually the system.
        channel: The channel whose provider signed them.
        events: In any order.
        now: Time of arrival.

    Raises:
        PermissionRefused: The actor may not bring reports.
    """
    require(actor, "campaigns.add_receipt")
    applied = repeated = unknown = 0
    for start in range(0, len(events), _BATCH):
        part = _apply_batch(actor, channel, events[start : start + _BATCH], now)
        applied += part.applied
        repeated += part.repeated
        unknown += part.unknown
    return Tally(applied, repeated, unknown)


def retry_all_quarantined(*, actor: Actor, now: datetime) -> int:
    """Apply reports of every channel that came before their message was settled.

    Returns:
        How many found their message this time.
    """
    waiting = Receipt.objects.filter(
        message__isnull=True,
        is_applied=False,
        received_at__gte=now - timedelta(days=_QUARANTINE_DAYS),
    ).exclude(provider_message_id="")
    channels = Channel.objects.filter(pk__in=waiting.values("channel_id")).order_by("pk")
    return sum(retry_quarantined(actor=actor, channel=channel, now=now) for channel in channels)


def retry_quarantined(*, actor: Actor, channel: Channel, now: datetime) -> int:
    """Apply reports that came before their message was settled; those of the last three days.

    Returns:
        How many found their message this time.
    """
    require(actor, "campaigns.add_receipt")
    rows = list(
        Receipt.objects.filter(
            channel=channel,
            message__isnull=True,
            is_applied=False,
            received_at__gte=now - timedelta(days=_QUARANTINE_DAYS),
        )
        .exclude(provider_message_id="")
        .order_by("pk")[: 10 * _BATCH]
    )
    found = 0
    for start in range(0, len(rows), _BATCH):
        part = [_event_of(row) for row in rows[start : start + _BATCH]]
        with transaction.atomic():
            matches = receipt_targets.find(channel, part)
            known = [event for event in part if event.provider_event_id in matches.targets]
            if not known:
                continue
            _take_effect(channel, known, matches, now)
            for event in known:
                target = matches.targets[event.provider_event_id]
                Receipt.objects.filter(
                    channel=channel, provider_event_id=event.provider_event_id
                ).update(message_id=target.message_id, is_applied=True)
            found += len(known)
    return found


def _apply_batch(
    actor: Actor, channel: Channel, events: Sequence[DeliveryEvent], now: datetime
) -> Tally:
    with transaction.atomic():
        fresh = _fresh(channel, events)
        if not fresh:
            return Tally(repeated=len(events))
        found = receipt_targets.find(channel, fresh)
        known = [
            event
            for event in fresh
            if event.provider_event_id in found.targets or event.provider_event_id in found.people
        ]
        _store(channel, fresh, found, now)
        _take_effect(channel, known, found, now)
        tally = Tally(
            applied=len(known),
            repeated=len(events) - len(fresh),
            unknown=len(fresh) - len(known),
        )
        audit.record(
            actor=actor,
            action="receipts.apply",
            object_type="channel",
            object_id=channel.pk,
            now=now,
            facts={
                "applied": tally.applied,
                "repeated": tally.repeated,
                "unknown": tally.unknown,
            },
        )
    return tally


def _fresh(channel: Channel, events: Sequence[DeliveryEvent]) -> list[DeliveryEvent]:
    """Return the reports that are not stored yet, each once."""
    by_id = {event.provider_event_id: event for event in events}
    stored = set(
        Receipt.objects.filter(channel=channel, provider_event_id__in=by_id).values_list(
            "provider_event_id", flat=True
        )
    )
    return [event for event_id, event in by_id.items() if event_id not in stored]


def _store(channel: Channel, events: Sequence[DeliveryEvent], found: Found, now: datetime) -> None:
    Receipt.objects.bulk_create(
        [
            Receipt(
                channel=channel,
                provider_event_id=event.provider_event_id,
                kind=event.kind,
                provider_message_id=event.provider_message_id,
                message_id=target.message_id if target is not None else None,
                occurred_at=event.occurred_at,
                received_at=now,
                detail=event.detail,
                is_applied=target is not None or event.provider_event_id in found.people,
            )
            for event in events
            for target in (found.targets.get(event.provider_event_id),)
        ],
        ignore_conflicts=True,
    )


def _take_effect(
    channel: Channel, events: Sequence[DeliveryEvent], found: Found, now: datetime
) -> None:
    _move_messages(channel, events, found.targets, now)
    _mark_addresses(channel, events, found.targets)
    stops = [*_stops(channel, events, found)]
    preferences.append_stops(stops=stops, now=now)
    clicks = [
        _report(EventName.LINK_CLICKED, channel, found.targets[event.provider_event_id], event, now)
        for event in events
        if event.kind is DeliveryKind.CLICKED and event.provider_event_id in found.targets
    ]
    event_log.append_events(events=clicks, now=now)


def _move_messages(
    channel: Channel,
    events: Sequence[DeliveryEvent],
    targets: Mapping[str, Target],
    now: datetime,
) -> None:
    reports: dict[int, dict[MessageState, DeliveryEvent]] = defaultdict(dict)
    target_of: dict[int, Target] = {}
    for event in events:
        state = state_reported(event.kind)
        if state is None or event.provider_event_id not in targets:
            continue
        target = targets[event.provider_event_id]
        reports[target.message_id].setdefault(state, event)
        target_of[target.message_id] = target
    for state in STATES_BY_STRENGTH:
        chosen = {
            message_id: by_state[state]
            for message_id, by_state in reports.items()
            if strongest(by_state) is state
        }
        moved = _move(state, chosen, now)
        _record_moves(state, moved, chosen, target_of, channel, now)


def _move(state: MessageState, chosen: Mapping[int, DeliveryEvent], now: datetime) -> list[int]:
    """Move messages to a state that outranks theirs; return those that moved."""
    moved: list[int] = []
    if not chosen:
        return moved
    is_delivered = state is MessageState.DELIVERED
    columns = ("state", "reason", "closed_at", *(("delivered_at",) if is_delivered else ()))
    rows = [
        (
            message_id,
            state.value,
            "" if is_delivered else event.kind.value,
            now,
            *((min(event.occurred_at, now),) if is_delivered else ()),
        )
        for message_id, event in chosen.items()
    ]
    for before in states_outranked_by(state):
        moved += bulk.update_rows(
            Message, key="id", columns=columns, rows=rows, where={"state": before.value}
        )
    # A report about a message of unknown fate proves that it was handed over.
    Message.objects.filter(pk__in=moved, sent_at__isnull=True).update(sent_at=now)
    return moved


def _record_moves(
    state: MessageState,
    moved: Iterable[int],
    chosen: Mapping[int, DeliveryEvent],
    target_of: Mapping[int, Target],
    channel: Channel,
    now: datetime,
) -> None:
    name = _EVENT_OF_STATE.get(state)
    if name is None:
        return
    event_log.append_events(
        events=[
            _report(name, channel, target_of[message_id], chosen[message_id], now)
            for message_id in moved
        ],
        now=now,
    )


def _report(
    name: EventName, channel: Channel, target: Target, event: DeliveryEvent, now: datetime
) -> ReportedEvent:
    return ReportedEvent(
        source=EVENT_SOURCE,
        external_id="",
        customer_id=target.customer_id,
        name=name,
        occurred_at=min(event.occurred_at, now),
        dedup_key=f"{name.removeprefix('message_')}:{target.message_id}",
        channel=channel.kind,
        subject=target.slug,
    )


def _mark_addresses(
    channel: Channel, events: Sequence[DeliveryEvent], targets: Mapping[str, Target]
) -> None:
    """Mark the address, not the person: an address that is added later can be written to."""
    kind = receipt_targets.KIND_OF_CHANNEL.get(channel.kind)
    bounced = {
        targets[event.provider_event_id].customer_id: event.occurred_at
        for event in events
        if event.kind is DeliveryKind.BOUNCED_HARD and event.provider_event_id in targets
    }
    if kind is None or not bounced:
        return
    points = ContactPoint.objects.filter(
        customer_id__in=bounced, kind=kind, is_primary=True, status=ContactStatus.ACTIVE
    ).values_list("pk", "customer_id", "created_at")
    stale = [pk for pk, customer_id, created_at in points if created_at <= bounced[customer_id]]
    ContactPoint.objects.filter(pk__in=stale).update(status=ContactStatus.BOUNCED)


def _stops(channel: Channel, events: Sequence[DeliveryEvent], found: Found) -> Iterable[Stop]:
    for event in events:
        reason = _stop_reason(event)
        if reason is None:
            continue
        target = found.targets.get(event.provider_event_id)
        customer_id = target.customer_id if target else found.people[event.provider_event_id]
        is_complaint = reason is StopReason.COMPLAINED
        yield Stop(
            customer_id=customer_id,
            channel=channel.kind,
            key=f"{reason}:{target.message_id if target else event.provider_event_id}"[:120],
            source="complaint" if is_complaint else f"{channel.kind}_reply",
            occurred_at=event.occurred_at,
            reason=reason,
            subject=target.slug if target else "",
        )


def _stop_reason(event: DeliveryEvent) -> StopReason | None:
    if event.kind is DeliveryKind.COMPLAINED:
        return StopReason.COMPLAINED
    if event.kind is not DeliveryKind.REPLIED:
        return None
    match replies.meaning_of(event.text):
        case ReplyMeaning.OPT_OUT:
            return StopReason.OPTED_OUT
        case ReplyMeaning.REVIEW:
            return StopReason.UNDER_REVIEW
        case ReplyMeaning.OTHER:
            return None


def _event_of(row: Receipt) -> DeliveryEvent:
    return DeliveryEvent(
        provider_event_id=row.provider_event_id,
        kind=DeliveryKind(row.kind),
        provider_message_id=row.provider_message_id,
        message_key="",
        occurred_at=row.occurred_at,
        detail=row.detail,
    )
