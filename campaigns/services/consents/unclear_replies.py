"""Replies that may be refusals: kept until somebody has read them, who says what they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from campaigns.domain.receipts.replies import ReplyDecision, ReplyMeaning
from campaigns.domain.receipts.report import DeliveryEvent
from campaigns.domain.receipts.stops import Stop, StopReason
from campaigns.models import Channel, Suppression, UnclearReply
from campaigns.selectors.receipts.targets import Found
from campaigns.services.consents import preferences, stop_list_keeping
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.security import crypto, masking

PERMISSION: Final = "campaigns.change_suppression"
LONGEST_TEXT: Final = 2000


class ReplyRefused(LoanCrmError):
    """This cannot be decided: it is decided already, nothing was chosen, or nobody says why."""

    code = "reply_refused"


def write_unclear_replies(
    *, channel: Channel, events: Sequence[DeliveryEvent], found: Found, now: datetime
) -> None:
    """Keep the words of new replies that may be refusals, sealed, in the caller's transaction."""
    vault = crypto.vault()
    rows = []
    for event in events:
        if event.read_as is not ReplyMeaning.REVIEW:
            continue
        key = uuid4()
        words = event.text.strip()[:LONGEST_TEXT]
        rows.append(
            UnclearReply(
                row_key=key,
                channel=channel,
                provider_event_id=event.provider_event_id,
                occurred_at=event.occurred_at,
                customer_id=_owner(found, event),
                value_index=found.addresses.get(event, ""),
                sender_masked=_masked(event.address),
                text_sealed=vault.seal(UnclearReply.TEXT_COLUMN, key, words),
                received_at=now,
            )
        )
    UnclearReply.objects.bulk_create(rows, ignore_conflicts=True)


def name_owners(*, channel: Channel, events: Sequence[DeliveryEvent], found: Found) -> None:
    """Note whose the kept replies are whose messages were found later."""
    for event in events:
        owner = _owner(found, event) if event.read_as is ReplyMeaning.REVIEW else None
        if owner is not None:
            UnclearReply.objects.filter(
                channel=channel,
                provider_event_id=event.provider_event_id,
                occurred_at=event.occurred_at,
                customer__isnull=True,
            ).update(customer_id=owner)


def read(*, actor: Actor, reply_id: int, now: datetime) -> str:
    """Return the words of a reply, with a trace of who has read them.

    Raises:
        PermissionRefused: The actor may not decide about stops.
        UnclearReply.DoesNotExist: There is no such reply.
    """
    act = acting(actor, PERMISSION, now=now)
    row = UnclearReply.objects.get(pk=reply_id)
    if row.text_sealed is None:
        return ""
    with act:
        act.record("reply.read", on=row, facts=_facts(row))
    return crypto.vault().open(UnclearReply.TEXT_COLUMN, row.row_key, bytes(row.text_sealed))


def decide(
    *, actor: Actor, reply_id: int, decision: ReplyDecision, reason: str, now: datetime
) -> UnclearReply:
    """Say what a reply is; its words are forgotten then.

    A refusal counts like one that was clear at once. What was none ends the stop, unless another
    reply of the same sender waits or something else keeps them on the list.

    Args:
        reason: Why it is no refusal; of a refusal it may be left out.

    Raises:
        PermissionRefused: The actor may not decide about stops.
        ReplyRefused: It was decided already, nothing was chosen, or the reason is missing.
        UnclearReply.DoesNotExist: There is no such reply.
    """
    act = acting(actor, PERMISSION, now=now)
    if decision is ReplyDecision.OPEN:
        raise ReplyRefused(_("Say whether it is a refusal."))
    if decision is ReplyDecision.NO_REFUSAL and not reason.strip():
        raise ReplyRefused(_("Say why it is no refusal."))
    with act:
        row = UnclearReply.objects.select_for_update(of=("self",)).get(pk=reply_id)
        if row.decision:
            raise ReplyRefused(_("Somebody has decided this already."))
        row.decision, row.decided_at, row.decided_by = decision, now, actor.label
        row.text_sealed = None
        row.save(update_fields=["decision", "decided_at", "decided_by", "text_sealed"])
        if decision is ReplyDecision.REFUSAL:
            _refuse(row, now)
            act.record("reply.refusal", on=row, facts=_facts(row), reason=reason.strip())
        else:
            _lift(actor, row, reason, now)
            act.record("reply.no_refusal", on=row, facts=_facts(row), reason=reason.strip())
    return row


def _refuse(row: UnclearReply, now: datetime) -> None:
    stop = Stop(
        customer_id=row.customer_id,
        value_index=row.value_index,
        channel=row.channel.kind,
        key=f"unclear_reply:{row.pk}",
        source=f"{row.channel.kind}_reply",
        occurred_at=row.received_at,
    )
    if row.customer_id is not None or row.value_index:
        preferences.append_stops(stops=[stop], now=now)
    _stops_of(row).update(reason=StopReason.OPTED_OUT)


def _lift(actor: Actor, row: UnclearReply, reason: str, now: datetime) -> None:
    others = UnclearReply.objects.filter(
        _same_sender(row), channel__kind=row.channel.kind, decision=ReplyDecision.OPEN
    )
    if others.exists():
        return
    ids = sorted(_stops_of(row).values_list("pk", flat=True))
    if ids:
        stop_list_keeping.lift(actor=actor, ids=ids, reason=reason, now=now)


def _stops_of(row: UnclearReply) -> QuerySet[Suppression]:
    """Return the stops in force that wait for somebody to read what this sender wrote."""
    return Suppression.objects.filter(
        _same_sender(row),
        channel=row.channel.kind,
        reason=StopReason.UNDER_REVIEW,
        lifted_at__isnull=True,
    )


def _same_sender(row: UnclearReply) -> Q:
    wanted = Q(pk__in=[])
    if row.customer_id is not None:
        wanted |= Q(customer_id=row.customer_id)
    if row.value_index:
        wanted |= Q(value_index=row.value_index)
    return wanted


def _owner(found: Found, event: DeliveryEvent) -> int | None:
    target = found.targets.get(event)
    return target.customer_id if target else found.people.get(event)


def _masked(address: str) -> str:
    mask = masking.mask_email if "@" in address else masking.mask_phone
    return mask(address.strip())[:80]


def _facts(row: UnclearReply) -> dict[str, object]:
    return {"customer": row.customer_id, "channel": row.channel_id}
