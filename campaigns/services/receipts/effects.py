"""What reports change: messages, addresses, the stop list, consents and the event log."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from campaigns.domain.receipts.refusals import Blame
from campaigns.domain.receipts.replies import ReplyMeaning
from campaigns.domain.receipts.report import (
    STATES_BY_STRENGTH,
    DeliveryEvent,
    DeliveryKind,
    state_reported,
    states_outranked_by,
    strongest,
)
from campaigns.domain.receipts.stops import Stop, StopReason, StopSource
from campaigns.domain.sending.states import MessageState
from campaigns.models import Channel, Message
from campaigns.selectors.receipts import targets as receipt_targets
from campaigns.selectors.receipts.targets import Found, ReceiptTarget
from campaigns.services.consents import preferences
from campaigns.services.consents.preferences import EVENT_SOURCE
from campaigns.services.sending import addresses
from campaigns.services.sending.addresses import Refusal
from customers.domain.events.event import EventName, ReportedEvent
from customers.services.events import log as event_log
from loancrm.kernel.database import bulk
from loancrm.kernel.identifiers import bounded_id

_BLAME = {
    DeliveryKind.BOUNCED_HARD: Blame.ADDRESS,
    DeliveryKind.BOUNCED_SOFT: Blame.MAILBOX,
}
_EVENT_OF_STATE = {
    MessageState.DELIVERED: EventName.MESSAGE_DELIVERED,
    MessageState.BOUNCED: EventName.MESSAGE_BOUNCED,
}


def take_effect(
    *, channel: Channel, events: Sequence[DeliveryEvent], found: Found, now: datetime
) -> None:
    """Let reports take effect, in the caller's transaction; those about nobody known have none."""
    _move_messages(channel, events, found.targets, now)
    _mark_addresses(events, found.targets, now)
    preferences.append_stops(stops=list(_stops(channel, events, found)), now=now)
    clicks = [
        _report(EventName.LINK_CLICKED, channel, found.targets[event], event, now)
        for event in events
        if event.kind is DeliveryKind.CLICKED and event in found.targets
    ]
    event_log.append_events(events=clicks, now=now)


def _move_messages(
    channel: Channel,
    events: Sequence[DeliveryEvent],
    targets: Mapping[DeliveryEvent, ReceiptTarget],
    now: datetime,
) -> None:
    reports: dict[int, dict[MessageState, DeliveryEvent]] = defaultdict(dict)
    target_of: dict[int, ReceiptTarget] = {}
    for event in events:
        state = state_reported(event.kind)
        if state is None or event not in targets:
            continue
        target = targets[event]
        reports[target.message_id].setdefault(state, event)
        target_of[target.message_id] = target
    for state in STATES_BY_STRENGTH:
        chosen = {
            message_id: by_state[state]
            for message_id, by_state in reports.items()
            if strongest(by_state) is state
        }
        moved = _move(state, chosen, target_of, now)
        _record_handing_over(moved, target_of, channel, now)
        _record_moves(state, moved, chosen, target_of, channel, now)


def _move(
    state: MessageState,
    chosen: Mapping[int, DeliveryEvent],
    target_of: Mapping[int, ReceiptTarget],
    now: datetime,
) -> list[int]:
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
            *((_happened_at(event, target_of[message_id], now),) if is_delivered else ()),
        )
        for message_id, event in chosen.items()
    ]
    for before in states_outranked_by(state):
        moved += bulk.update_rows(
            Message, key="id", columns=columns, rows=rows, where={"state": before.value}
        )
    return moved


def _record_handing_over(
    moved: Sequence[int], target_of: Mapping[int, ReceiptTarget], channel: Channel, now: datetime
) -> None:
    """Note that messages of unknown fate were handed over: a report about them proves it."""
    unsettled = Message.objects.filter(pk__in=moved, sent_at__isnull=True)
    attempts = dict(unsettled.values_list("pk", "attempted_at"))
    if not attempts:
        return
    Message.objects.filter(pk__in=attempts, sent_at__isnull=True).update(sent_at=now)
    event_log.append_events(
        events=[
            ReportedEvent(
                source=EVENT_SOURCE,
                external_id="",
                customer_id=target_of[message_id].customer_id,
                name=EventName.MESSAGE_SENT,
                occurred_at=min(attempted_at or now, now),
                dedup_key=f"sent:{message_id}",
                channel=channel.kind,
                subject=target_of[message_id].slug,
            )
            for message_id, attempted_at in attempts.items()
        ],
        now=now,
    )


def _record_moves(
    state: MessageState,
    moved: Iterable[int],
    chosen: Mapping[int, DeliveryEvent],
    target_of: Mapping[int, ReceiptTarget],
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
    name: EventName, channel: Channel, target: ReceiptTarget, event: DeliveryEvent, now: datetime
) -> ReportedEvent:
    return ReportedEvent(
        source=EVENT_SOURCE,
        external_id="",
        customer_id=target.customer_id,
        name=name,
        occurred_at=_happened_at(event, target, now),
        dedup_key=f"{name.removeprefix('message_')}:{target.message_id}",
        channel=channel.kind,
        subject=target.slug,
    )


def _happened_at(event: DeliveryEvent, target: ReceiptTarget, now: datetime) -> datetime:
    """Return when it happened: by the provider's clock, which may be wrong, after the message."""
    return min(max(event.occurred_at, target.attempted_at or event.occurred_at), now)


def _mark_addresses(
    events: Sequence[DeliveryEvent], targets: Mapping[DeliveryEvent, ReceiptTarget], now: datetime
) -> None:
    """Blame what was written to: an address that is added later can be written to."""
    addresses.mark_refused(
        refusals=[
            Refusal(target.message_id, target.contact_point_id, _BLAME[event.kind], event.detail)
            for event in events
            if event.kind in _BLAME and (target := targets.get(event)) is not None
        ],
        now=now,
    )


def _stops(channel: Channel, events: Sequence[DeliveryEvent], found: Found) -> Iterable[Stop]:
    """Yield who is to be left alone: the person, and the address for whoever comes with it."""
    refusals = [event for event in events if event.is_refusal]
    written_to = receipt_targets.indexes_written_to(
        {found.targets[event].message_id for event in refusals if event in found.targets}
    )
    for event in refusals:
        reason = _stop_reason(event)
        # Words in a report of no known kind may be our own, sent back: for somebody to read.
        if reason is None or event.problem is not None:
            continue
        target = found.targets.get(event)
        index = found.addresses.get(event) or (
            written_to.get(target.message_id, "") if target else ""
        )
        customer_id = target.customer_id if target else found.people.get(event)
        if customer_id is None and not index:
            continue
        is_complaint = reason is StopReason.COMPLAINED
        yield Stop(
            customer_id=customer_id,
            value_index=index,
            address_masked=receipt_targets.masked_address(event.address),
            channel=channel.kind,
            key=_key(reason, event, target, index),
            source=StopSource.COMPLAINT if is_complaint else StopSource(f"{channel.kind}_reply"),
            occurred_at=event.occurred_at,
            reason=reason,
            subject=target.slug if target else "",
        )


def _key(reason: StopReason, event: DeliveryEvent, target: ReceiptTarget | None, index: str) -> str:
    """Name the occasion; several people may refuse in reports of one id."""
    occasion = target.message_id if target else f"{event.provider_event_id}:{index}"
    return bounded_id(f"{reason}:{occasion}")


def _stop_reason(event: DeliveryEvent) -> StopReason | None:
    if event.kind is DeliveryKind.COMPLAINED:
        return StopReason.COMPLAINED
    match event.read_as:
        case ReplyMeaning.OPT_OUT:
            return StopReason.OPTED_OUT
        case ReplyMeaning.REVIEW:
            return StopReason.UNDER_REVIEW
        case _:
            return None
