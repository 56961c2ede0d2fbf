"""Applying what providers report: once each, in any order, unknown messages set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.channels.base import WebhookRequest
from campaigns.domain.receipts import (
    OPEN_PROBLEMS,
    DeliveryEvent,
    DeliveryKind,
    ReceiptProblem,
    wait_seconds,
)
from campaigns.domain.replies import ReplyMeaning
from campaigns.models import Channel, Receipt
from campaigns.selectors import receipt_targets
from campaigns.selectors.receipt_targets import Found
from campaigns.services import providers, receipt_effects
from loancrm.kernel import audit
from loancrm.kernel.access import Actor, require
from loancrm.kernel.errors import LoanCrmError

_BATCH = 500
_MOST_RETRIED = 10 * _BATCH
_QUARANTINE_DAYS = 3
_MOST_TRIES = 30_000


class ReasonMissing(LoanCrmError):
    """A report is to be taken off the list and nobody says why."""

    code = "reason_missing"


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
        set_aside: New reports that nobody could read: the id of each, and why.
    """

    applied: int = 0
    repeated: int = 0
    unknown: int = 0
    set_aside: tuple[tuple[str, ReceiptProblem], ...] = ()


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
    parts = [
        _apply_batch(actor, channel, events[start : start + _BATCH], now)
        for start in range(0, len(events), _BATCH)
    ]
    return Tally(
        applied=sum(part.applied for part in parts),
        repeated=sum(part.repeated for part in parts),
        unknown=sum(part.unknown for part in parts),
        set_aside=tuple(item for part in parts for item in part.set_aside),
    )


def retry_all_quarantined(*, actor: Actor, now: datetime) -> int:
    """Apply reports of every channel that came before their message was settled.

    Returns:
        How many found their message this time.
    """
    due = Receipt.objects.filter(next_try_at__lte=now)
    channels = Channel.objects.filter(pk__in=due.values("channel_id")).order_by("pk")
    return sum(retry_quarantined(actor=actor, channel=channel, now=now) for channel in channels)


def retry_quarantined(*, actor: Actor, channel: Channel, now: datetime) -> int:
    """Apply reports of a channel that came before their message was settled.

    Refusals go first and never give up; then whatever was tried least, so that any number of
    foreign reports holds nobody up. Other reports are given up after three days.

    Returns:
        How many found their message this time.
    """
    require(actor, "campaigns.add_receipt")
    rows = list(
        Receipt.objects.filter(channel=channel, next_try_at__lte=now).order_by(
            "-is_refusal", "tries", "next_try_at", "pk"
        )[:_MOST_RETRIED]
    )
    found = 0
    for start in range(0, len(rows), _BATCH):
        found += _retry_batch(channel, rows[start : start + _BATCH], now)
    return found


def _retry_batch(channel: Channel, rows: Sequence[Receipt], now: datetime) -> int:
    events = {row.pk: _event_of(row) for row in rows}
    with transaction.atomic():
        matches = receipt_targets.find(channel, list(events.values()))
        hits = [row for row in rows if row.provider_event_id in matches.targets]
        receipt_effects.take_effect(
            channel=channel, events=[events[row.pk] for row in hits], found=matches, now=now
        )
        for row in hits:
            row.message_id = matches.targets[row.provider_event_id].message_id
            row.is_applied, row.problem, row.next_try_at = True, "", None
        for row in rows:
            if not row.is_applied:
                _put_off(row, now)
        Receipt.objects.bulk_update(
            rows, ["message", "is_applied", "problem", "tries", "next_try_at"], batch_size=_BATCH
        )
    return len(hits)


def _put_off(row: Receipt, now: datetime) -> None:
    row.tries = min(row.tries + 1, _MOST_TRIES)
    row.next_try_at = now + timedelta(seconds=wait_seconds(row.tries))
    if not row.is_refusal and row.received_at < now - timedelta(days=_QUARANTINE_DAYS):
        row.problem, row.next_try_at = ReceiptProblem.GIVEN_UP, None


def settle_by_hand(*, actor: Actor, receipt_ids: Sequence[int], reason: str, now: datetime) -> int:
    """Take reports off the list of those that wait: a person has done what they ask for.

    Returns:
        How many waited.

    Raises:
        PermissionRefused: The actor may not keep the stop list.
        ReasonMissing: Nobody could tell later why.
    """
    require(actor, "campaigns.add_suppression")
    if not reason.strip():
        raise ReasonMissing(_("Say why."))
    with transaction.atomic():
        waiting = Receipt.objects.filter(pk__in=receipt_ids, problem__in=OPEN_PROBLEMS)
        ids = sorted(waiting.values_list("pk", flat=True))
        waiting.update(problem=ReceiptProblem.SETTLED_BY_HAND, next_try_at=None)
        for receipt_id in ids:
            audit.record(
                actor=actor,
                action="receipt.settle",
                object_type=audit.type_of(Receipt),
                object_id=receipt_id,
                now=now,
                reason=reason.strip(),
            )
    return len(ids)


def _apply_batch(
    actor: Actor, channel: Channel, events: Sequence[DeliveryEvent], now: datetime
) -> Tally:
    with transaction.atomic():
        fresh = _fresh(channel, events)
        if not fresh:
            return Tally(repeated=len(events))
        found = receipt_targets.find(channel, fresh)
        rows = [_row(channel, event, found, now) for event in fresh]
        Receipt.objects.bulk_create(rows, ignore_conflicts=True)
        receipt_effects.take_effect(channel=channel, events=fresh, found=found, now=now)
        applied = sum(row.is_applied for row in rows)
        set_aside = tuple(
            (event.provider_event_id, event.problem) for event in fresh if event.problem
        )
        tally = Tally(
            applied=applied,
            repeated=len(events) - len(fresh),
            unknown=len(fresh) - applied - len(set_aside),
            set_aside=set_aside,
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
                "set_aside": len(tally.set_aside),
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


def _row(channel: Channel, event: DeliveryEvent, found: Found, now: datetime) -> Receipt:
    event_id = event.provider_event_id
    target = found.targets.get(event_id)
    problem = None if target or event_id in found.people else _problem(event, found)
    is_retried = problem is ReceiptProblem.MESSAGE_UNKNOWN
    return Receipt(
        channel=channel,
        provider_event_id=event_id,
        kind=event.kind,
        provider_message_id=event.provider_message_id,
        message_key=event.message_key,
        message_id=target.message_id if target is not None else None,
        occurred_at=event.occurred_at,
        received_at=now,
        detail=event.detail,
        meaning=event.read_as or "",
        is_refusal=event.is_refusal,
        address_index=found.addresses.get(event_id, ""),
        is_applied=problem is None,
        problem=problem or "",
        next_try_at=now if is_retried else None,
    )


def _problem(event: DeliveryEvent, found: Found) -> ReceiptProblem | None:
    """Return why a report about no message that we know is not applied, or not in full."""
    if event.problem is not None:
        return event.problem
    if event.provider_message_id or event.message_key:
        return ReceiptProblem.MESSAGE_UNKNOWN
    if event.provider_event_id in found.addresses and event.is_refusal:
        # Nobody has the address; the stop list keeps it for whoever comes with it.
        return None
    if event.address and event.is_refusal:
        return ReceiptProblem.SENDER_UNREADABLE
    return ReceiptProblem.NAMES_NOBODY


def _event_of(row: Receipt) -> DeliveryEvent:
    return DeliveryEvent(
        provider_event_id=row.provider_event_id,
        kind=DeliveryKind(row.kind),
        provider_message_id=row.provider_message_id,
        message_key=row.message_key,
        occurred_at=row.occurred_at,
        detail=row.detail,
        meaning=ReplyMeaning(row.meaning) if row.meaning else None,
        address_index=row.address_index,
    )
