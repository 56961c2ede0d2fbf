"""Messages as a part of a customer's timeline: sent, and not sent with gate, reason and version."""

from datetime import tzinfo
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.domain.sending.eligibility import gate_of
from campaigns.domain.sending.states import DispatchSource, MessageState
from campaigns.models import Message
from customers.domain.timeline import TimelineFilter, TimelineItem, TimelineKind, TimelinePosition
from customers.selectors.profile.timeline_sources import TimelineSource


def messages_of(customer_id: int) -> QuerySet[Any, Any]:
    """Return the messages of a customer, with the moment `told_at` of their state."""
    rows = Message.objects.filter(customer_id=customer_id)
    return rows.select_related("dispatch__campaign", "variant").annotate(
        told_at=Coalesce("sent_at", "closed_at", "planned_at")
    )


def _rows(customer_id: int, wanted: TimelineFilter, zone: tzinfo) -> QuerySet[Any, Any]:
    rows = messages_of(customer_id)
    return rows.filter(dispatch__channel_kind=wanted.channel) if wanted.channel else rows


def _entry(row: Message, position: TimelinePosition) -> TimelineItem:
    is_requested = row.dispatch.source == DispatchSource.REQUEST
    about = "template" if is_requested else "campaign"
    facts: dict[str, str | int] = {"state": row.state, about: row.dispatch.subject}
    if row.reason:
        facts["reason"] = row.reason
    if gate := gate_of(row.reason):
        facts |= {"gate": gate, "rule_version": row.rule_version}
    return TimelineItem(
        position,
        TimelineKind.MESSAGE,
        f"message_{row.state}",
        labels.MESSAGE_STATES.label(row.state),
        subject=row.dispatch.name,
        channel=row.dispatch.channel_kind,
        source="campaigns",
        facts=facts,
        notes=refusal_notes(row),
    )


def refusal_notes(row: Message) -> tuple[str, ...]:
    """Return why a message was not sent, by which gate and which version of the rules."""
    if not row.reason or row.state == MessageState.PLANNED:
        return ()
    notes = [labels.message_reason(row.reason)]
    if gate := gate_of(row.reason):
        named = {"gate": labels.GATES.label(gate), "version": row.rule_version}
        notes.append(_("gate “%(gate)s”, rules version %(version)s") % named)
    return tuple(notes)


SOURCES = (TimelineSource(100, TimelineKind.MESSAGE, _rows, "told_at", _entry, has_channel=True),)
