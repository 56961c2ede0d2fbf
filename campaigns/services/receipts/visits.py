"""Visits of tracked links: noted at once, passed on to the event log when it is clear who came."""

from datetime import datetime, timedelta

from django.db import transaction

from campaigns.domain.content.links import LinkTarget
from campaigns.domain.receipts import visits as telling
from campaigns.domain.receipts.visits import Visit
from campaigns.models import LinkVisit, TrackedLink
from campaigns.services.consents.preferences import EVENT_SOURCE
from customers.domain.events.event import EventName, ReportedEvent
from customers.services.events import log

_BATCH = 500
_SETTLED_SECONDS = 5
_COLUMNS = (
    "pk",
    "message_id",
    "link_id",
    "at",
    "is_bot",
    "message__customer_id",
    "message__dispatch__channel_kind",
    "message__dispatch__subject",
)


def note_visit(*, target: LinkTarget, is_bot: bool, now: datetime) -> str | None:
    """Add a visit to the log and return where the link leads.

    Args:
        target: From a token whose signature was checked.
        is_bot: Whether the request is openly a machine's.
        now: Time of the visit.

    Returns:
        The stored address; None when the link or the message does not exist, or the message was not
        sent with this link. Nothing about the message or the person changes.
    """
    address = (
        TrackedLink.objects.filter(pk=target.link_id, dispatch__messages__pk=target.message_id)
        .values_list("target", flat=True)
        .first()
    )
    if address is None:
        return None
    LinkVisit.objects.create(
        link_id=target.link_id, message_id=target.message_id, at=now, is_bot=is_bot
    )
    return address


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
            rows = list(
                LinkVisit.objects.filter(is_published=False, at__lt=before)
                .order_by("at", "pk")
                .values_list(*_COLUMNS)[:_BATCH]
            )
            if not rows:
                return created
            ids = [row[0] for row in rows]
            machines = _machines({row[1] for row in rows}, rows[0][3], rows[-1][3])
            result = log.append_events(
                events=[
                    ReportedEvent(
                        source=EVENT_SOURCE,
                        external_id="",
                        customer_id=customer_id,
                        name=EventName.LINK_CLICKED,
                        occurred_at=at,
                        dedup_key=f"clicked:{message_id}:{link_id}",
                        channel=channel,
                        subject=slug,
                    )
                    for pk, message_id, link_id, at, is_bot, customer_id, channel, slug in rows
                    if not is_bot and pk not in machines
                ],
                now=now,
            )
            LinkVisit.objects.filter(pk__in=machines).update(is_bot=True)
            LinkVisit.objects.filter(pk__in=ids).update(is_published=True)
        created += result.created


def _machines(message_ids: set[int], first: datetime, last: datetime) -> set[int]:
    """Return the visits that belong to a burst on these messages.

    A burst does not care where a batch ends or how young its last visit is: the visits around those
    at hand are looked at too.
    """
    margin = timedelta(seconds=telling.BURST_SECONDS)
    near = LinkVisit.objects.filter(
        message_id__in=message_ids, at__gte=first - margin, at__lte=last + margin
    ).values_list("pk", "message_id", "link_id", "at")
    return telling.bursts(Visit(*row) for row in near)
