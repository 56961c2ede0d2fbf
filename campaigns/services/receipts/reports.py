"""Applying what providers report: once each, in any order, unknown messages set aside."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from campaigns.channels.base import WebhookRequest
from campaigns.domain.receipts.replies import ReplyMeaning
from campaigns.domain.receipts.report import (
    OPEN_PROBLEMS,
    DeliveryEvent,
    DeliveryKind,
    ReceiptProblem,
    ReportIdentity,
    state_reported,
    wait_seconds,
)
from campaigns.models import Channel, Receipt
from campaigns.selectors.receipts import targets
from campaigns.selectors.receipts.targets import Found
from campaigns.services.consents import unclear_replies
from campaigns.services.receipts import effects
from campaigns.services.sending import providers, side_messages
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.errors import LoanCrmError

logger = logging.getLogger(__name__)

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
class ReportCounts:
    """What became of a batch of reports.

    Attributes:
        applied: New reports about known messages or people.
        repeated: Reports that were here before.
        unknown: New reports about no message of this channel, or about one that is not handed over
            yet; kept, not applied.
        set_aside: New reports that nobody could read, or that may be about any of several
            messages: the id of each, and why.
    """

    applied: int = 0
    repeated: int = 0
    unknown: int = 0
    set_aside: tuple[tuple[str, ReceiptProblem], ...] = ()


def receive(*, actor: Actor, slug: str, report: WebhookRequest, now: datetime) -> ReportCounts:
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
) -> ReportCounts:
    """Store reports and let them take effect on messages, addresses, consents and the event log.

    A report counts once (`ReportIdentity`). A message only ever moves to a state that outranks
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
    act = acting(actor, "campaigns.add_receipt", now=now)
    parts = [
        _apply_batch(act, channel, events[start : start + _BATCH])
        for start in range(0, len(events), _BATCH)
    ]
    return ReportCounts(
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
    found = 0
    for channel in Channel.objects.filter(pk__in=due.values("channel_id")).order_by("pk"):
        try:
            found += retry_quarantined(actor=actor, channel=channel, now=now)
        except Exception:
            # The reports of other accounts, refusals among them, wait for nobody's fault.
            logger.exception("the reports of channel %s were not tried again", channel.pk)
    return found


def retry_quarantined(*, actor: Actor, channel: Channel, now: datetime) -> int:
    """Apply reports of a channel that came before their message was settled.

    Refusals go first and never give up; then whatever was tried least, so that any number of
    foreign reports holds nobody up. Other reports are given up after three days.

    Returns:
        How many found their message this time.
    """
    act = acting(actor, "campaigns.add_receipt", now=now)
    rows = list(
        Receipt.objects.filter(channel=channel, next_try_at__lte=now).order_by(
            "-is_refusal", "tries", "next_try_at", "pk"
        )[:_MOST_RETRIED]
    )
    found = 0
    for start in range(0, len(rows), _BATCH):
        found += _retry_batch(act, channel, rows[start : start + _BATCH])
    return found


def _retry_batch(act: Act, channel: Channel, rows: Sequence[Receipt]) -> int:
    events = {row.pk: _event_of(row) for row in rows}
    with act:
        found = targets.match_targets(channel, list(events.values()))
        hits = [row for row in rows if _is_found(events[row.pk], found)]
        effects.take_effect(
            channel=channel, events=[events[row.pk] for row in hits], found=found, now=act.now
        )
        unclear_replies.name_owners(
            channel=channel, events=[events[row.pk] for row in hits], found=found
        )
        for row in hits:
            target = found.targets.get(events[row.pk])
            row.message_id = target.message_id if target is not None else None
            row.is_applied, row.problem, row.next_try_at = True, "", None
        aside = side_messages.about(channel, list(events.values()))
        for row in rows:
            if events[row.pk] in aside:
                _accept(row, events[row.pk], found)
            if events[row.pk] in found.ambiguous and not row.is_applied:
                row.problem, row.next_try_at = ReceiptProblem.MESSAGE_AMBIGUOUS, None
            elif not row.is_applied:
                _put_off(row, act.now)
        Receipt.objects.bulk_update(
            rows, ["message", "is_applied", "problem", "tries", "next_try_at"], batch_size=_BATCH
        )
        act.counted_elsewhere()
    return len(hits)


def _is_found(event: DeliveryEvent, found: Found) -> bool:
    """Return whether a report that waited needs to wait no longer for its message."""
    is_by_address = event in found.ambiguous and event.is_refusal and event in found.addresses
    is_by_message = event in found.targets and not _waits_for_message(event, found)
    return is_by_message or is_by_address


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
    act = acting(actor, "campaigns.add_suppression", now=now)
    if not reason.strip():
        raise ReasonMissing(_("Say why."))
    with act:
        waiting = Receipt.objects.filter(pk__in=receipt_ids, problem__in=OPEN_PROBLEMS)
        ids = sorted(waiting.values_list("pk", flat=True))
        waiting.update(problem=ReceiptProblem.SETTLED_BY_HAND, next_try_at=None)
        for receipt_id in ids:
            act.record("receipt.settle", on=(Receipt, receipt_id), reason=reason.strip())
        if not ids:
            act.unchanged()
    return len(ids)


def _apply_batch(act: Act, channel: Channel, events: Sequence[DeliveryEvent]) -> ReportCounts:
    now = act.now
    with act:
        fresh = _fresh(channel, events)
        if not fresh:
            act.unchanged()
            return ReportCounts(repeated=len(events))
        found = targets.match_targets(channel, list(fresh))
        aside = side_messages.about(channel, list(fresh))
        rows = [_row(channel, event, identity, found, now) for event, identity in fresh.items()]
        for event, row in zip(fresh, rows, strict=True):
            if event in aside:
                _accept(row, event, found)
        Receipt.objects.bulk_create(rows, ignore_conflicts=True)
        effective = [event for event in fresh if not _waits_for_message(event, found)]
        effects.take_effect(channel=channel, events=effective, found=found, now=now)
        unclear_replies.write_unclear_replies(
            channel=channel, events=list(fresh), found=found, now=now
        )
        applied = sum(row.is_applied for row in rows)
        set_aside = tuple(
            (row.provider_event_id, ReceiptProblem(row.problem))
            for event, row in zip(fresh, rows, strict=True)
            if row.problem and (event.problem or event in found.ambiguous)
        )
        counts = ReportCounts(
            applied=applied,
            repeated=len(events) - len(fresh),
            unknown=len(fresh) - applied - len(set_aside),
            set_aside=set_aside,
        )
        act.record(
            "receipts.apply",
            on=channel,
            facts={
                "applied": counts.applied,
                "repeated": counts.repeated,
                "unknown": counts.unknown,
                "set_aside": len(counts.set_aside),
            },
        )
    return counts


def _fresh(
    channel: Channel, events: Sequence[DeliveryEvent]
) -> dict[DeliveryEvent, ReportIdentity]:
    """Return the reports that are not stored yet, each once, with what makes them so."""
    senders = targets.sender_indexes(channel, events)
    by_identity = {event.identity(senders.get(event, "")): event for event in events}
    stored: set[ReportIdentity] = set()
    # Asked for apart, because refusals are unique by an index of their own.
    for is_refusal in (False, True):
        ids = {
            identity.provider_event_id
            for identity, event in by_identity.items()
            if event.is_refusal is is_refusal
        }
        if ids:
            stored |= _stored(channel, ids, is_refusal=is_refusal)
    return {event: identity for identity, event in by_identity.items() if identity not in stored}


def _stored(channel: Channel, ids: set[str], *, is_refusal: bool) -> set[ReportIdentity]:
    rows = Receipt.objects.filter(
        channel=channel, provider_event_id__in=ids, is_refusal=is_refusal
    ).values_list(*ReportIdentity._fields[:-1], "occurred_at")
    identities = map(ReportIdentity._make, rows)
    return {it if is_refusal else it._replace(refused_at=None) for it in identities}


def _row(
    channel: Channel, event: DeliveryEvent, identity: ReportIdentity, found: Found, now: datetime
) -> Receipt:
    target = found.targets.get(event)
    problem = event.problem
    if _waits_for_message(event, found):
        problem = ReceiptProblem.MESSAGE_PLANNED
    elif problem is None and target is None and event not in found.people:
        problem = _problem(event, found)
    is_retried = problem in {ReceiptProblem.MESSAGE_UNKNOWN, ReceiptProblem.MESSAGE_PLANNED}
    return Receipt(
        channel=channel,
        provider_event_id=event.provider_event_id,
        kind=event.kind,
        provider_message_id=event.provider_message_id,
        message_key=event.message_key,
        message_id=target.message_id if target is not None else None,
        occurred_at=event.occurred_at,
        received_at=now,
        detail=event.detail,
        meaning=event.read_as or "",
        is_refusal=event.is_refusal,
        address_index=identity.address_index,
        is_applied=problem is None,
        problem=problem or "",
        next_try_at=now if is_retried else None,
    )


def _accept(row: Receipt, event: DeliveryEvent, found: Found) -> None:
    """Take a report about a test or a confirmation as read: there is no message to look for.

    A refusal of which nobody can say whose it is goes on waiting for somebody to look at it.
    """
    is_settled = not event.is_refusal or event in found.people or event in found.addresses
    if row.problem == ReceiptProblem.MESSAGE_UNKNOWN and is_settled:
        row.is_applied, row.problem, row.next_try_at = True, "", None


def _problem(event: DeliveryEvent, found: Found) -> ReceiptProblem | None:
    """Return why a report about no message that we know is not applied, or not in full."""
    is_ambiguous = event in found.ambiguous
    if (event.provider_message_id or event.message_key) and not is_ambiguous:
        return ReceiptProblem.MESSAGE_UNKNOWN
    if event in found.addresses and event.is_refusal:
        # Nobody has the address; the stop list keeps it for whoever comes with it.
        return None
    if is_ambiguous:
        return ReceiptProblem.MESSAGE_AMBIGUOUS
    if event.address and event.is_refusal:
        return ReceiptProblem.SENDER_UNREADABLE
    return ReceiptProblem.NAMES_NOBODY


def _waits_for_message(event: DeliveryEvent, found: Found) -> bool:
    """Return whether a report moves a message that waits to be asked again: it is settled first."""
    target = found.targets.get(event)
    return target is not None and target.is_planned and state_reported(event.kind) is not None


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
