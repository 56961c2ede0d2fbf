"""Visits of tracked links: noted at once, passed on to the event log when it is clear who came."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from campaigns.domain.content.links import LinkTarget
from campaigns.domain.receipts import visits as telling
from campaigns.domain.receipts.visits import MachineSign, Visit
from campaigns.models import LinkVisit, TrackedLink
from campaigns.services.consents.preferences import EVENT_SOURCE
from customers.domain.events.event import EventName, ReportedEvent
from customers.services.events import log
from loancrm.kernel.security import crypto

_BATCH = 500
_SETTLED_SECONDS = 5
_COLUMNS = (
    "pk",
    "message_id",
    "link_id",
    "at",
    "is_bot",
    "address_index",
    "message__customer_id",
    "message__dispatch__channel_kind",
    "message__dispatch__subject",
)
_ADDRESS_COLUMN = "campaigns.linkvisit.address"


class _Row(NamedTuple):
    """A visit that is to be passed on, in the order of `_COLUMNS`."""

    pk: int
    message_id: int
    link_id: int
    at: datetime
    is_bot: bool
    address: str
    customer_id: int
    channel: str
    subject: str


def note_visit(
    *, target: LinkTarget, sign: MachineSign | None, address: str, now: datetime
) -> str | None:
    """Add a visit to the log and return where the link leads.

    Args:
        target: From a token whose signature was checked.
        sign: What shows by itself that the request is a machine's; None where nothing does.
        address: Where it came from; only a keyed fingerprint of it is stored.
        now: Time of the visit.

    Returns:
        The stored address; None when the link or the message does not exist, or the message was not
        sent with this link. Nothing about the message or the person changes.
    """
    leads_to = (
        TrackedLink.objects.filter(pk=target.link_id, dispatch__messages__pk=target.message_id)
        .values_list("target", flat=True)
        .first()
    )
    if leads_to is None:
        return None
    index = crypto.vault().blind_index(_ADDRESS_COLUMN, address) if address else ""
    LinkVisit.objects.create(
        link_id=target.link_id,
        message_id=target.message_id,
        at=now,
        is_bot=sign is not None,
        sign=sign or "",
        address_index=index,
    )
    return leads_to


def publish_clicks(*, now: datetime) -> int:
    """Turn new visits of people into `link_clicked` events, one for each message and link.

    Visits younger than five seconds wait: only then it shows whether a scanner opened every link.

    Returns:
        How many events are new.
    """
    created = 0
    before = now - timedelta(seconds=_SETTLED_SECONDS)
    while True:
        with transaction.atomic():
            rows = [
                _Row(*row)
                for row in LinkVisit.objects.filter(is_published=False, at__lt=before)
                .order_by("at", "pk")
                .values_list(*_COLUMNS)[:_BATCH]
            ]
            if not rows:
                return created
            signs = _signs(rows)
            result = log.append_events(
                events=[_click(row) for row in rows if not row.is_bot and row.pk not in signs],
                now=now,
            )
            _mark_machines(signs)
            LinkVisit.objects.filter(pk__in=[row.pk for row in rows]).update(is_published=True)
        created += result.created


def _click(row: _Row) -> ReportedEvent:
    return ReportedEvent(
        source=EVENT_SOURCE,
        external_id="",
        customer_id=row.customer_id,
        name=EventName.LINK_CLICKED,
        occurred_at=row.at,
        dedup_key=f"clicked:{row.message_id}:{row.link_id}",
        channel=row.channel,
        subject=row.subject,
    )


def _mark_machines(signs: dict[int, MachineSign]) -> None:
    """Note what tells visits from people's, for those of which nothing was known before."""
    by_sign: defaultdict[MachineSign, list[int]] = defaultdict(list)
    for visit_id, sign in signs.items():
        by_sign[sign].append(visit_id)
    for sign, ids in by_sign.items():
        LinkVisit.objects.filter(pk__in=ids, is_bot=False).update(is_bot=True, sign=sign)


def _signs(rows: Collection[_Row]) -> dict[int, MachineSign]:
    """Return which visits others around them show to be a machine's.

    A burst does not care where a batch ends or how young its last visit is: the visits around those
    at hand are looked at too.
    """
    times = [row.at for row in rows]
    near = _between(
        Q(message_id__in={row.message_id for row in rows}),
        min(times) - timedelta(seconds=telling.BURST_SECONDS),
        max(times) + timedelta(seconds=telling.BURST_SECONDS),
    )
    addresses = {row.address for row in rows if row.address}
    wide = _between(
        Q(address_index__in=addresses),
        min(times) - timedelta(seconds=telling.SHARED_SECONDS),
        max(times) + timedelta(seconds=telling.SHARED_SECONDS),
    )
    return telling.signs_among({visit.visit_id: visit for visit in (*near, *wide)}.values())


def _between(wanted: Q, first: datetime, last: datetime) -> Iterable[Visit]:
    # The time before the provider was called, not the one when its answer was stored: between them
    # somebody may well have read it.
    columns = ("pk", "message_id", "link_id", "at", "message__attempted_at", "address_index")
    found = LinkVisit.objects.filter(wanted, at__gte=first, at__lte=last)
    return [Visit(*row) for row in found.values_list(*columns)]
