"""Tests and confirmations: messages of no campaign, whose reports say nothing to act upon."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from campaigns.channels.base import SendResult
from campaigns.domain.receipts.report import DeliveryEvent, is_side_key
from campaigns.models import Channel, SideMessage

_LONGEST_ID = SideMessage._meta.get_field("provider_message_id").max_length  # noqa: SLF001 - Django's documented way to a field


def note(*, channel: Channel, results: Iterable[SendResult], now: datetime) -> None:
    """Keep the provider's ids: some providers report by them and not by our key."""
    SideMessage.objects.bulk_create(
        [
            SideMessage(
                channel=channel, provider_message_id=result.provider_message_id, sent_at=now
            )
            for result in results
            if 0 < len(result.provider_message_id) <= (_LONGEST_ID or 0)
        ],
        ignore_conflicts=True,
    )


def about(channel: Channel, events: Sequence[DeliveryEvent]) -> set[DeliveryEvent]:
    """Return the reports that are about a test or a confirmation."""
    by_key = {event for event in events if is_side_key(event.message_key)}
    by_id = {event for event in events if event.provider_message_id and not event.message_key}
    if not by_id:
        return by_key
    known = set(
        SideMessage.objects.filter(
            channel=channel,
            provider_message_id__in={event.provider_message_id for event in by_id},
        ).values_list("provider_message_id", flat=True)
    )
    return by_key | {event for event in by_id if event.provider_message_id in known}
